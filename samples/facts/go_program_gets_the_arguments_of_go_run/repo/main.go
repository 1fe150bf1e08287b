package main

import (
	"flag"
	"net/http"
)

func main() {
	listener := flag.String("listener", "", "address")
	flag.String("provider", "", "storage")
	basedir := flag.String("basedir", "", "folder")
	flag.Parse()
	http.ListenAndServe(*listener, http.FileServer(http.Dir(*basedir)))
}
