export const bowline = () => "bowline";
