#!/usr/bin/env bash
# payload.sh INTO: writes the release MAVEN, from Maven Central, to INTO/maven.tar.gz and names the cache of packages
# after SUITE.
set -euo pipefail
. tests/setup/apt.sh
archive=$PWD/target/stand-ins/maven/apache-maven-$MAVEN-bin.tar.gz

if [ ! -s "$archive" ]; then
  apt_install maven
  mvn --batch-mode --quiet dependency:copy -Dartifact="org.apache.maven:apache-maven:$MAVEN:tar.gz:bin" \
    -DoutputDirectory="${archive%/*}"
fi
cp "$archive" "$1/maven.tar.gz"
sed -i "s/longshore-apt-bookworm/longshore-apt-$SUITE/" "$1/Dockerfile"
