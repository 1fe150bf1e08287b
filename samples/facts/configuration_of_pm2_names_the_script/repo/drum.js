const app = require("express")();

app.get("/", (request, response) => response.send("taut"));
app.listen(3000);
