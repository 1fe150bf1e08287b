import { createServer } from "http";

createServer((_, response) => response.end("high water 4:12")).listen(3000);
