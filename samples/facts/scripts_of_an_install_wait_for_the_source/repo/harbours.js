module.exports = ['North', 'South']
