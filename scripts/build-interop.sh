#!/usr/bin/env bash
# Builds the programs of Tests/Interop into .build/interop: a Python environment with stubs, and the Go programs.
# Does nothing when neither their sources nor Protos/ have changed. Needs scripts/setup.sh test.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/progress.sh"
cd "$repo"

out=$repo/.build/interop
protos=(
  eigenlayer/hourglass/v1/common/auth.proto eigenlayer/hourglass/v1/executor.proto
  eigenlayer/hourglass/v1/performer/performer.proto grpc/health/v1/health.proto
)

# fingerprint FILE…: one hash of many files.
fingerprint() { find "$@" -type f | sort | xargs cat | sha256sum | cut -d ' ' -f 1; }

# The wheels, checked by hash, and stubs from Protos/.
build_python() {
  rm -rf "$out/python"
  /usr/bin/python3 -m venv "$out/python"
  "$out/python/bin/python" -m pip install --disable-pip-version-check --only-binary=:all: --require-hashes \
    --requirement Tests/Interop/python/requirements.txt
  mkdir "$out/python/stubs"
  "$out/python/bin/python" -m grpc_tools.protoc --proto_path=Protos \
    --python_out="$out/python/stubs" --grpc_python_out="$out/python/stubs" "${protos[@]}"
}

# Without modules: Debian's packages are the GOPATH, after a GOPATH of ours that holds the stubs and the sources.
build_go() {
  local program proto
  rm -rf "$out/go"
  mkdir -p "$out/go/src/ponos.test" "$out/go/bin"
  # One at a time: this plug-in takes the files of one Go package per run.
  for proto in "${protos[@]}"; do
    protoc --proto_path=Protos --go_out="plugins=grpc:$out/go/src" "$proto"
  done
  cp -R Tests/Interop/go "$out/go/src/ponos.test/interop"
  for program in submit performer transport; do
    GO111MODULE=off GOFLAGS='' GOPATH="$out/go:/usr/share/gocode" CGO_ENABLED=0 \
      go build -ldflags=-s -o "$out/go/bin/$program" "ponos.test/interop/$program"
  done
}

# build NAME TEXT SOURCES…: unless the sources are those of the last time.
build() {
  local name=$1 text=$2 now
  shift 2
  now=$(fingerprint "$@")
  if [ "$(cat "$out/$name.built" 2>/dev/null)" = "$now" ]; then return; fi
  rm -f "$out/$name.built"
  long "interop-$name" "$text" "build_$name"
  echo "$now" >"$out/$name.built"
}

mkdir -p "$out"
build python "building the Python programs of Tests/Interop" Protos scripts/build-interop.sh Tests/Interop/python/requirements.txt
build go "building the Go programs of Tests/Interop" Protos scripts/build-interop.sh Tests/Interop/go
