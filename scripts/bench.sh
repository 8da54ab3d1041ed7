#!/usr/bin/env bash
# Builds everything in release mode and measures it, each figure beside its floor (docs/performance.md).
#
#   scripts/bench.sh [ARGUMENT…]     arguments of the benchmark program, e.g. crypto journal --rounds 3; --help lists them
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/progress.sh"
cd "$repo"
products=Benchmarks/.build/release

# The second half, with an engine in DOCKER_HOST.
with_engine() {
  scripts/build-performer-image.sh "$products/NoOpPerformer" ponos-bench/no-op:latest
  exec "$products/PonosBenchmarks" measure --json "$products/figures.json" "$@"
}

if [ "${1:-}" = --with-engine ]; then
  shift
  with_engine "$@"
fi
scripts/setup.sh build docker
# By product, as scripts/build.sh does and for its reason. The daemon is built as a dependency of the benchmarks.
for product in PonosBenchmarks NoOpPerformer; do
  long "build-$product" "building $product (release)" \
    swift build --configuration release --package-path Benchmarks --product "$product"
done
scripts/docker.sh run scripts/bench.sh --with-engine "$@"
