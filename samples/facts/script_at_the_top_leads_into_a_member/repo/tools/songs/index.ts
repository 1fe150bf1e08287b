import { Pool } from 'pg'
const pool = new Pool({ connectionString: process.env.DATABASE_URL })
export const all = async () => (await pool.query('select * from songs')).rows
