#!/usr/bin/env bash
# Fetches what Debian's suites hold, for tests/debian.rs, to target/debian/:
#
#   SUITE.packages   name, a tab, what it depends on: names separated by blanks
#   SUITE.contents   file, blanks, packages: headers, libraries, commands and modules of pkg-config, Perl and Python; for bookworm only
#
# Lists that are younger than a day stay.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. tests/setup/apt.sh

into=target/debian
suites=(bullseye bookworm trixie)

main() {
  local suite
  mkdir -p $into
  for suite in "${suites[@]}"; do
    is_fresh "$into/$suite.packages" || packages "$suite"
  done
  is_fresh $into/bookworm.contents || contents bookworm
}

is_fresh() {
  [ -n "$(find "$1" -mmin -1440 -size +0 2>/dev/null)" ]
}

packages() {
  local suite=$1
  local state=$PWD/target/setup/apt-lists-$suite
  local -a options=(
    -o Dir::Etc::SourceList="$state/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null
    -o Dir::State="$state" -o Dir::State::Status="$state/status" -o Dir::Cache="$state/cache"
    -o Acquire::Languages=none -o APT::Sandbox::User="$(id -un)"
  )
  mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
  touch "$state/status"
  apt_sources "$suite" >"$state/sources.list"
  apt-get "${options[@]}" update -qq
  apt-cache "${options[@]}" dumpavail | awk '
    /^Package: /                 { name = $2; needs = "" }
    /^(Pre-)?Depends: /          { sub(/^[^:]*: /, ""); count = split($0, parts, /, */)
                                   for (i = 1; i <= count; i++) { split(parts[i], one, /[ (:|]/); needs = needs " " one[1] } }
    /^$/ && name                 { print name "\t" substr(needs, 2); name = "" }
  ' >"$into/$suite.packages.part"
  mv "$into/$suite.packages.part" "$into/$suite.packages"
}

contents() {
  local suite=$1 server architecture
  server=$(apt_sources "$suite" | sed -nE "s/^deb .*\] (.*) $suite main\$/\1/p" | head -n 1)
  for architecture in "$(dpkg --print-architecture)" all; do
    /usr/lib/apt/apt-helper download-file "${server%/}/dists/$suite/main/Contents-$architecture.gz" \
      "$into/Contents-$architecture.gz" >target/setup/contents.log 2>&1 || {
      cat target/setup/contents.log >&2
      return 1
    }
    zcat "$into/Contents-$architecture.gz"
    rm "$into/Contents-$architecture.gz"
  done | LC_ALL=C grep -E '^(usr/)?(s?bin/|games/|lib/.*\.so|lib/.*/pkgconfig/|include/|lib/python3/dist-packages/[^/]*/__init__\.py|lib/[^/]*/perl5/.*\.pm|share/perl5/.*\.pm)|^usr/share/pkgconfig/' \
    >"$into/$suite.contents.part"
  mv "$into/$suite.contents.part" "$into/$suite.contents"
}

main
