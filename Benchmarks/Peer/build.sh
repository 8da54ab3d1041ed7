#!/usr/bin/env bash
# Builds the peer of the task benchmark into the file given, from Debian's packages: they are the GOPATH.
#
#   Benchmarks/Peer/build.sh FILE
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
GO111MODULE=off GOFLAGS='' GOPATH=/usr/share/gocode CGO_ENABLED=1 go build -o "$1" ./go
