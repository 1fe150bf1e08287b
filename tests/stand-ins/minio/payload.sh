#!/usr/bin/env bash
# payload.sh INTO: compiles MinIO, from the Go module proxy, with this machine's Go to INTO/minio. Exits with 3 where there
# is none.
set -euo pipefail
command -v go >/dev/null || { echo "Go is not installed" >&2; exit 3; }
cache=$PWD/target/stand-ins/minio-$RELEASE

if [ ! -f "$cache/minio" ]; then
  # buildscripts/gen-ldflags.go says what a release is told of itself.
  own=github.com/minio/minio/cmd
  time=${RELEASE%Z}
  time=${time%T*}T$(tr - : <<<"${time#*T}")Z
  GOBIN=$cache.new CGO_ENABLED=0 go install -trimpath \
    -ldflags "-s -w -X $own.Version=$time -X $own.ReleaseTag=RELEASE.$RELEASE -X $own.CopyrightYear=${RELEASE%%-*}" \
    "github.com/minio/minio@$REVISION"
  mv "$cache.new" "$cache"
fi
cp "$cache/minio" "$1/"
