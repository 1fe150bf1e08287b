#!/usr/bin/env bash
# Drops root, then becomes the server.
set -eo pipefail
[ "${1#-}" = "$1" ] || set -- mongod "$@"
if [ "$1" = mongod ]; then
  if [ -n "$MONGO_INITDB_ROOT_USERNAME$MONGO_INITDB_ROOT_PASSWORD" ]; then
    echo 'error: this stand-in for mongo knows no users' >&2
    exit 1
  fi
  if [ -n "$(ls /docker-entrypoint-initdb.d)" ]; then
    echo 'error: this stand-in for mongo runs no scripts of /docker-entrypoint-initdb.d' >&2
    exit 1
  fi
  if [ "$(id -u)" = 0 ]; then
    chown -R mongodb: /data/db /data/configdb
    exec setpriv --reuid=mongodb --regid=mongodb --init-groups "$0" "$@"
  fi
fi
exec "$@"
