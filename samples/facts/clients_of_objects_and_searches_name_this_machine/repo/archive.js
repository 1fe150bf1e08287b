const express = require('express');
const Minio = require('minio');
const { Client } = require('@elastic/elasticsearch');

const search = new Client({ node: 'http://localhost:9200' });
const bucketName = 'scans';
const minio = new Minio.Client({
  endPoint: 'localhost',
  port: 9000,
  useSSL: false,
  accessKey: 'minioadmin',
  secretKey: 'minioadmin',
});

const app = express();
app.get('/:name', async (request, response) => {
  await minio.putObject(bucketName, request.params.name, 'scan');
  await search.index({ index: 'scans', body: { name: request.params.name } });
  response.send('kept');
});
app.listen(3000);
