#!/usr/bin/env bash
# payload.sh INTO: copies pyenv's PYTHON to INTO/payload, without tests, packages and static libraries.
# Exits with 3 where there is none.
set -euo pipefail
into=$1

prefix=$(find "${PYENV_ROOT:-$HOME/.pyenv}/versions" -maxdepth 1 -name "$PYTHON.*" 2>/dev/null | sort -V | tail -n 1 || true)
if [ -z "$prefix" ]; then
  if [ "$PYTHON" = 3.11 ]; then # what bookworm has
    mv "$into/debian.Dockerfile" "$into/Dockerfile"
    exit
  fi
  echo "pyenv has no Python $PYTHON" >&2
  exit 3
fi

mkdir "$into/payload"
tar -C "$prefix" -c --exclude=site-packages/* --exclude={test,tests,idle_test,__pycache__} --exclude='*.py[co]' --exclude='*.a' \
  bin include lib | tar -C "$into/payload" -x
cd "$into/payload"
find bin -mindepth 1 ! -name 'python*' ! -name 'pydoc*' ! -name '2to3*' ! -name 'idle*' -delete
grep -rlIZ "$prefix" . | xargs -0 sed -i "s,$prefix,/usr/local,g"
# pyenv's own links are right but for Python 2, which has no python3.
[ -e bin/python ] || ln -s python3 bin/python
