const { Router } = require('express')
const client = require('redis').createClient({ url: process.env.REDIS_URL })
exports.router = Router().get('/', async (request, response) => response.json(await client.lRange('rings', 0, -1)))
