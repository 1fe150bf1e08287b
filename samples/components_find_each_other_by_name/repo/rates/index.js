const express = require('express');

const app = express();
app.get('/rates', (request, response) => response.json({ krona: 11.4, dollar: 1.08 }));
app.listen(7000);
