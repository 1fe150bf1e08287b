#!/usr/bin/env bash
# Answers each connection with respond.sh.
set -euo pipefail
cd "$(dirname "$0")"

port=${PORT:-8085}
echo "listening on $port"
socat "TCP-LISTEN:$port,reuseaddr,fork" EXEC:./respond.sh
