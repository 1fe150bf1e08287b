console.log("board")
