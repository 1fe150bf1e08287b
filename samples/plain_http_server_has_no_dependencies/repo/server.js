const { createServer } = require('node:http');
const { readFile } = require('node:fs/promises');
const { join } = require('node:path');

const host = process.env.HOST || '127.0.0.1';
const port = Number(process.env.PORT) || 3000;

const server = createServer(async (request, response) => {
  try {
    const menu = JSON.parse(await readFile(join(__dirname, 'menu.json'), 'utf8'));
    const lines = Object.entries(menu).map(([day, dish]) => `${day}: ${dish}`);
    response.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8' });
    response.end(['Canteen', ...lines, ''].join('\n'));
  } catch (error) {
    response.writeHead(500).end(`${error.message}\n`);
  }
});

server.listen(port, host, () => console.log(`http://${host}:${port}/`));
