#!/usr/bin/env bash
# Builds the peers of the transport's interoperability tests into .build/interop/transport: a grpc-go program from
# Tests/Interop/transport-go (Debian's golang-go and golang-google-grpc-dev, without modules) and a Python environment with
# grpcio and h2. The tests run with those that are there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=$PWD/.build/interop/transport
mkdir -p "$out"

if command -v go >/dev/null && [ -d /usr/share/gocode/src/google.golang.org/grpc ]; then
  (cd Tests/Interop/transport-go && GO111MODULE=off GOFLAGS='' GOPATH=/usr/share/gocode go build -o "$out/transport-go" .)
else
  echo "no Go peer: install golang-go and golang-google-grpc-dev" >&2
fi

if [ ! -x "$out/python/bin/python" ]; then
  /usr/bin/python3 -m venv "$out/python"
fi
"$out/python/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary=:all: \
  --requirement Tests/Interop/transport-python/requirements.txt
