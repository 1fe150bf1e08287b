package main

import "net/http"

func main() {
	http.ListenAndServe(":8140", http.NotFoundHandler())
}
