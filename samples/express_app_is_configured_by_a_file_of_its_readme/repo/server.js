const config = require('config');
const crypto = require('crypto');
const express = require('express');
const { Pool } = require('pg');

const pool = new Pool({ ...config.get('db') });
const app = express();

app.get('/', async (req, res, next) => {
  try {
    const { rows } = await pool.query('SELECT name, pieces FROM tools');
    const tools = rows.map((tool) => `${tool.pieces} ${tool.name}`).join(', ');
    const seal = crypto.createHmac('sha256', config.get('sessionSecret')).update(tools).digest('hex');
    res.set('X-Seal', seal).send(`${config.get('title')}: ${tools}`);
  } catch (error) {
    next(error);
  }
});

app.listen(3000);
