#!/usr/bin/env bash
# All tests, acceptance tests on a real Docker engine included: set-up, one build, images of the example performers, tests.
#
#   FILTER=REGEX CONFIG=debug scripts/test.sh
#
# Three lanes of tests run beside each other, as most of them wait for something; what measures time (Tests/alone.txt) runs alone after
# them. With a FILTER all that match run one after another. The whole output stays in .build/test.log. The last lines say where the time
# went, and name the tests that failed with what they found; the exit status is that of the tests.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/progress.sh"
cd "$repo"
export CONFIG=${CONFIG:-debug}
log=.build/test.log

# The second half, with an engine in DOCKER_HOST.
with_engine() {
  remove_leftovers
  scripts/build-images.sh
  # Hashing without a random seed, so that a history that failed can be had again by its number.
  export SWIFT_DETERMINISTIC_HASHING=1
  local status=0
  : >"$log"
  if [ -n "${FILTER:-}" ]; then
    step "running the tests that match $FILTER"
    lane all --filter "$FILTER" || status=$?
  else
    run_lanes || status=$?
  fi
  where_the_time_went
  if [ "$status" != 0 ]; then what_failed; fi
  return "$status"
}

# What runs where. In a lane tests follow one another. The proofs keep the processors busy and wait for nobody: they take what the other
# lanes leave.
run_lanes() {
  local proofs='CrashProofTests|DuplicateStormTests|PipelineHistoryTests|^FuzzTests\.' status=0 lane lanes=()
  local alone
  # Ctrl-C does not reach what a script runs in the background.
  trap 'trap - INT; kill -TERM 0' INT
  alone=$(sed -e '/^#/d' -e 's/ .*//' Tests/alone.txt | paste -s -d '|')
  step "running the tests beside each other that may"
  nice -n 5 "$repo/scripts/test.sh" --lane proofs --filter "$proofs" &
  lanes+=($!)
  lane acceptance --filter '^AcceptanceTests\.' --skip "$proofs" --skip "$alone" &
  lanes+=($!)
  lane units --skip '^AcceptanceTests\.' --skip "$proofs" --skip "$alone" &
  lanes+=($!)
  for lane in "${lanes[@]}"; do wait "$lane" || status=$?; done
  step "running the tests that measure time"
  lane alone --filter "$alone" || status=$?
  return "$status"
}

# lane NAME OPTION…: runs the tests that the options choose, one after another, with the output in the log as well.
lane() {
  local name=$1 began=$SECONDS status=0
  shift
  # The program itself: `swift test` plans a build first, for which it wants .build to itself.
  NO_COLOR=1 ".build/$CONFIG/ponos-executorPackageTests.xctest" --testing-library swift-testing --no-parallel "$@" 2>&1 \
    | tee -a "$log" || status=$?
  printf 'lane %s took %d seconds, status %d\n' "$name" $((SECONDS - began)) "$status" | tee -a "$log"
  return "$status"
}

# What interrupted runs have left in the engine: containers and networks of tests' AVSs (0x7e57…) that are older than any run can be, as
# others may be testing on this engine right now.
remove_leftovers() {
  local kind id avs created now
  now=$(date +%s)
  for kind in container network; do
    local list=(docker "$kind" ls)
    if [ "$kind" = container ]; then list+=(--all); fi
    "${list[@]}" --filter label=dev.ponos.avs --format '{{.ID}} {{.Label "dev.ponos.avs"}} {{.CreatedAt}}' \
      | while read -r id avs created; do
        case $avs in 0x7e57*) ;; *) continue ;; esac
        created=$(date -d "${created% *}" +%s) || continue
        if [ $((now - created)) -gt 7200 ]; then
          step "removing the $kind $id that an interrupted run left"
          if [ "$kind" = container ]; then docker rm --force --volumes "$id"; else docker network rm "$id"; fi >/dev/null || true
        fi
      done
  done
}

# The lanes, and the suites that took longest. Suites beside each other take longer than they would alone.
where_the_time_went() {
  step "where the time went"
  grep -E '^lane ' "$log" | sed 's/^/    /' >&2
  sed -nE 's/^[^ ]+ Suite "?(.*[^"])"? (passed|failed) after ([0-9.]+) seconds.*/\3 \1/p' "$log" \
    | grep -vE '^[0-9.]+ Acceptance$' | sort -rn | head -n 30 | awk '{ time = $1; $1 = ""; printf "    %8.1f s %s\n", time, $0 }' >&2 || true
}

# The failed tests and their issues, once more.
what_failed() {
  step "what failed (all of it: $log)"
  grep -E '^✘ .*recorded an issue|^↳|^error:|[Ff]atal error|^✘ Test run' "$log" | cut -c 1-400 | tail -n 30 || true
}

case "${1:-}" in
  --with-engine)
    with_engine
    exit
    ;;
  --lane)
    shift
    lane "$@"
    exit
    ;;
esac
scripts/setup.sh build docker test
long "build-$CONFIG" "building the programs and the tests ($CONFIG)" scripts/build.sh all
step "$(tail -n 1 "$logs/build-$CONFIG.log")"
step "$(swift --version 2>/dev/null | head -n 1)"
scripts/build-interop.sh
scripts/build-chain.sh
scripts/docker.sh run scripts/test.sh --with-engine
