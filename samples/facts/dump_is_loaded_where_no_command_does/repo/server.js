const express = require('express')
const mysql = require('mysql2/promise')

const app = express()
const pool = mysql.createPool({
  host: process.env.DB_HOST,
  user: process.env.DB_USER,
  password: process.env.DB_PASSWORD,
  database: process.env.DB_NAME,
})
app.get('/', async (_, reply) => {
  const [rows] = await pool.query('SELECT harbour, at FROM departure')
  reply.json(rows)
})
app.listen(3000)
