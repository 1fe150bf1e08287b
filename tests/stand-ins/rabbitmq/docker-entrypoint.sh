#!/bin/sh
# Drops root, then becomes the server. It reads RABBITMQ_DEFAULT_USER, _PASS and _VHOST itself.
set -e
cookie=$RABBITMQ_DATA_DIR/.erlang.cookie
case $1 in
  rabbitmq*)
    # Otherwise a health check that comes first, as root, makes one that the server cannot read.
    [ -s "$cookie" ] || (umask 377 && head -c 15 /dev/urandom | base64 >"$cookie")
    if [ "$(id -u)" = 0 ]; then
      chown -R rabbitmq: "$RABBITMQ_DATA_DIR"
      exec setpriv --reuid=rabbitmq --regid=rabbitmq --init-groups "$0" "$@"
    fi ;;
esac
exec "$@"
