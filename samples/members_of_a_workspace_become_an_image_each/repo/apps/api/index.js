const express = require("express");
const { highWater } = require("@tide-table/tides");

const app = express();

app.get("/", (request, response) => response.redirect("/api/tides"));
app.get("/api/tides", (request, response) => response.json({ pier: "old", high: highWater(250) }));

app.listen(process.env.PORT || 4000);
