const http = require('http');

const stalls = [
  { place: 1, sells: 'Honey' },
  { place: 2, sells: 'Cheese' },
];

const server = http.createServer((request, response) => {
  if (request.url !== '/stalls') {
    response.writeHead(404);
    response.end();
    return;
  }
  response.writeHead(200, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(stalls));
});

server.listen(process.env.PORT || 4000);
process.on('SIGTERM', () => server.close(() => process.exit(0)));
