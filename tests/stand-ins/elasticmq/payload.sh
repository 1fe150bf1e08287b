#!/usr/bin/env bash
# payload.sh INTO: writes ElasticMQ, from Maven Central, with what it needs to INTO/lib.
set -euo pipefail
. tests/setup/apt.sh
cache=$PWD/target/stand-ins/elasticmq-$ELASTICMQ

if [ ! -d "$cache" ]; then
  apt_install maven
  cat >"$1/pom.xml" <<POM
<project><modelVersion>4.0.0</modelVersion><groupId>stand-in</groupId><artifactId>elasticmq</artifactId><version>1</version>
<dependencies><dependency><groupId>org.elasticmq</groupId><artifactId>elasticmq-server_2.13</artifactId>
<version>$ELASTICMQ</version></dependency></dependencies></project>
POM
  mvn --batch-mode --quiet --file "$1/pom.xml" dependency:copy-dependencies -DoutputDirectory="$cache"
fi
cp -r "$cache" "$1/lib"
