#!/usr/bin/env bash
# The main job, start to end, on this machine: a daemon, two performers in Docker, twenty signed tasks for each, every
# signature of every answer verified.
#
#   CONFIG=debug KEEP=1 scripts/demo.sh        KEEP=1 leaves the daemon (and a Docker engine of ours) running
#   CHAIN=1 scripts/demo.sh                    without registries: an EVM of Tests/Chain says who may submit and with which keys we sign
#   scripts/demo.sh --stop                     ends what KEEP=1 left
#
# Everything it writes is under .build/demo; keys are made afresh for each run. Ends by itself, with status 0 when all went well.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/progress.sh"
cd "$repo"
umask 077
export CONFIG=${CONFIG:-debug} KEEP=${KEEP:-0} CHAIN=${CHAIN:-0}

ponos=$repo/.build/$CONFIG/ponos-executor
place=$repo/.build/demo
tasks=20

# Addresses that belong to nobody. The AVSs' are fixed, so that what an interrupted demo left in Docker is found by label.
operator=0x00000000000000000000000000000000000000a1
aggregator=0x00000000000000000000000000000000000000a2
square_avs=0x5100000000000000000000000000000000000001
price_avs=0x5100000000000000000000000000000000000002

# free_port FIRST: the first port from FIRST on that nobody listens on.
free_port() {
  local port
  for ((port = $1; port < $1 + 200; port += 10)); do
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      echo "$port"
      return
    fi
  done
  fail "no free port near $1"
}

# Keys of the operator and of the aggregator, as `keys new` makes them; the passwords are random too. With light password
# hashing, as the keys live as long as the demo: the strong one takes a debug build many seconds for every key and every use.
make_keys() {
  local name
  for name in operator-ecdsa operator-bn254 aggregator-ecdsa; do
    head -c 24 /dev/urandom | base64 >"$place/$name.password"
    "$ponos" keys new --curve "${name#*-}" --output "$place/$name.json" --password-file "$place/$name.password" --light -o json \
      >"$place/$name.public.json"
  done
}

# public NAME FIELD: the public side of a key.
public() { jq -r ".$2" "$place/$1.public.json"; }

# The chain of Tests/Chain with a block every two seconds, and both AVSs registered on it: aggregators in operator set 0, the operator in
# set 1 (ECDSA) and set 2 (BN254).
start_chain() {
  local tries
  step "starting a chain of EVM blocks, and registering the AVSs on it"
  # Its standard input is a pipe that nobody writes to: the chain ends with whoever holds it.
  # shellcheck disable=SC2016 # The inner shell expands them.
  setsid bash -c 'tail -f /dev/null | exec "$0" "$@"' env PONOS_CHAIN_CODE="$repo/.build/chain/contracts.json" \
    "$repo/.build/chain/python/bin/python" "$repo/Tests/Chain/node.py" --endpoints 2 --block-time 2 --interval 2 \
    >"$place/chain.json" 2>"$place/chain.log" 9>&- &
  echo $! >"$place/chain.pid"
  for ((tries = 0; tries < 600; tries++)); do
    if [ -s "$place/chain.json" ]; then break; fi
    sleep 0.05
  done
  [ -s "$place/chain.json" ] || fail "the chain did not start; its log is $place/chain.log"
  register "$square_avs"
  register "$price_avs"
}

# register AVS: everything that the contracts have to know of it.
register() {
  jq -n --arg avs "$1" --arg operator "$operator" --arg aggregator "$aggregator" \
    --arg key "$(public aggregator-ecdsa address)" --arg ecdsa "$(public operator-ecdsa address)" \
    --arg bn254 "$(printf '01%.0s' {1..64})$(public operator-bn254 publicKey | sed 's/^0x//')" '
    {do: "mine", changes: [
      {change: "avs", avs: $avs, aggregatorSet: 0, executorSets: [1, 2]},
      {change: "curve", avs: $avs, set: 0, curve: "ecdsa"},
      {change: "join", avs: $avs, set: 0, operator: $aggregator},
      {change: "key", avs: $avs, set: 0, operator: $aggregator, ecdsa: $key},
      {change: "curve", avs: $avs, set: 1, curve: "ecdsa"}, {change: "curve", avs: $avs, set: 2, curve: "bn254"},
      {change: "join", avs: $avs, set: 1, operator: $operator}, {change: "join", avs: $avs, set: 2, operator: $operator},
      {change: "key", avs: $avs, set: 1, operator: $operator, ecdsa: $ecdsa},
      {change: "key", avs: $avs, set: 2, operator: $operator, bn254: $bn254}]}' \
    | curl -fsS -o /dev/null --data-binary @- "http://127.0.0.1:$(jq .control "$place/chain.json")/"
}

stop_chain() {
  local pid
  pid=$(cat "$place/chain.pid" 2>/dev/null) || return 0
  # The session that it leads, checked by its command line, as numbers are used again.
  if tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF "Tests/Chain/node.py"; then kill -TERM -- "-$pid" 2>/dev/null || true; fi
  rm -f "$place/chain.pid"
}

# What the file says of an AVS in place of the chain.
registry() {
  if [ "$CHAIN" = 1 ]; then return; fi
  cat <<YAML
    registry:
      executorOperatorSets: [{id: 1, curve: ecdsa}, {id: 2, curve: bn254}]
      aggregators: [{address: "$aggregator", curve: ecdsa, signingAddress: "$(public aggregator-ecdsa address)"}]
YAML
}

l1_chain() {
  if [ "$CHAIN" != 1 ]; then
    echo "{chainId: 31337}"
  else
    jq -r '"{chainId: 31337, rpcUrls: [\(.endpoints | map("http://127.0.0.1:\(.)") | join(", "))]}"' "$place/chain.json"
  fi
}

write_configuration() {
  cat >"$place/executor.yaml" <<YAML
grpcPort: $task_port
managementServerGrpcPort: $management_port
operations: {address: 127.0.0.1, port: $operations_port}
storage: {type: sqlite, path: $place/executor.db}
l1Chain: $(l1_chain)
operator:
  address: "$operator"
  signingKeys:
    ecdsa: {keystore: {keystoreFile: $place/operator-ecdsa.json, passwordFile: $place/operator-ecdsa.password}}
    bls: {keystoreFile: $place/operator-bn254.json, passwordFile: $place/operator-bn254.password}
avsPerformers:
  - avsAddress: "$square_avs"
    image: {repository: ponos-square, tag: $CONFIG, pullPolicy: Never}
$(registry)
  - avsAddress: "$price_avs"
    image: {repository: ponos-price-median, tag: $CONFIG, pullPolicy: Never}
$(registry)
YAML
}

# The payload of price-median: three sources that agree and one that does not.
write_quotes() {
  local now
  now=$(date +%s)
  cat >"$place/quotes.json" <<JSON
[{"source": "alpha", "price": "2500.10", "timestamp": $now},
 {"source": "beta", "price": "2501.00", "timestamp": $now},
 {"source": "gamma", "price": "2499.95", "timestamp": $now},
 {"source": "delta", "price": "9999.00", "timestamp": $now}]
JSON
}

start_daemon() {
  step "starting ponos-executor with a performer for each of two AVSs"
  # A session of its own: Ctrl-C ends the demo, and the demo ends the daemon.
  setsid "$ponos" run --config "$place/executor.yaml" --log-format text >"$place/daemon.log" 2>&1 </dev/null 9>&- &
  echo $! >"$place/daemon.pid"
  local tries
  for ((tries = 0; tries < 1200; tries++)); do
    if curl -fs -o /dev/null "http://127.0.0.1:$operations_port/readyz"; then return; fi
    kill -0 "$(cat "$place/daemon.pid")" 2>/dev/null || break
    sleep 0.05
  done
  tail -n 30 "$place/daemon.log" >&2
  fail "the daemon is not ready; its log is $place/daemon.log"
}

# The daemon of this demo, or of an earlier one that was kept; checked by its command line, as numbers are used again.
stop_daemon() {
  local pid tries
  pid=$(cat "$place/daemon.pid" 2>/dev/null) || return 0
  if tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF "run --config $place/executor.yaml"; then
    step "stopping the daemon"
    kill -TERM "$pid"
    for ((tries = 0; tries < 600; tries++)); do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.05
    done
    kill -KILL "$pid" 2>/dev/null || true
  fi
  rm -f "$place/daemon.pid"
}

# A stopped daemon leaves its containers running for the next start; here there is none.
remove_containers() {
  local avs
  for avs in "$square_avs" "$price_avs"; do
    docker ps --all --quiet --filter "label=dev.ponos.avs=$avs" | xargs -r docker rm --force --volumes >/dev/null
    docker network ls --quiet --filter "label=dev.ponos.avs=$avs" | xargs -r docker network rm >/dev/null
  done
}

leave() {
  if [ "$KEEP" = 1 ] && [ -e "$place/ready" ]; then return; fi
  stop_daemon
  stop_chain
  remove_containers
}

# submit NAME AVS SET KEY-OPTION KEY PAYLOAD-OPTION PAYLOAD: twenty tasks, verified against the operator's public key.
submit() {
  local status=0
  step "submitting $tasks tasks to $1"
  "$ponos" task submit --endpoint "127.0.0.1:$task_port" --avs "$2" --operator-set-id "$3" --executor-address "$operator" \
    --aggregator-address "$aggregator" --keystore "$place/aggregator-ecdsa.json" --password-file "$place/aggregator-ecdsa.password" \
    "$4" "$5" "$6" "$7" --count "$tasks" --concurrency 4 -o json >"$place/$1.json" || status=$?
  if [ "$status" -ne 0 ]; then
    jq -r '.outcomes[] | select(.error) | .error' "$place/$1.json" | sort | uniq -c >&2
    tail -n 20 "$place/daemon.log" >&2
    fail "not every task of $1 came back verified"
  fi
}

# results NAME CURVE ANSWER: one line of the account.
results() {
  jq -r --arg name "$1" --arg curve "$2" --arg answer "$3" '
    def ms: . * 10 | round / 10 | tostring + " ms";
    "  \($name): \(.submitted) submitted, \(.answered) answered, \(.verified) verified (\($curve)), "
    + "latency p50 \(.latency.p50 | ms), p99 \(.latency.p99 | ms)\n    \($answer)"' "$place/$1.json"
}

# The first answer of NAME as text.
text() {
  local hex
  hex=$(jq -r '.outcomes[0].output' "$place/$1.json")
  printf '%b' "$(sed 's/^0x//; s/../\\x&/g' <<<"$hex")"
}

# The price in the 32 bytes of an answer, as a person writes it.
price() {
  local hex
  hex=$(jq -r '.outcomes[0].output' "$place/price-median.json")
  printf '%d' "0x${hex: -16}" | sed -E 's/([0-9]{8})$/.\1/'
}

account() {
  local page=http://127.0.0.1:$operations_port
  echo
  echo "What ran"
  echo "  $("$ponos" version) ($CONFIG), ready after $ready_after s, process $(cat "$place/daemon.pid")"
  echo "  tasks on 127.0.0.1:$task_port, management on 127.0.0.1:$management_port"
  "$ponos" performer list --endpoint "127.0.0.1:$management_port" -o json >"$place/performers.json"
  jq -r '.[] | (if .containerHealthy and .applicationHealthy then "healthy" else "not healthy" end) as $health
    | "  \(.image): \(.status), \($health), container \(.containerID[:12])"' "$place/performers.json"
  echo "What came back, every signature checked against the operator's public keys"
  results square "ECDSA secp256k1" "0x04 squared is $(text square)"
  results price-median "BN254" "the median of 4 quotes, one of them an outlier, is $(price)"
  if [ "$CHAIN" = 1 ]; then
    echo "What the chain says"
    "$ponos" chain status --config "$place/executor.yaml" 2>/dev/null | sed 's/^/  /'
  fi
  echo "How long"
  echo "  $SECONDS s for this part; the tasks alone $(jq -s 'map(.seconds) | add * 100 | round / 100' \
    "$place/square.json" "$place/price-median.json") s"
  echo "Look further"
  if [ "$KEEP" = 1 ]; then
    echo "  operations page  $page/   (also $page/metrics, $page/api/v1/state)"
    echo "  stop it          scripts/demo.sh --stop"
  else
    echo "  operations page  $page/ while the daemon runs: make demo KEEP=1 leaves it up"
  fi
  echo "  its log          $place/daemon.log"
  echo "  configuration    $place/executor.yaml"
  echo
}

# The second half, with an engine in DOCKER_HOST.
with_engine() {
  stop_daemon
  stop_chain
  remove_containers
  rm -rf "$place"
  mkdir -p "$place"
  scripts/build-images.sh square price-median
  step "making keys"
  make_keys
  task_port=$(free_port 9090) management_port=$(free_port 9091) operations_port=$(free_port 9092)
  trap leave EXIT
  if [ "$CHAIN" = 1 ]; then start_chain; fi
  write_configuration
  write_quotes
  trap 'exit 130' INT
  trap 'exit 143' TERM
  local began
  began=$(date +%s%N)
  start_daemon
  ready_after=$(($(date +%s%N) - began))
  ready_after=$((ready_after / 1000000000)).$((ready_after / 100000000 % 10))
  submit square "$square_avs" 1 --executor-ecdsa-address "$(public operator-ecdsa address)" --payload 0x04
  submit price-median "$price_avs" 2 --executor-bn254-public-key "$(public operator-bn254 publicKey)" \
    --payload-file "$place/quotes.json"
  if [ "$KEEP" = 1 ]; then touch "$place/ready"; fi
  account
}

case "${1:-}" in
  "")
    scripts/setup.sh build docker demo
    if [ "$CHAIN" = 1 ]; then
      scripts/setup.sh test
      scripts/build-chain.sh
    fi
    long "build-$CONFIG" "building the daemon and the examples ($CONFIG)" scripts/build.sh
    step "$(tail -n 1 "$logs/build-$CONFIG.log")"
    scripts/docker.sh run scripts/demo.sh --with-engine
    step "the demo is done"
    ;;
  --with-engine) with_engine ;;
  --stop)
    KEEP=0 scripts/docker.sh run scripts/demo.sh --stop-with-engine
    scripts/docker.sh stop
    ;;
  --stop-with-engine)
    stop_daemon
    stop_chain
    remove_containers
    ;;
  *) fail "usage: scripts/demo.sh [--stop]" ;;
esac
