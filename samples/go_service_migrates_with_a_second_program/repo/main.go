// Command timetable says how many ferries there are.
package main

import (
	"database/sql"
	"fmt"
	"log"
	"net/http"
	"os"

	_ "github.com/lib/pq"
)

func main() {
	database, err := sql.Open("postgres", os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/", func(response http.ResponseWriter, request *http.Request) {
		var count int
		if err := database.QueryRow("SELECT count(*) FROM ferries").Scan(&count); err != nil {
			http.Error(response, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprintf(response, "%d ferries", count)
	})
	log.Fatal(http.ListenAndServe(":8210", nil))
}
