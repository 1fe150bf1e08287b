module.exports = { counts: 8125, port: 8126 };
