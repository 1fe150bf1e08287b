const app = require("express")();
app.get("/", (request, response) => response.send("notes"));
app.listen(4040);
