#!/usr/bin/env bash
# Makes the chain of Tests/Chain ready in .build/chain: a Python environment with an EVM and a compiler, and the compiled contracts.
# Does nothing when their sources have not changed. Needs scripts/setup.sh test.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/progress.sh"
cd "$repo"

out=$repo/.build/chain

# The wheels, checked by hash.
build_python() {
  rm -rf "$out/python"
  /usr/bin/python3 -m venv "$out/python"
  # All of them are named; what else Vyper declares, it needs for its own packaging.
  "$out/python/bin/python" -m pip install --disable-pip-version-check --only-binary=:all: --require-hashes --no-deps \
    --requirement Tests/Chain/requirements.txt
}

build_contracts() {
  "$out/python/bin/python" Tests/Chain/evm.py >"$out/contracts.json.new"
  mv "$out/contracts.json.new" "$out/contracts.json"
}

# build NAME TEXT SOURCES…: unless the sources are those of the last time.
build() {
  local name=$1 text=$2 now
  shift 2
  now=$(cat "$@" | sha256sum | cut -d ' ' -f 1)
  if [ "$(cat "$out/$name.built" 2>/dev/null)" = "$now" ]; then return; fi
  rm -f "$out/$name.built"
  long "chain-$name" "$text" "build_$name"
  echo "$now" >"$out/$name.built"
}

mkdir -p "$out"
build python "installing the EVM of Tests/Chain" Tests/Chain/requirements.txt
build contracts "compiling the contracts of Tests/Chain" Tests/Chain/requirements.txt Tests/Chain/evm.py Tests/Chain/contracts/*.vy
