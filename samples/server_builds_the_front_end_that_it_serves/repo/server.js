const path = require("path");
const express = require("express");

const app = express();

app.get("/api/plots", (request, response) => response.json(["3b", "4", "17"]));
app.use(express.static(path.join(__dirname, "client", "dist")));
app.get("*", (request, response) => response.sendFile(path.resolve(__dirname, "client", "dist", "index.html")));

app.listen(8200, () => console.log("listening on 8200"));
