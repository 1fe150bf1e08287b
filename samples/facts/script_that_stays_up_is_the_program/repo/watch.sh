#!/bin/bash
# Runs until it is stopped.
. ./settings.sh

pack() {
    local name
    name="$(date +%s)-$(uuidgen)"
    7z a "archive/$name.7z" "$1" >/dev/null && rm "$1"
    echo "$name" >> arrivals.csv
}

inotifywait -m -e close_write --format '%w%f' "${INBOX:-inbox}" | while read -r file; do
    pack "$file"
    curl -fsS "${HOOK_URL:?where to tell}" -d "$file" || echo "$file" >> failed.log
done
