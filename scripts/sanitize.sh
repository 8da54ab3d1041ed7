#!/usr/bin/env bash
# Runs the tests of the gRPC transport under a sanitizer (docs/testing.md). The first build takes several minutes.
#
#   scripts/sanitize.sh [thread|address] [REGEX]     thread, and all tests of the transport, unless given
#
# The build goes to .build-SANITIZER, next to the one that `make test` uses. The whole output stays in .build/sanitize-SANITIZER.log.
# Fails when a test fails or the sanitizer reports anything. The foreign peers of the suites are built as well; they are not sanitized.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/progress.sh"
cd "$repo"
sanitizer=${1:-thread}
filter=${2:-PonosTransportTests}
case $sanitizer in
  thread | address) export PONOS_SANITIZER=$sanitizer ;;
  *) fail "no such sanitizer: $sanitizer (thread or address)" ;;
esac
# By product, as scripts/build.sh does and for its reason.
options=(--sanitize "$sanitizer" --scratch-path ".build-$sanitizer")
output=.build/sanitize-$sanitizer.log

scripts/setup.sh build test
scripts/build-interop.sh
long "build-$sanitizer" "building the transport and its tests for the $sanitizer sanitizer" \
  swift build "${options[@]}" --product ponos-executorPackageTests
step "running the tests that match $filter"
# What takes long in proportion to its size, and shows no more races for it.
export TRANSPORT_IDLE_CONNECTIONS=${TRANSPORT_IDLE_CONNECTIONS:-500} TRANSPORT_MUTATIONS=${TRANSPORT_MUTATIONS:-30}
# A report ends nothing, so that one run shows all of them; it makes the run fail at its end.
export TSAN_OPTIONS="suppressions=$repo/scripts/thread-sanitizer.txt ${TSAN_OPTIONS:-}"
# What lives as long as the process counts as leaked at its end, Foundation's and swift-nio's included. Whether memory grows is for the soak
# to show (Benchmarks/Transport/README.md).
export ASAN_OPTIONS="detect_leaks=0 ${ASAN_OPTIONS:-}"
status=0
swift test "${options[@]}" --skip-build --no-parallel --filter "$filter" >"$output" 2>&1 || status=$?
reports=$(grep -c '^SUMMARY: .*Sanitizer' "$output") || true
grep -aE '^✘ .*recorded an issue|^↳|^SUMMARY: |Test run with' "$output" | cut -c 1-300 | sort | uniq -c | sort -rn | head -n 40 || true
step "$reports reports of the $sanitizer sanitizer; all of the output: $output"
[ "$status" = 0 ] && [ "$reports" = 0 ]
