#!/usr/bin/env bash
# payload.sh INTO: writes mongo-java-server, from Maven Central, with what it needs to INTO/lib.
set -euo pipefail
. tests/setup/apt.sh
cache=$PWD/target/stand-ins/mongo-$MONGO_JAVA_SERVER

if [ ! -d "$cache" ]; then
  apt_install maven
  cat >"$1/pom.xml" <<POM
<project><modelVersion>4.0.0</modelVersion><groupId>stand-in</groupId><artifactId>mongo</artifactId><version>1</version>
<dependencies><dependency><groupId>de.bwaldvogel</groupId><artifactId>mongo-java-server</artifactId>
<version>$MONGO_JAVA_SERVER</version></dependency></dependencies></project>
POM
  mvn --batch-mode --quiet --file "$1/pom.xml" dependency:copy-dependencies -DoutputDirectory="$cache"
fi
cp -r "$cache" "$1/lib"
