#!/usr/bin/env bash
# Builds products by name. A plain `swift build` would also build the tools of the packages we depend on, a whole protobuf
# compiler among them, which doubles the time of a first build and serves nothing here.
#
#   CONFIG=debug scripts/build.sh [programs|all]     all adds the tests (default: programs)
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/progress.sh"
cd "$repo"

products=(ponos-executor SquarePerformer PriceMedianPerformer)
options=(--configuration "${CONFIG:-debug}")
if [ "${1:-programs}" = all ]; then
  products+=(ScriptedPerformer ponos-executorPackageTests)
elif [ "${CONFIG:-debug}" = release ]; then
  # Programs that need no Swift toolchain beside them, and take up to a quarter less processor time for a call: calls into the runtime go straight.
  options+=(--static-swift-stdlib)
fi
for product in "${products[@]}"; do
  swift build "${options[@]}" --product "$product"
done
