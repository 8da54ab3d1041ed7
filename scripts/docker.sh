#!/usr/bin/env bash
# A Docker engine for the tests and the demo: the one that answers, or a private one of ours where none does.
#
#   scripts/docker.sh run COMMAND…   runs COMMAND with an engine in DOCKER_HOST, then stops the engine if it is ours
#   scripts/docker.sh start|stop     the same by hand; `stop` touches no engine but ours
#   scripts/docker.sh status         says which engine would be used
#
# KEEP=1 leaves our engine running after `run`. An engine that answers at DOCKER_HOST or at /var/run/docker.sock is used as
# it is and left alone. Ours keeps everything below /var/lib/ponos-dev and /run/ponos-dev.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/progress.sh"

system_socket=/var/run/docker.sock
state=/var/lib/ponos-dev/docker
run=/run/ponos-dev
socket=$run/docker.sock
pidfile=$run/docker.pid
users=$run/users.lock

answers() { DOCKER_HOST=$1 timeout 10 docker version >/dev/null 2>&1; }

# Prints the address of the engine that answers; fails when none does.
find_engine() {
  local host
  for host in "${DOCKER_HOST:-}" "unix://$system_socket" "unix://$socket"; do
    if [ -n "$host" ] && answers "$host"; then
      echo "$host"
      return
    fi
  done
  return 1
}

# The system's engine is there but only its group may talk to it, and we are not in that group yet.
needs_group() {
  [ "$(id -u)" -ne 0 ] && [ -S "$system_socket" ] && [ ! -w "$system_socket" ] \
    && as_root env DOCKER_HOST="unix://$system_socket" timeout 10 docker version >/dev/null 2>&1
}

# Runs this script again as the same user, with the socket's group among the groups.
again_with_group() {
  local groups
  groups=$(id -G | tr ' ' ,),$(stat -c %g "$system_socket")
  step "using the group of $system_socket for this run"
  exec sudo --preserve-env setpriv --reuid "$(id -u)" --regid "$(id -g)" --groups "$groups" -- \
    env PATH="$PATH" HOME="$HOME" "$0" "$@"
}

# A machine without a service manager may have no control groups mounted: version 2 if the kernel has it, or else version 1.
mount_cgroups() {
  local controller
  if mountpoint -q /sys/fs/cgroup; then return; fi
  step "mounting control groups"
  if as_root mount -t cgroup2 none /sys/fs/cgroup 2>/dev/null; then return; fi
  as_root mount -t tmpfs -o mode=755 none /sys/fs/cgroup
  for controller in cpu cpuacct cpuset memory devices freezer blkio pids; do
    as_root mkdir -p "/sys/fs/cgroup/$controller"
    as_root mount -t cgroup -o "$controller" "$controller" "/sys/fs/cgroup/$controller" \
      || step "the kernel has no $controller controller; going on without"
  done
}

# The process of our engine, checked by its command line: a number from an old pid file may be somebody else's by now.
our_pid() {
  local pid
  pid=$(cat "$pidfile" 2>/dev/null) && [ -r "/proc/$pid/cmdline" ] \
    && tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF -e "--data-root $state" && echo "$pid"
}

# containerd's pid file may name a process that is dead but not reaped; the engine would wait for it and give up.
forget_stale_pids() {
  local file=$state/exec/containerd/containerd.pid pid
  pid=$(as_root cat "$file" 2>/dev/null) || return 0
  if [ ! -e "/proc/$pid" ] || grep -q '^State:.*Z' "/proc/$pid/status"; then as_root rm -f "$file"; fi
  if ! our_pid >/dev/null; then as_root rm -f "$pidfile"; fi
}

start_ours() {
  command -v dockerd >/dev/null || fail "no Docker engine answers and dockerd is not installed: run scripts/setup.sh docker"
  mount_cgroups
  as_root mkdir -p "$state/data" "$state/exec" "$run"
  as_root touch "$users"
  as_root chmod 666 "$users"
  echo '{}' | as_root tee "$state/daemon.json" >/dev/null
  forget_stale_pids
  step "no Docker engine answers: starting a private one"
  # A session of its own: Ctrl-C at the terminal reaches the tests, not the engine beneath them.
  # setsid waits for it: sudo, where it gives commands a terminal of their own, would take the engine along when it ends.
  # shellcheck disable=SC2016  # the inner shell expands them
  as_root setsid --wait sh -c 'umask 022; exec "$@" >"$0" 2>&1 </dev/null 9>&-' "$state/log" \
    dockerd --config-file "$state/daemon.json" --data-root "$state/data" --exec-root "$state/exec" --pidfile "$pidfile" \
    --group "$(id -g)" --host "unix://$socket" >/dev/null 2>&1 </dev/null 9>&- &
  local launched=$! tries
  for ((tries = 0; tries < 600; tries++)); do
    if answers "unix://$socket"; then return; fi
    # Not kill -0: nobody may signal another user's process, and sudo's is root's.
    if [ ! -e "/proc/$launched" ] && ! our_pid >/dev/null; then break; fi
    sleep 0.1
  done
  as_root tail -n 20 "$state/log" >&2
  fail "the Docker engine did not come up; its log is $state/log"
}

# Says nothing: what a test prints last shall be the last that is seen.
stop_ours() {
  local pid tries left
  pid=$(our_pid) || return 0
  # Containers first: the engine would give each of them ten seconds.
  DOCKER_HOST=unix://$socket docker ps --quiet | DOCKER_HOST=unix://$socket xargs -r docker rm --force --volumes >/dev/null || true
  as_root kill -TERM "$pid"
  for ((tries = 0; tries < 300; tries++)); do
    if [ ! -e "/proc/$pid" ] || grep -q '^State:.*Z' "/proc/$pid/status" 2>/dev/null; then break; fi
    sleep 0.1
  done
  if our_pid >/dev/null; then as_root kill -KILL "$pid"; fi
  # Old engines leave a bind mount of their data directory behind.
  awk -v dir="$state/" 'index($5, dir) == 1 { print $5 }' /proc/self/mountinfo | sort -r | while read -r left; do
    as_root umount -l "$left" || true
  done
  as_root rm -f "$socket" "$pidfile" "$run/keep"
}

# Stops our engine unless another run still uses it or somebody asked to keep it.
leave() {
  flock -u 9
  if [ "${KEEP:-0}" = 1 ]; then
    as_root touch "$run/keep"
    step "the private Docker engine stays up at unix://$socket (scripts/docker.sh stop ends it)"
  elif [ ! -e "$run/keep" ] && flock -n -x 9; then
    stop_ours
  fi
}

run_with_engine() {
  local host
  if ! host=$(find_engine); then
    if needs_group; then again_with_group run "$@"; fi
    start_ours
    host=unix://$socket
  fi
  step "Docker engine $(DOCKER_HOST=$host docker version --format '{{.Server.Version}}') at $host"
  if [ "$host" = "unix://$socket" ]; then
    exec 9<>"$users"
    flock -s 9
    trap leave EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
  fi
  DOCKER_HOST=$host "$@"
}

case "${1:-}" in
  run)
    shift
    run_with_engine "$@"
    ;;
  start)
    find_engine >/dev/null || start_ours
    echo "DOCKER_HOST=$(find_engine)"
    ;;
  stop) stop_ours ;;
  status) find_engine || echo "none: a private one would be started" ;;
  *) fail "usage: scripts/docker.sh run COMMAND… | start | stop | status" ;;
esac
