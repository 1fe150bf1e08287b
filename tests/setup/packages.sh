#!/usr/bin/env bash
# Installs what building and testing longshore needs from the system, where it is missing. Rust itself is up to you:
# rust-version in Cargo.toml says which.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. tests/setup/apt.sh

missing=()
need() { # PROGRAM PACKAGE
  command -v "$1" >/dev/null || missing+=("$2")
}
need cc build-essential
need curl curl
need git git
need pkg-config pkg-config
need python3 python3
need update-ca-certificates ca-certificates
[ ${#missing[@]} = 0 ] || apt_install "${missing[@]}"
