package main

import (
	"database/sql"
	"net/http"
	"os"

	_ "github.com/lib/pq"
)

func main() {
	dsn, _ := os.ReadFile("config/local.yml")
	db, _ := sql.Open("postgres", string(dsn))
	defer db.Close()
	http.ListenAndServe(":8080", nil)
}
