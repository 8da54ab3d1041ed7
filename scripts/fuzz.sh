#!/usr/bin/env bash
# Searches for inputs that bring a reader of outside bytes down: libFuzzer, guided by coverage (docs/testing.md).
#
#   scripts/fuzz.sh                       names the targets
#   scripts/fuzz.sh TARGET [OPTION…]      searches, e.g. scripts/fuzz.sh server-connection -max_total_time=60
#   scripts/fuzz.sh all [OPTION…]         one after the other
#
# New inputs go to .build-fuzz/corpus/TARGET, a crash to .build-fuzz/crashes; what is worth keeping is copied by hand to
# Tests/Fuzzing/Corpus/TARGET.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/progress.sh"
cd "$repo"
export PONOS_FUZZING=1
out=.build-fuzz

search() {
  local target=$1
  shift
  mkdir -p "$out/corpus/$target" "$out/crashes"
  step "searching: $target"
  FUZZ_TARGET=$target "$out/debug/PonosFuzz" -artifact_prefix="$out/crashes/$target-" -max_len=4096 -print_final_stats=1 "$@" \
    "$out/corpus/$target" "Tests/Fuzzing/Corpus/$target"
}

targets=$(ls Tests/Fuzzing/Corpus)
if [ $# -eq 0 ]; then
  echo "$targets"
  exit
fi
scripts/setup.sh build
long build-fuzz "building for libFuzzer" swift build --scratch-path "$out" --product PonosFuzz
name=$1
shift
if [ "$name" != all ]; then
  search "$name" "$@"
else
  for name in $targets; do search "$name" "$@"; done
fi
