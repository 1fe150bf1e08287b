// Command migrate makes the table of ferries.
package main

import (
	"database/sql"
	"log"
	"os"

	_ "github.com/lib/pq"
)

func main() {
	database, err := sql.Open("postgres", os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	for _, statement := range []string{
		"CREATE TABLE IF NOT EXISTS ferries (name text PRIMARY KEY)",
		"INSERT INTO ferries VALUES ('Alma'), ('Berit'), ('Carla'), ('Dora') ON CONFLICT DO NOTHING",
	} {
		if _, err := database.Exec(statement); err != nil {
			log.Fatal(err)
		}
	}
}
