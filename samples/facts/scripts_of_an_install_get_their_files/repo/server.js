const express = require('express')
const app = express()
app.get('/', (_, reply) => reply.sendFile(__dirname + '/package.json'))
app.listen(3000)
