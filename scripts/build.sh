#!/usr/bin/env bash
# Builds products by name. A plain `swift build` would also build the tools of the packages we depend on, a whole protobuf
# compiler among them, which doubles the time of a first build and serves nothing here.
#
#   CONFIG=debug scripts/build.sh [programs|all]     all adds the tests (default: programs)
#
# Ends by saying what of its time other packages took: fetched, and compiled.
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
# Passes lines of the package manager on, and counts for whom the time before each of them went. Modules of ours have a folder here, or
# tests that begin with our name.
count_times() {
  local line module last=$SECONDS now fetched=0 foreign=0 own=0 ours
  ours=" $(find Sources Tests -mindepth 1 -maxdepth 1 -printf '%f ')PriceMedianPerformer SquarePerformer PonosFuzzing "
  while IFS= read -r line; do
    printf '%s\n' "$line"
    now=$SECONDS
    if [[ $line =~ ^(Fetch|Creating\ working|Working\ copy|Computing\ version|Updat) ]]; then
      fetched=$((fetched + now - last))
    elif [[ $line =~ ^\[[0-9]+/[0-9]+\]\ (Compiling|Emitting\ module)\ ([A-Za-z0-9_]+) ]]; then
      module=${BASH_REMATCH[2]}
      case "$ours" in *" $module "*) own=$((own + now - last)) ;; *) foreign=$((foreign + now - last)) ;; esac
    else
      own=$((own + now - last))
    fi
    last=$now
  done
  printf 'of %d s, %d s went to fetching packages and %d s to compiling them\n' $((fetched + foreign + own)) "$fetched" "$foreign"
}

for product in "${products[@]}"; do
  swift build "${options[@]}" --product "$product"
done 2>&1 | count_times
