module.exports = { title: 'Ferry', baseUrl: '/' };
