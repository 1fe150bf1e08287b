const express = require("express");

const app = express();
const rooms = [
  { name: "Oak room", seats: 40 },
  { name: "Kitchen", seats: 6 },
];

app.get("/", (request, response) => response.redirect("/api/rooms"));
app.get("/api/rooms", (request, response) => response.json(rooms));

app.listen(process.env.PORT || 4000);
