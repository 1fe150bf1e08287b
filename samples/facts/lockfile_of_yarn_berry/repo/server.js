const express = require('express')
express().get('/', (request, response) => response.send('A over N')).listen(3000)
