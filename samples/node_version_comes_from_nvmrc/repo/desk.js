const express = require('express');

const shelves = { 1: 'left of the lift', 2: 'left of the lift', 3: 'behind the desk' };
const [major] = process.versions.node.split('.');
const port = process.env.PORT || 8090;

const app = express();

app.get('/', (request, response) => {
  const lines = Object.entries(shelves).map(([floor, place]) => `Floor ${floor}: ${place}`);
  response.type('text').send([`parcel desk on Node ${major}`, ...lines, ''].join('\n'));
});

app.listen(port, () => console.log(`parcel desk on port ${port}`));
