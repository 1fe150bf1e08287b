#!/usr/bin/env bash
# Proves that the base images do what generated files rely on, be they official or stand-ins.
#
#   check.sh [PATTERN]     only the images whose names contain PATTERN, such as `python` or `node:20`
#
# For whoever edits a stand-in; the engine tests use them without asking. Takes a few minutes: it compiles an extension in
# every Python and installs packages in every Node.js.

# The scripts in single quotes are for the shell in the container.
# shellcheck disable=SC2016
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

mark=io.longshore.stand-in.check # the label of everything started here
failures=0

main() {
  local image
  trap clean_up EXIT
  docker network create --label $mark $mark >/dev/null
  while read -r image _; do
    [[ -n $image && $image != \#* && $image == *"${1:-}"* ]] || continue
    case $image in
      python:*) check "$image" python_works ;;
      node:*) check "$image" node_works ;;
      postgres:*) check "$image" postgres_works ;;
      redis:*) check "$image" redis_works ;;
      mariadb:* | mysql:*) check "$image" mariadb_works ;;
      nginxinc/*) check "$image" nginx_works ;;
      debian:*) check "$image" debian_works ;;
    esac
  done <images
  [ $failures = 0 ]
}

# check IMAGE FUNCTION: what the function prints is shown only if it fails.
check() {
  local output status=0 start=$SECONDS
  # A function of which the status is asked for would go on after a failed command; a subshell in a substitution does not.
  set +e
  output=$(set -e; "$2" "$1" 2>&1)
  status=$?
  set -e
  if [ $status = 0 ]; then
    printf 'ok      %-42s %3s s\n' "$1" $((SECONDS - start))
  else
    printf 'FAILED  %s\n' "$1"
    tail -n 20 <<<"$output" | sed 's/^/        /'
    failures=$((failures + 1))
  fi
  docker ps --all --quiet --filter label=$mark | xargs --no-run-if-empty docker rm --force --volumes >/dev/null
}

clean_up() {
  docker ps --all --quiet --filter label=$mark | xargs --no-run-if-empty docker rm --force --volumes >/dev/null
  docker network rm $mark >/dev/null
}

debian_works() {
  run "$1" sh -euc '
    apt-get update -qq
    apt-get install -qq --yes --no-install-recommends ca-certificates >/dev/null
    test -s /etc/ssl/certs/ca-certificates.crt'
}

python_works() {
  local version=${1#python:}
  run --env VERSION="${version%%-*}" "$1" bash -euc '
    [[ $(python --version 2>&1) == "Python $VERSION."* ]]
    pip install --quiet itsdangerous && python -c "import itsdangerous"
    apt-get update -qq
    apt-get install -qq --yes --no-install-recommends gcc libc6-dev >/dev/null
    pip install --quiet setuptools wheel
    pip install --quiet --no-binary :all: --no-build-isolation "markupsafe<2.1"
    python -c "import markupsafe._speedups"
    if [[ $VERSION == 3.* ]]; then python -m venv /opt/venv && /opt/venv/bin/pip --version; fi'
}

node_works() {
  local major=${1#node:}
  run --env MAJOR="${major%%-*}" "$1" bash -euc '
    [[ $(node --version) == "v$MAJOR."* && $(id --user node) == 1000 ]]
    cd /tmp
    echo "{\"name\": \"tiny\", \"version\": \"1.0.0\", \"dependencies\": {\"ms\": \"2.1.3\"}}" >package.json
    npm install --package-lock-only
    npm ci && node -e "require(\"ms\")"
    rm -r node_modules && yarn install && node -e "require(\"ms\")"'
  [ "$(run "$1" -p 1+1)" = 2 ]
}

postgres_works() {
  serve "$1" --env POSTGRES_USER=anna --env POSTGRES_PASSWORD='a b' --env POSTGRES_DB=shop \
    --volume "$PWD/check.sql:/docker-entrypoint-initdb.d/check.sql:ro"
  wait_for docker exec "$server" pg_isready --host=127.0.0.1 --username=anna
  [ "$(run --env PGPASSWORD='a b' "$1" psql --host=server --username=anna shop -Atc 'SELECT n FROM checked')" = 42 ]
  stops_fast

  serve "$1" --env POSTGRES_PASSWORD=x --user 999:999 "${restricted[@]}" \
    --tmpfs /var/run/postgresql:uid=999 --tmpfs /var/lib/postgresql/data:uid=999
  wait_for docker exec "$server" pg_isready --host=127.0.0.1
}

redis_works() {
  serve "$1"
  wait_for docker exec "$server" redis-cli ping
  [ "$(run "$1" redis-cli -h server set a b)" = OK ]
  stops_fast

  serve "$1" --user 999:999 "${restricted[@]}" --tmpfs /data:uid=999
  wait_for docker exec "$server" redis-cli ping
}

mariadb_works() {
  local prefix=MARIADB
  [[ $1 == mariadb:* ]] || prefix=MYSQL
  serve "$1" --env ${prefix}_ROOT_PASSWORD="ro'ot" --env ${prefix}_USER=anna --env ${prefix}_PASSWORD=secret \
    --env ${prefix}_DATABASE=my_shop --volume "$PWD/check.sql:/docker-entrypoint-initdb.d/check.sql:ro"
  wait_for docker exec "$server" healthcheck.sh --connect --innodb_initialized
  docker exec "$server" mysqladmin --user=root --password="ro'ot" ping
  [ "$(run "$1" mysql --host=server --user=anna --password=secret my_shop -Ne 'SELECT n FROM checked')" = 42 ]
  stops_fast

  serve "$1" --env ${prefix}_ROOT_PASSWORD=x --user 999:999 "${restricted[@]}" \
    --tmpfs /run/mysqld:uid=999 --tmpfs /var/lib/mysql:uid=999
  wait_for docker exec "$server" healthcheck.sh --connect
}

nginx_works() {
  serve "$1" "${restricted[@]}"
  wait_for docker exec "$server" sh -c 'test -s /tmp/nginx.pid'
  docker exec "$server" bash -euc '
    exec 3<>/dev/tcp/127.0.0.1/8080
    printf "GET / HTTP/1.0\r\n\r\n" >&3
    read -r _ status _ <&3
    [ "$status" = 200 ] && [ "$(id --user)" = 101 ]'
  stops_fast
}

# What the manifests ask of every container.
restricted=(--read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges)

run() {
  docker run --rm --label $mark --network $mark "$@"
}

# serve IMAGE OPTION...: starts it in the place of the server before.
serve() {
  [ -z "${server:-}" ] || docker rm --force --volumes "$server"
  server=$(docker run --detach --label $mark --network $mark --network-alias server "${@:2}" "$1")
}

wait_for() {
  local tries
  for ((tries = 0; tries < 150; tries++)); do
    if "$@"; then return; fi
    sleep 0.2
  done
  docker logs "$server"
  return 1
}

stops_fast() {
  local start=$SECONDS
  docker stop --time 10 "$server"
  [ $((SECONDS - start)) -lt 5 ]
  [ "$(docker inspect --format '{{.State.ExitCode}}' "$server")" = 0 ]
}

main "$@"
