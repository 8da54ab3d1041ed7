#!/usr/bin/env bash
# All tests, acceptance tests on a real Docker engine included: set-up, one build, images of the example performers, tests.
#
#   FILTER=REGEX CONFIG=debug scripts/test.sh
#
# The whole output stays in .build/test.log. When tests fail, the last lines name them with what they found, for readers of a log's
# end; the exit status is that of `swift test`.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/progress.sh"
cd "$repo"
export CONFIG=${CONFIG:-debug}

# The second half, with an engine in DOCKER_HOST.
with_engine() {
  scripts/build-images.sh
  step "running the tests${FILTER:+ that match $FILTER}"
  # Hashing without a random seed, so that a history that failed can be had again by its number.
  export SWIFT_DETERMINISTIC_HASHING=1
  # One after another: many tests measure time, and key derivation alone would keep two cores busy for a minute.
  local status=0
  swift test --configuration "$CONFIG" --skip-build --no-parallel ${FILTER:+--filter "$FILTER"} 2>&1 | tee .build/test.log || status=$?
  if [ "$status" != 0 ]; then what_failed; fi
  return "$status"
}

# The failed tests and their issues, once more.
what_failed() {
  step "what failed (all of it: .build/test.log)"
  grep -E '^✘ .*recorded an issue|^↳|^error:|[Ff]atal error|^✘ Test run' .build/test.log | cut -c 1-400 | tail -n 30 || true
}

if [ "${1:-}" = --with-engine ]; then
  with_engine
  exit
fi
scripts/setup.sh build docker test
long "build-$CONFIG" "building the programs and the tests ($CONFIG)" scripts/build.sh all
step "$(swift --version 2>/dev/null | head -n 1)"
scripts/build-interop.sh
scripts/build-chain.sh
scripts/docker.sh run scripts/test.sh --with-engine
