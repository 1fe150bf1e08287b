const express = require('express');
const ldap = require('ldapjs');

const base = process.env.LDAP_BASE_DN;
const app = express();

app.get('/', (request, response) => {
  const client = ldap.createClient({ url: process.env.LDAP_URL });
  client.on('error', (error) => response.status(500).send(error.message));
  client.bind(process.env.LDAP_BIND_DN, process.env.LDAP_BIND_PASSWORD, (error) => {
    if (error) return response.status(500).send(error.message);
    client.search(base, { scope: 'base', attributes: ['dc'] }, (error, result) => {
      if (error) return response.status(500).send(error.message);
      result.on('searchEntry', (entry) => {
        response.send(`bound to ${entry.objectName}\n`);
        client.unbind();
      });
      result.on('error', (error) => response.status(500).send(error.message));
    });
  });
});

app.listen(process.env.PORT || 3000);
