#!/usr/bin/env bash
set -euo pipefail

read -r method path _
while IFS= read -r line && [ "$line" != $'\r' ]; do :; done

list=${BUOYS:-buoys.json}
case "$method $path" in
  "GET /") status="200 OK" body="$(jq length "$list") buoys are out" ;;
  *) status="404 Not Found" body="nothing is here" ;;
esac
printf 'HTTP/1.0 %s\r\nContent-Type: text/plain\r\n\r\n%s\n' "$status" "$body"
