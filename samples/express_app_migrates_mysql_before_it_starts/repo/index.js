const express = require('express');
const database = require('knex')(require('./knexfile'));

const app = express();

app.get('/', async (request, response, next) => {
  try {
    const orders = await database('orders').orderBy('due');
    const lines = orders.map((order) => `${order.due}: ${order.piece} for ${order.customer}`);
    response.type('text').send([`${orders.length} orders`, ...lines, ''].join('\n'));
  } catch (error) {
    next(error);
  }
});

const port = process.env.PORT || 3000;
app.listen(port, () => console.log(`orders on port ${port}`));
