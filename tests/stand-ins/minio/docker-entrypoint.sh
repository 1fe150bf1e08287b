#!/bin/sh
# Becomes the server: what is no `minio` is for it.
set -e
[ "$1" = minio ] || set -- minio "$@"
exec "$@"
