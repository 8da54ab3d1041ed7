#!/usr/bin/env bash
# All tests, acceptance tests on a real Docker engine included: set-up, one build, images of the example performers, tests.
#
#   FILTER=REGEX CONFIG=debug scripts/test.sh
#
# The last lines are Swift Testing's own summary; the exit status is that of `swift test`.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/progress.sh"
cd "$repo"
export CONFIG=${CONFIG:-debug}

# The second half, with an engine in DOCKER_HOST.
with_engine() {
  scripts/build-images.sh
  step "running the tests${FILTER:+ that match $FILTER}"
  # One after another: many tests measure time, and key derivation alone would keep two cores busy for a minute.
  exec swift test --configuration "$CONFIG" --skip-build --no-parallel ${FILTER:+--filter "$FILTER"}
}

if [ "${1:-}" = --with-engine ]; then with_engine; fi
scripts/setup.sh build docker test
long "build-$CONFIG" "building the programs and the tests ($CONFIG)" scripts/build.sh all
step "$(swift --version 2>/dev/null | head -n 1)"
scripts/build-interop.sh
scripts/docker.sh run scripts/test.sh --with-engine
