require("http").createServer((request, response) => response.end("ferry")).listen(3000);
