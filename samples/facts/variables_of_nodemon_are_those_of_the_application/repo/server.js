const express = require('express');
const jwt = require('jsonwebtoken');

const app = express();
app.get('/', (req, res) => res.send(process.env.SHOP_TITLE));
app.get('/token', (req, res) => res.send(jwt.sign({}, process.env.JWT_KEY)));
app.listen(process.env.PORT);
