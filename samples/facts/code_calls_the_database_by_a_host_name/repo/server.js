const db = require('mysql').createConnection({
  host: 'db',
  user: 'finder',
  password: 'keepers',
  database: 'things',
});
require('express')().listen(3000);
