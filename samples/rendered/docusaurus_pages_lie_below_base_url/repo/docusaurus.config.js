module.exports = {
  title: 'Bee keeper\'s handbook',
  url: 'https://bees.example',
  baseUrl: '/handbook/',
  presets: [['classic', { docs: { routeBasePath: '/' } }]],
};
