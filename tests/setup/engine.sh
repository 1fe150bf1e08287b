#!/usr/bin/env bash
# Makes a Docker engine reachable, for `longshore convert --verify` and the engine tests.
#
# An engine that answers, local or at DOCKER_HOST, is left as it is. Otherwise Debian's docker.io is installed and one
# dockerd started in the background. It outlives this script; its log is target/setup/dockerd.log.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. tests/setup/apt.sh

log=target/setup/dockerd.log
patience=60 # seconds

main() {
  if answers; then return; fi
  if [ -n "${DOCKER_HOST:-}" ]; then
    fail "no Docker engine answers at DOCKER_HOST=$DOCKER_HOST" "start it, or unset DOCKER_HOST to use an engine on this machine"
  fi
  exec 9>target/setup/engine.lock
  flock 9
  if is_running && wait_for_answer; then return; fi
  if is_running; then
    fail "a dockerd is running but does not answer: $(docker version 2>&1 | tail -n 1)" \
      "if permission is denied, add yourself to the group \`docker\` or run this as root"
  fi

  apt_install docker.io
  # From trixie on, Debian has the client in a package of its own.
  command -v docker >/dev/null || apt_install docker-cli
  if ! is_running; then # where packages may start services, the engine is already there
    start
  fi
  wait_for_answer || fail "dockerd does not answer after $patience seconds" "its log, $log, ends with:" "$(tail -n 20 "$log")"
}

answers() {
  timeout 10 docker version --format '{{.Server.Version}}' >/dev/null 2>&1
}

# A second dockerd would delete the first one's bridge, so a process counts even if it does not answer yet.
is_running() {
  grep --quiet --no-messages --line-regexp dockerd /proc/[0-9]*/comm
}

start() {
  if [ -d /run/systemd/system ]; then
    as_root systemctl start docker
  else
    as_root setsid --fork dockerd --group "$(id -gn)" >"$log" 2>&1 </dev/null 9>&-
  fi
}

wait_for_answer() {
  local tries
  for ((tries = 0; tries < patience * 2; tries++)); do
    if answers; then return; fi
    sleep 0.5
  done
  return 1
}

fail() {
  printf 'error: %s\n' "$1" >&2
  shift
  printf '  %s\n' "$@" >&2
  exit 3
}

main
echo "Docker engine $(docker version --format '{{.Server.Version}}') answers" >&2
