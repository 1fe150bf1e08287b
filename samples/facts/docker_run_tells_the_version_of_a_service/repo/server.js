const { Pool } = require('pg');
const pool = new Pool({ connectionString: process.env.DATABASE_URL });
require('express')().listen(3000);
