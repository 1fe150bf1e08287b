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
      buildpack-deps:*) check "$image" buildpack_deps_works ;;
      golang:*) check "$image" go_works ;;
      php:*) check "$image" php_works ;;
      composer:*) check "$image" composer_works ;;
      eclipse-temurin:*) check "$image" java_works ;;
      maven:*) check "$image" maven_works ;;
      tomcat:*) check "$image" tomcat_works ;;
      ruby:*) check "$image" ruby_works ;;
      perl:*) check "$image" perl_works ;;
      elixir:*) check "$image" elixir_works ;;
      rust:*) check "$image" rust_works ;;
      rabbitmq:*) check "$image" rabbitmq_works ;;
      memcached:*) check "$image" memcached_works ;;
      mongo:*) check "$image" mongo_works ;;
      apache/kafka:*) check "$image" kafka_works ;;
      axllent/mailpit:*) check "$image" mailpit_works ;;
      bitnamilegacy/openldap:*) check "$image" openldap_works ;;
      minio/minio:*) check "$image" minio_works ;;
      softwaremill/elasticmq:*) check "$image" elasticmq_works ;;
      elasticsearch:*) check "$image" elasticsearch_works ;;
      opensearchproject/opensearch:*) check "$image" opensearch_works ;;
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

# What installs of old applications compile against.
buildpack_deps_works() {
  run "$1" bash -euc '
    cd /tmp
    printf "#include <libpq-fe.h>\n#include <mysql.h>\n#include <libxml/parser.h>\nint main(void) { return PQlibVersion() == 0; }\n" >check.c
    gcc -I/usr/include/libxml2 $(mysql_config --cflags) -I$(pg_config --includedir) check.c -o check $(mysql_config --libs) -lpq -lxml2
    ./check
    git --version'
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

go_works() {
  run "$1" bash -euc '
    [[ $PWD == /go && $(go env GOPATH) == /go && $(go env GOTOOLCHAIN) == local ]]
    mkdir /app && cd /app
    go mod init tiny
    go get github.com/google/uuid@v1.6.0
    printf "%s\n" "package main" "// #include <stdlib.h>" "import \"C\"" "import \"github.com/google/uuid\"" \
      "func main() { println(uuid.NewString(), C.abs(-3)) }" >main.go
    go build . && ./tiny'
  installs_packages "$1"
}

php_works() {
  local version=${1#php:}
  run --env VERSION="${version%%-*}" "$1" bash -euc '
    [[ $VERSION == 8.3 || $(php --version) == "PHP $VERSION."* ]]
    loaded() { php -m | grep --quiet --line-regexp "$1"; }
    for name in curl mbstring pdo_sqlite xml; do loaded $name; done
    for name in mysqli pdo_mysql bcmath exif gd intl zip; do ! loaded $name || exit 1; done
    docker-php-ext-install -j2 mysqli pdo_mysql bcmath exif
    for name in mysqli pdo_mysql bcmath exif; do loaded $name; done
    ! docker-php-ext-install zip || exit 1
    ! docker-php-ext-install nosuch || exit 1
    apt-get update -qq && apt-get install -qq --yes --no-install-recommends libzip-dev >/dev/null
    docker-php-ext-configure zip && docker-php-ext-install zip && loaded zip
    pecl install redis && docker-php-ext-enable redis && loaded redis
    a2enmod rewrite headers expires'
  installs_packages "$1"

  serve "$1" --user 33:33 "${restricted[@]}" --tmpfs /var/run/apache2:mode=1777 --tmpfs /var/lock/apache2:mode=1777 \
    --tmpfs /var/www/html:mode=1777
  docker exec "$server" sh -c 'echo "<?php session_start(); echo 6 * 7;" >index.php'
  wait_for docker exec "$server" curl --fail http://127.0.0.1/
  [ "$(docker exec "$server" curl --fail --silent http://127.0.0.1/index.php)" = 42 ]
  stops_fast
}

# What other images copy is this one file; the oldest and the newest PHP must run it.
composer_works() {
  local php
  for php in php:7.4-apache-bullseye php:8.4-apache-bookworm; do
    run --entrypoint cat "$1" /usr/bin/composer | run --interactive "$php" sh -euc '
      cat >/usr/bin/composer && chmod +x /usr/bin/composer
      mkdir -p tiny
      echo "{\"name\": \"a/tiny\", \"version\": \"1.0.0\"}" >tiny/composer.json
      echo "{\"require\": {\"a/tiny\": \"*\"}, \"repositories\": [{\"type\": \"path\", \"url\": \"tiny\"}, {\"packagist.org\": false}]}" \
        >composer.json
      composer install --no-dev --no-interaction --optimize-autoloader
      composer check-platform-reqs
      php -r "require \"vendor/autoload.php\";"'
  done
}

java_works() {
  local version=${1#eclipse-temurin:}
  run --env VERSION="${version%%-*}" "$1" bash -euc '
    [[ $(java -version 2>&1) =~ \"(1\.)?$VERSION\. && -x $JAVA_HOME/bin/java ]]
    curl --version
    if [[ $0 == *jdk* ]]; then
      cd /tmp && echo "class A { public static void main(String[] a) { System.out.println(1); } }" >A.java
      javac A.java && java A
    fi' "$1"
  installs_packages "$1"
}

maven_works() {
  run "$1" bash -euc '
    [[ $(mvn --version) == *"Apache Maven 3.9."* ]]
    mkdir -p /app/src/main/java && cd /app
    echo "class A { org.slf4j.Logger a; }" >src/main/java/A.java
    echo "<project><modelVersion>4.0.0</modelVersion><groupId>g</groupId><artifactId>a</artifactId><version>1</version>
      <properties><maven.compiler.source>1.8</maven.compiler.source><maven.compiler.target>1.8</maven.compiler.target>
      </properties><dependencies><dependency><groupId>org.slf4j</groupId><artifactId>slf4j-api</artifactId>
      <version>1.7.36</version></dependency></dependencies></project>" >pom.xml
    mvn --batch-mode --quiet package
    jar tf target/a-1.jar | grep --quiet A.class'
  installs_packages "$1"
}

tomcat_works() {
  local folder
  local -a writable=()
  for folder in webapps work temp logs conf/Catalina; do
    writable+=(--tmpfs "/usr/local/tomcat/$folder:uid=10001")
  done
  serve "$1" --user 10001:10001 "${restricted[@]}" "${writable[@]}"
  docker exec "$server" sh -c 'mkdir webapps/ROOT && echo "<%= 6 * 7 %>" >webapps/ROOT/index.jsp'
  wait_for docker exec "$server" curl --fail http://127.0.0.1:8080/
  [ "$(docker exec "$server" curl --fail --silent http://127.0.0.1:8080/)" = 42 ]
  installs_packages "$1"
}

# No registry of gems is asked: some machines reach none.
perl_works() {
  run "$1" sh -c 'perl -MTime::HiRes -e1 && cpanm --version && cpanm --notest --local-lib-contained /tmp/modules Mojolicious &&
    perl -I/tmp/modules/lib/perl5 -MMojolicious -e "print Mojolicious->VERSION"'
}

elixir_works() {
  run "$1" sh -c 'cd /tmp && mix new buoy && cd buoy && MIX_ENV=prod mix release --quiet && _build/prod/rel/buoy/bin/buoy eval "IO.puts(6 * 7)" | grep 42'
}

ruby_works() {
  local version=${1#ruby:}
  run --env VERSION="${version%%-*}" "$1" bash -euc '
    [[ $(ruby --version) == "ruby $VERSION."* && $(command -v bundle) == /usr/local/bin/bundle ]]
    apt-get update -qq
    apt-get install -qq --yes --no-install-recommends gcc libc6-dev make >/dev/null
    cd /tmp && touch Gemfile
    bundle exec ruby -ropenssl -rjson -ryaml -e "exit"
    echo "require \"mkmf\"; create_makefile(\"tiny\")" >extconf.rb
    printf "%s\n" "#include <ruby.h>" "void Init_tiny(void) { rb_define_global_const(\"TINY\", INT2FIX(3)); }" >tiny.c
    ruby extconf.rb && make
    [ "$(ruby -I. -rtiny -e "print TINY")" = 3 ]'
  installs_packages "$1"
}

rust_works() {
  run --user 10001:10001 "$1" bash -euc '
    cd /tmp && cargo new tiny && cd tiny
    printf "%s\n" "itoa = \"1\"" "libsqlite3-sys = \"0.30\"" >>Cargo.toml
    cargo build --release && ./target/release/tiny'
  installs_packages "$1"
}

rabbitmq_works() {
  serve "$1" --env RABBITMQ_DEFAULT_USER=anna --env RABBITMQ_DEFAULT_PASS='a b' --env RABBITMQ_DEFAULT_VHOST=shop
  wait_for docker exec "$server" rabbitmq-diagnostics -q ping
  wait_for docker exec "$server" rabbitmqctl -q authenticate_user anna 'a b'
  [[ $(docker exec "$server" rabbitmqctl -q list_vhosts) == *shop* ]]
  stops_fast

  serve "$1" --user 999:999 "${restricted[@]}" --tmpfs /var/lib/rabbitmq:uid=999 --tmpfs /var/log/rabbitmq:uid=999
  wait_for docker exec "$server" rabbitmq-diagnostics -q check_port_connectivity
  installs_packages "$1"
}

memcached_works() {
  serve "$1" "${restricted[@]}"
  wait_for run debian:bookworm-slim bash -c \
    'exec 3<>/dev/tcp/server/11211 && printf "version\r\nquit\r\n" >&3 && grep --quiet VERSION <&3'
  [ "$(docker exec "$server" id --user)" = 11211 ]
  stops_fast
  installs_packages "$1"
}

mongo_works() {
  serve "$1" --user 999:999 "${restricted[@]}" --tmpfs /data/db:uid=999 --tmpfs /data/configdb:uid=999
  wait_for docker exec "$server" sh -c "mongosh --quiet --eval \"db.adminCommand('ping').ok\" || mongo --quiet --eval \"db.adminCommand('ping').ok\""
  docker stop --time 10 "$server"
}

kafka_works() {
  serve "$1" --env KAFKA_NODE_ID=1 --env KAFKA_PROCESS_ROLES=broker,controller \
    --env KAFKA_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093 --env KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://server:9092 \
    --env KAFKA_CONTROLLER_LISTENER_NAMES=CONTROLLER --env KAFKA_CONTROLLER_QUORUM_VOTERS=1@localhost:9093 \
    --env KAFKA_LISTENER_SECURITY_PROTOCOL_MAP=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT \
    --env KAFKA_LOG_DIRS=/var/lib/kafka/data "${restricted[@]}" --tmpfs /opt/kafka/config:uid=1000 \
    --tmpfs /opt/kafka/logs:uid=1000 --tmpfs /var/lib/kafka/data:uid=1000
  wait_for docker exec "$server" /opt/kafka/bin/kafka-broker-api-versions.sh --bootstrap-server 127.0.0.1:9092
}

mailpit_works() {
  serve "$1" --env MP_SMTP_AUTH_ACCEPT_ANY=1 --env MP_SMTP_AUTH_ALLOW_INSECURE=1 --user 10001:10001 "${restricted[@]}"
  wait_for docker exec "$server" /mailpit readyz
  run python:3.11-slim-bookworm python -c '
import smtplib, urllib.request
with smtplib.SMTP("server", 1025) as smtp:
    smtp.login("any", "one")
    smtp.sendmail("a@example.org", ["b@example.org"], "Subject: hello\n\nthere")
assert b"b@example.org" in urllib.request.urlopen("http://server:8025/api/v1/messages").read()'
}

openldap_works() {
  serve "$1" --env LDAP_ADMIN_PASSWORD=secret --env LDAP_ROOT=dc=shop,dc=example --cap-drop ALL --security-opt no-new-privileges
  wait_for docker exec "$server" ldapsearch -x -H ldap://127.0.0.1:1389 -s base -b ''
  docker exec "$server" ldapwhoami -x -H ldap://127.0.0.1:1389 -D cn=admin,dc=shop,dc=example -w secret
}

# A folder of the data is a bucket. boto3 asks as applications do.
minio_works() {
  serve "$1" --env MINIO_ROOT_USER=anna --env MINIO_ROOT_PASSWORD='a b c d e' --user 1000:1000 "${restricted[@]}" \
    --tmpfs /data:uid=1000 --entrypoint sh -- -c 'mkdir -p /data/photos && exec minio server /data'
  wait_for docker exec "$server" curl -fsS http://127.0.0.1:9000/minio/health/live
  asks_by_boto3 '
s3 = boto3.client("s3", endpoint_url="http://server:9000")
assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["photos"]
s3.put_object(Bucket="photos", Key="a", Body=b"1")
assert s3.get_object(Bucket="photos", Key="a")["Body"].read() == b"1"'
  stops_fast
  serve "$1" --env MINIO_ROOT_USER=anna --env MINIO_ROOT_PASSWORD=secret123 -- server /data
  wait_for docker exec "$server" curl -fsS http://127.0.0.1:9000/minio/health/live
}

elasticmq_works() {
  serve "$1" --env JAVA_OPTS='-Dnode-address.host=* -Dqueues.orders.fifo=false' --user 1001:0 "${restricted[@]}"
  wait_for docker exec "$server" bash -c 'exec 3<>/dev/tcp/127.0.0.1/9324'
  asks_by_boto3 '
sqs = boto3.client("sqs", endpoint_url="http://server:9324")
url = sqs.get_queue_url(QueueName="orders")["QueueUrl"]
assert url.startswith("http://server:9324/"), url
sqs.send_message(QueueUrl=url, MessageBody="hello")
assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "hello"'
}

elasticsearch_works() {
  searches "$1" --env xpack.security.enabled=false --env ES_JAVA_OPTS='-Xms512m -Xmx512m'
}

opensearch_works() {
  searches "$1" --env DISABLE_SECURITY_PLUGIN=true --env OPENSEARCH_JAVA_OPTS='-Xms512m -Xmx512m'
}

searches() {
  local books=http://127.0.0.1:9200/books
  serve "$1" --env discovery.type=single-node --env cluster.routing.allocation.disk.threshold_enabled=false \
    --user 1000:1000 --memory 1g --cap-drop ALL --security-opt no-new-privileges --tmpfs /tmp "${@:2}"
  wait_for docker exec "$server" curl -fsS http://127.0.0.1:9200/_cluster/health
  docker exec "$server" curl -fsS -X PUT -H 'content-type: application/json' -d '{"title": "The Shore"}' "$books/_doc/1?refresh=true"
  [[ $(docker exec "$server" curl -fsS "$books/_search?q=title:shore") == *'"The Shore"'* ]]
  [[ $(docker exec "$server" curl -fsS http://127.0.0.1:9200/) == *'"number"'* ]]
}

# asks_by_boto3 LINES: as the user anna.
asks_by_boto3() {
  run --env AWS_ACCESS_KEY_ID=anna --env AWS_SECRET_ACCESS_KEY='a b c d e' --env AWS_DEFAULT_REGION=us-east-1 \
    python:3.11-slim-bookworm sh -euc 'pip install --quiet boto3 && python -c "import boto3$0"' "$1"
}

# tini, for one.
installs_packages() {
  run --user 0:0 --entrypoint sh "$1" -euc '
    apt-get update -qq
    apt-get install -qq --yes --no-install-recommends tini >/dev/null
    rm -rf /var/lib/apt/lists/*
    tini --version'
}

# What the manifests ask of every container.
restricted=(--read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges)

run() {
  docker run --rm --label $mark --network $mark "$@"
}

# serve IMAGE OPTION... [-- WORD...]: starts it in the place of the server before; WORDs are its command.
serve() {
  local image=$1
  local -a options=()
  shift
  while [ $# -gt 0 ] && [ "$1" != -- ]; do
    options+=("$1")
    shift
  done
  [ -z "${server:-}" ] || docker rm --force --volumes "$server"
  server=$(docker run --detach --label $mark --network $mark --network-alias server "${options[@]}" "$image" "${@:2}")
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
