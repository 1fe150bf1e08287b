#!/bin/sh
# The tide tables are JSON.
printf 'Content-Type: text/plain\n\n'
jq -r '.[] | "\(.at) \(.height)"' ../lib/tides.json
