#!/bin/sh
# Drops root, then becomes the server.
set -e
if [ "${1#-}" != "$1" ] || [ "${1%.conf}" != "$1" ]; then
  set -- redis-server "$@"
fi
if [ "$1" = redis-server ]; then
  if [ "$(id -u)" = 0 ]; then
    chown -R redis: .
    exec setpriv --reuid=redis --regid=redis --init-groups "$0" "$@"
  fi
  # The official image is compiled without protected mode, which refuses other containers.
  case "$*" in
    *--protected-mode*) ;;
    *) set -- "$@" --protected-mode no ;;
  esac
fi
exec "$@"
