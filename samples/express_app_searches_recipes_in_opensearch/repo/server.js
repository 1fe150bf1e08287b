const express = require('express');
const { Client } = require('@opensearch-project/opensearch');

const client = new Client({ node: process.env.OPENSEARCH_HOST });
const app = express();

app.get('/', async (request, response) => {
  try {
    await client.index({ index: 'recipes', id: '1', body: { title: 'Chowder' }, refresh: true });
    const { body } = await client.search({ index: 'recipes', q: 'title:chowder' });
    response.send(`found ${body.hits.hits[0]._source.title}\n`);
  } catch (error) {
    response.status(500).send(error.message);
  }
});

app.listen(process.env.PORT || 3000);
