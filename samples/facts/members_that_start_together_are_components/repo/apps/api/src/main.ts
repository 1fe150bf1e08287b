import fastify from 'fastify'
import { beds } from 'beds'
const app = fastify()
app.get('/beds', async () => beds)
app.listen({ port: 4100, host: '0.0.0.0' })
