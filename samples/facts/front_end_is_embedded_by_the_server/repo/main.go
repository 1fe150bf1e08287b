package main

import (
	"net/http"

	"example.org/board/ui"
)

func main() {
	http.Handle("/", http.FileServerFS(ui.Pages))
	http.ListenAndServe(":8090", nil)
}
