#!/usr/bin/env bash
# Builds everything in release mode and measures it, each figure beside its floor (docs/performance.md).
#
#   scripts/bench.sh [ARGUMENT…]            arguments of the benchmark program, e.g. crypto journal --rounds 3; --help lists them
#   scripts/bench.sh transport [ARGUMENT…]  the transport beside the library's and grpc-go (Benchmarks/Transport/README.md)
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/progress.sh"
cd "$repo"
products=Benchmarks/.build/release

# The second half, with an engine in DOCKER_HOST.
with_engine() {
  "$products/ponos-executor" performer image "$products/NoOpPerformer" ponos-bench/no-op:latest
  exec "$products/PonosBenchmarks" measure --json "$products/figures.json" "$@"
}

if [ "${1:-}" = --with-engine ]; then
  shift
  with_engine "$@"
fi
# By product and with a static runtime, as scripts/build.sh does and for its reasons. The daemon is built as a dependency of the benchmarks.
build() {
  long "build-$1" "building $1 (release)" swift build --configuration release --static-swift-stdlib --package-path Benchmarks --product "$1"
}

if [ "${1:-}" = transport ]; then
  shift
  scripts/setup.sh build test
  build TransportPeer
  # Without modules: Debian's packages are the GOPATH.
  GO111MODULE=off GOFLAGS='' GOPATH=/usr/share/gocode CGO_ENABLED=0 go build -o "$products/grpc-go-peer" ./Benchmarks/Transport/go
  exec Benchmarks/Transport/run.py "$@"
fi
scripts/setup.sh build docker bench
build PonosBenchmarks
build NoOpPerformer
scripts/setup.sh test
scripts/build-chain.sh
long build-task-peer "building the peer of whole tasks" Benchmarks/Peer/build.sh "$repo/$products/task-peer"
scripts/docker.sh run scripts/bench.sh --with-engine "$@"
