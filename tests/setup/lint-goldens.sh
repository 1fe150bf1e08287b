#!/usr/bin/env bash
# Asks other people's tools whether generated files are right: hadolint, docker-compose, kubectl's kustomize,
# kubernetes-validate and yamllint.
#
#   lint-goldens.sh [DIR...]    folders that longshore wrote; without any, samples/*/expected and samples/rendered/*/expected
#
# Prints what failed and a last line `N passed, N failed`. Fails too if a tool is missing (linters.sh installs them) or
# if there is nothing to lint. A finding can only be silenced in the generated file itself.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
PATH=$root/target/tools/bin:$PATH
kubernetes=1.31

main() {
  local tool folder
  local -a folders=("$@")
  for tool in hadolint docker-compose kubectl kubernetes-validate yamllint; do
    command -v $tool >/dev/null || fail "\`$tool\` is missing: run tests/setup/linters.sh"
  done
  shopt -s nullglob
  if [ $# = 0 ]; then
    folders=("$root"/samples/{,rendered/}*/expected)
  fi
  [ ${#folders[@]} -gt 0 ] || fail 'there is nothing to lint'
  for folder in "${folders[@]}"; do
    [ -d "$folder" ] || fail "\`$folder\` is not a folder"
  done

  # The folders are linted side by side, and each one's results are shown together.
  results=$(mktemp -d)
  trap 'rm -r "$results"' EXIT
  export -f lint_folder lint files_named dockerfile compose_file overlay yaml
  export PATH kubernetes results
  # shellcheck disable=SC2016
  printf '%s\0' "${folders[@]}" | xargs --null --max-procs="$(nproc)" --max-args=1 bash -c 'lint_folder "$1"' bash

  local -i passed failed
  passed=$(cat /dev/null "$results"/*.passed | wc -l)
  failed=$(cat /dev/null "$results"/*.failed | wc -l)
  [ $((passed + failed)) -gt 0 ] || fail 'there is nothing to lint'
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ]
}

lint_folder() {
  local folder=$1 file output
  output=$(mktemp -p "$results")
  {
    while read -r -d '' file; do lint "$file" dockerfile; done < <(files_named 'Dockerfile' '*.Dockerfile' 'Dockerfile.*')
    while read -r -d '' file; do lint "$file" compose_file; done < <(files_named 'compose.yaml')
    while read -r -d '' file; do lint "$file" overlay; done < <(files_named 'kustomization.yaml' | grep --null-data '/overlays/')
    while read -r -d '' file; do lint "$file" yaml; done < <(files_named '*.yaml' '*.yml')
  } >"$output"
  cat "$output"
}

files_named() {
  local name
  for name in "$@"; do
    find "$folder" -type f -name "$name" ! -name '*.dockerignore' -print0
  done | sort --zero-terminated
}

# lint FILE FUNCTION: counts the file, and shows what the function prints if it fails.
lint() {
  local findings
  if findings=$("$2" "$1" 2>&1); then
    echo "$1" >>"$output.passed"
  else
    echo "$1" >>"$output.failed"
    printf 'FAILED %s\n%s\n' "$1" "$findings"
  fi
}

dockerfile() {
  hadolint --no-color --config <(echo 'ignored: []') "$1"
}

# A compose.yaml refuses to start without its secrets: each name of the example gets a value.
compose_file() {
  local example secrets
  example=$(dirname "$1")/env/secrets.example.env
  secrets=$(mktemp -p "$results")
  [ ! -f "$example" ] || sed 's/^\([A-Za-z0-9_]*\)=$/\1=x/' "$example" >"$secrets"
  docker-compose --env-file "$secrets" --file "$1" config --quiet
}

# A kind that kubernetes-validate has no schema for is only a warning to it, but we write none of our own.
overlay() {
  local manifests findings
  manifests=$(mktemp -p "$results" --suffix=.yaml)
  kubectl kustomize "$(dirname "$1")" >"$manifests" || return
  if [ ! -s "$manifests" ]; then
    echo 'no resources'
    return 1
  fi
  findings=$(kubernetes-validate --kubernetes-version $kubernetes --strict --quiet "$manifests" 2>&1) && [ -z "$findings" ] && return
  echo "${findings//$manifests/$(dirname "$1")}"
  return 1
}

yaml() {
  # A start command or an address is as long as it is.
  yamllint --config-data '{extends: relaxed, rules: {line-length: disable}}' --format parsable --strict "$1"
}

fail() {
  echo "error: $1" >&2
  exit 1
}

main "$@"
