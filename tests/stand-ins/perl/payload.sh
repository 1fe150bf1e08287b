#!/usr/bin/env bash
# payload.sh INTO: gives packages of SUITE a cache of their own. Older BuildKits fill no variables into a mount's id.
set -euo pipefail
sed -i "s/longshore-apt-bookworm/longshore-apt-$SUITE/" "$1/Dockerfile"
