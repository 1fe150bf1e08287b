import express from "express";

const app = express();
app.get("/", (request, response) => response.send("shelf"));
app.listen(3000);
