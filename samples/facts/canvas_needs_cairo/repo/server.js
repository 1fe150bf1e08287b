require("http").createServer((_, answer) => answer.end("larder")).listen(3000);
