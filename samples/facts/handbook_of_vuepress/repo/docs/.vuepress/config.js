module.exports = { title: 'Kiln', base: '/kiln/' };
