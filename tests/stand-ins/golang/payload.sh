#!/usr/bin/env bash
# payload.sh INTO: copies this machine's Go to INTO/payload. Exits with 3 where there is none.
set -euo pipefail
command -v go >/dev/null || { echo "Go is not installed" >&2; exit 3; }
mkdir "$1/payload"
cp -r "$(go env GOROOT)"/{bin,pkg,src,lib,VERSION,go.env} "$1/payload"
