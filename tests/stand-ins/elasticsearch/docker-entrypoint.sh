#!/usr/bin/env bash
# Becomes the server.
set -euo pipefail
# Version 8 has users unless it is told otherwise.
if [ "$PRODUCT" = elasticsearch ]; then
  secured=false
  if [[ $VERSION == 8.* ]]; then secured=true; fi
  if [ "$(printenv xpack.security.enabled || echo $secured)" != false ]; then
    echo 'error: this stand-in for elasticsearch knows no users: set xpack.security.enabled=false' >&2
    exit 1
  fi
elif [ "${DISABLE_SECURITY_PLUGIN:-false}" != true ]; then
  echo 'error: this stand-in for opensearch knows no users: set DISABLE_SECURITY_PLUGIN=true' >&2
  exit 1
fi
where=(-cp "lib/*:classes")
if [[ $VERSION == 8.* ]]; then # its server insists on being a Java module
  where=(--module-path lib --add-modules=ALL-MODULE-PATH,jdk.net,jdk.unsupported -cp classes)
fi
# shellcheck disable=SC2086 # options, several of them
exec java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 ${ES_JAVA_OPTS:-${OPENSEARCH_JAVA_OPTS:-}} \
  "${where[@]}" SearchNode "$PWD"
