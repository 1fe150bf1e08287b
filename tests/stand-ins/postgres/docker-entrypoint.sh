#!/usr/bin/env bash
# Creates the database that POSTGRES_USER, _PASSWORD and _DB ask for, once, then becomes the server.
set -eo pipefail

main() {
  [ "${1#-}" = "$1" ] || set -- postgres "$@"
  [ "$1" = postgres ] || exec "$@"

  if [ "$(id -u)" = 0 ]; then
    mkdir -p "$PGDATA"
    chown -R postgres: "$PGDATA" /var/run/postgresql
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
  fi
  mkdir -p "$PGDATA"
  chmod 700 "$PGDATA" || true
  [ -s "$PGDATA/PG_VERSION" ] || create_database
  exec "$@"
}

create_database() {
  local user password database method script
  user=$(setting POSTGRES_USER postgres)
  password=$(setting POSTGRES_PASSWORD)
  database=$(setting POSTGRES_DB "$user")
  method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
  if [ -z "$password" ] && [ "$method" != trust ]; then
    echo 'Error: Database is uninitialized and superuser password is not specified.' >&2
    exit 1
  fi

  # shellcheck disable=SC2086 # the arguments are words
  initdb --no-sync --username="$user" --pwfile=<(printf '%s\n' "${password:-none}") \
    --auth-local=trust --auth-host="$method" $POSTGRES_INITDB_ARGS
  echo "host all all all $method" >>"$PGDATA/pg_hba.conf"

  pg_ctl --wait -D "$PGDATA" -o "-c listen_addresses='' -c fsync=off" start
  if [ "$database" != postgres ]; then
    psql --username="$user" --dbname=postgres -v database="$database" <<<'CREATE DATABASE :"database"'
  fi
  export PGUSER=$user PGDATABASE=$database
  for script in /docker-entrypoint-initdb.d/*; do
    # shellcheck disable=SC1090 # the scripts are the user's
    case $script in
      *.sh) if [ -x "$script" ]; then "$script"; else . "$script"; fi ;;
      *.sql) psql -v ON_ERROR_STOP=1 --no-psqlrc --file="$script" ;;
      *.sql.gz) gunzip --stdout "$script" | psql -v ON_ERROR_STOP=1 --no-psqlrc ;;
    esac
  done
  pg_ctl --wait -D "$PGDATA" --mode=fast stop
  unset PGUSER PGDATABASE
  printf '\nPostgreSQL init process complete; ready for start up.\n\n'
}

# setting NAME [DEFAULT]: the value of NAME, or the contents of the file that NAME_FILE names.
setting() {
  local file=$1_FILE
  if [ -n "${!file}" ]; then cat "${!file}"; else echo "${!1:-$2}"; fi
}

main "$@"
