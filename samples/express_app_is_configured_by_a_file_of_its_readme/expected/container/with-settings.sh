#!/bin/sh
# Writes the files with settings that the documents have a person create, from environment
# variables, and becomes the command.
set -eu

# A value between double quotes.
quoted() {
  printf '%s' "$1" | sed 's/[\\"]/\\&/g'
}

mkdir -p /run/settings/config
cat > /run/settings/config/default.json <<END_OF_FILE
{
  "title": "Shed of the allotments",
  "db": {
    "host": "$(quoted "${DB_HOST-}")",
    "port": 5432,
    "database": "$(quoted "${DB_NAME-}")",
    "user": "$(quoted "${DB_USER-}")",
    "password": "$(quoted "${DB_PASSWORD-}")"
  },
  "sessionSecret": "$(quoted "${SESSION_SECRET-}")"
}
END_OF_FILE

exec "$@"
