const siteConfig = {
  title: 'Sail',
  baseUrl: '/sail/',
  projectName: 'sail',
};

module.exports = siteConfig;
