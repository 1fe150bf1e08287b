const express = require('express');
const { createClient } = require('redis');

const port = process.env.PORT || 3000;
const redis = createClient({ url: process.env.REDIS_URL || 'redis://localhost:6379' });
redis.on('error', (error) => console.error('redis:', error.message));

const app = express();

app.get('/', async (request, response, next) => {
  try {
    const number = await redis.incr('last-number');
    response.type('text').send(`Your number is ${number}\n`);
  } catch (error) {
    next(error);
  }
});

redis.connect().then(() => {
  app.listen(port, () => console.log(`waiting numbers on port ${port}`));
});
