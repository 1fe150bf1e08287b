var express = require('express');
var redis = require('redis');
var amqp = require('amqplib');

var app = express();
var client = redis.createClient();

amqp.connect('amqp://localhost').then(function (connection) {
  return connection.createChannel();
}).then(function (channel) {
  return channel.assertQueue('print').then(function () {
    app.get('/', function (req, res) {
      channel.sendToQueue('print', Buffer.from('page'));
      client.incr('pages', function (error, pages) {
        if (error) return res.status(500).send(error.message);
        res.send('queued ' + pages + '\n');
      });
    });
    app.listen(3000);
  });
}).catch(function (error) {
  console.error(error);
  process.exit(1);
});
