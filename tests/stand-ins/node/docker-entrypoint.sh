#!/bin/sh
# What is not a program is for node: a flag, a script.
set -e
if [ "${1#-}" != "$1" ] || ! command -v "$1" >/dev/null; then
  set -- node "$@"
fi
exec "$@"
