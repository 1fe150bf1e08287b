const express = require('express');
const mongoose = require('mongoose');
const keys = require('./config/keys');

mongoose.connect(keys.mongoURI);
const app = express();
require('./routes/letters')(app);
app.listen(4000);
