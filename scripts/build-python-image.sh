#!/usr/bin/env bash
# Packs a Python program, Debian's interpreter and the parts of the standard library that a server may need into a Docker image with
# nothing else in it.
#
#   scripts/build-python-image.sh PROGRAM.py IMAGE[:TAG]
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/progress.sh"

[ $# -eq 2 ] || fail "usage: scripts/build-python-image.sh PROGRAM.py IMAGE[:TAG]"
python=$(readlink -f /usr/bin/python3)
library=/usr/lib/$(basename "$python")
[ -d "$library" ] || fail "no $library: install it first (scripts/setup.sh build)"

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/app" "$root$library"
cp "$1" "$root/app/performer.py"
# Left out: what installs, tests, draws or documents. Compiled files as well: they name the times of files, which images do not keep.
tar --create --directory "$library" --exclude=__pycache__ --exclude='config-*' --exclude='_tkinter*' --exclude='_curses*' \
  --exclude=./dist-packages --exclude=./distutils --exclude=./ensurepip --exclude=./idlelib --exclude=./lib2to3 \
  --exclude=./pydoc_data --exclude=./test --exclude=./tkinter --exclude=./turtledemo --exclude=./unittest . \
  | tar --extract --directory "$root$library"
"$repo/.build/${CONFIG:-debug}/ponos-executor" performer image "$python" "$2" --files "$root" -- -I -B /app/performer.py
