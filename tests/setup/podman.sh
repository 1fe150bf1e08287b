#!/usr/bin/env bash
# Installs podman, by which `longshore verify --manifests` runs the manifests; does nothing where it is there.
#
# catatonit is the first process of its pods; containernetworking-plugins and iptables are their networks. A podman that is
# not Debian's is left as it is.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. tests/setup/apt.sh

program=$(command -v podman || true)
if [ -z "$program" ] || dpkg-query --search "$program" >/dev/null 2>&1; then
  apt_install podman catatonit containernetworking-plugins iptables
fi
podman --version >&2
