#!/usr/bin/env bash
# payload.sh INTO: copies this machine's Rust to INTO/payload, without documentation. Exits with 3 where there is none.
set -euo pipefail
command -v cargo >/dev/null || { echo "Rust is not installed" >&2; exit 3; }
mkdir "$1/payload"
tar -C "$(rustc --print sysroot)" -c --exclude='bin/*analyzer*' --exclude='bin/*miri*' --exclude=lib/rustlib/src bin lib |
  tar -C "$1/payload" -x
chmod -R a+w "$1/payload"
