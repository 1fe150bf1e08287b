const config = require('config');
const { Client } = require('pg');

(async () => {
  const client = new Client(config.get('db'));
  await client.connect();
  await client.query('CREATE TABLE IF NOT EXISTS tools (name text PRIMARY KEY, pieces integer)');
  await client.query("INSERT INTO tools VALUES ('spade', 1) ON CONFLICT DO NOTHING");
  await client.end();
})();
