#!/usr/bin/env bash
# Installs podman, by which `longshore verify --manifests` runs the manifests; does nothing where it is there.
#
# catatonit is the first process of its pods, and containernetworking-plugins are their networks. A machine that may not
# raise its limits, such as a container, needs smaller ones than podman's: target/setup/containers.conf, for CONTAINERS_CONF.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. tests/setup/apt.sh

command -v podman >/dev/null || apt_install podman catatonit containernetworking-plugins iptables
cat >target/setup/containers.conf <<'CONF'
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
CONF
podman --version >&2
