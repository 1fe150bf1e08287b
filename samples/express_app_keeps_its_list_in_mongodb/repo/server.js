var express = require('express');
var mongoose = require('mongoose');
var database = require('./config/database');

mongoose.connect(database.url, { useNewUrlParser: true, useUnifiedTopology: true });

var Task = mongoose.model('Task', new mongoose.Schema({ text: String }));

var app = express();
app.get('/', function (req, res) {
  Task.create({ text: 'water the tomatoes' }, function (error) {
    if (error) return res.status(500).send(error.message);
    Task.find().lean().exec(function (error, tasks) {
      if (error) return res.status(500).send(error.message);
      res.json(tasks);
    });
  });
});

app.listen(8080);
console.log('App listening on port 8080');
