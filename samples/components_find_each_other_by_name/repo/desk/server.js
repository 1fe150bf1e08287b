const express = require('express');

const RATES = 'http://exchange-rates:7000/rates';

async function main() {
  // Without rates there is nothing to show.
  const rates = await (await fetch(RATES)).json();
  const app = express();
  app.get('/', (request, response) => {
    const lines = Object.entries(rates).map(([currency, rate]) => `<li>${currency}: ${rate}</li>`);
    response.send(`<h1>Exchange desk</h1><ul>${lines.join('')}</ul>`);
  });
  app.listen(8080);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
