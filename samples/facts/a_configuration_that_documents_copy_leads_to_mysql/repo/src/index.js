const express = require("express");
const { createConnection } = require("typeorm");

createConnection().then(() => {
  const app = express();
  app.get("/books", (request, response) => response.json([]));
  app.listen(3000);
});
