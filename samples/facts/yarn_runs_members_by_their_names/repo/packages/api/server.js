const Koa = require('koa')
const { things } = require('@lost/things')
new Koa().use(context => { context.body = things }).listen(process.env.PORT || 5050)
