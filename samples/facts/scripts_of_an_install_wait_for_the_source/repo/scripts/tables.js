const fs = require('fs')
const harbours = require('../harbours')

fs.writeFileSync('tables.json', JSON.stringify(harbours.map(name => ({ name, high: '06:12' }))))
