export const departures = [
  { time: '07:10', to: 'Skerry Island' },
  { time: '12:30', to: 'Skerry Island' },
  { time: '18:45', to: 'Port Ferris' },
];
