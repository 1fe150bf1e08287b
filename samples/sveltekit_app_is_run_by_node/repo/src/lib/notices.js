export const notices = ['Lost: one grey cat', 'The library is closed on Friday'];
