const config = require(require('path').resolve(process.argv[2]));
const { MongoClient } = require('mongodb');

require('http').createServer((request, response) => response.end('0')).listen(config.port);
exports.keep = (url) => new MongoClient(url);
