const http = require("http");

require("express")().listen(process.env.PORT || 3000);
