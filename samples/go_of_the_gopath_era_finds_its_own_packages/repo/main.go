package main

import (
	"flag"
	"fmt"
	"log"
	"net/http"

	"github.com/harbour-office/buoyd/lamp"
)

func main() {
	listen := flag.String("listen", ":8077", "where to listen")
	flag.Parse()
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, lamp.Say(4))
	})
	log.Fatal(http.ListenAndServe(*listen, nil))
}
