const express = require('express');

const app = express();
app.get('/seeds', (request, response) => response.json(['Runner bean', 'Marigold']));
app.listen(5000);
