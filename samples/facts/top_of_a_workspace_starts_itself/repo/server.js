const express = require('express')
const { router } = require('@doorbell/log')
express().use('/log', router).listen(3500)
