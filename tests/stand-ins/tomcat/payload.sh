#!/usr/bin/env bash
# payload.sh INTO: writes the release TOMCAT, from Maven Central, to INTO/tomcat.tar.gz.
set -euo pipefail
. tests/setup/apt.sh
archive=$PWD/target/stand-ins/maven/tomcat-$TOMCAT.tar.gz

if [ ! -s "$archive" ]; then
  apt_install maven
  mvn --batch-mode --quiet dependency:copy -Dartifact="org.apache.tomcat:tomcat:$TOMCAT:tar.gz" \
    -DoutputDirectory="${archive%/*}"
fi
cp "$archive" "$1/tomcat.tar.gz"
