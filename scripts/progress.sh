# shellcheck shell=bash
# Sourced by the other scripts: lines that say what is done and how long it takes, and root where it is needed.

# Where dockerd, mount and their like are; not in the PATH of an ordinary user on Debian.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
logs=$repo/.build/logs

# step TEXT…: one line per thing the script does, with the seconds since it began.
step() { printf '==> %4ds  %s\n' "$SECONDS" "$*" >&2; }

# fail TEXT…: says what went wrong and what to do, and ends the script.
fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# as_root COMMAND…: runs COMMAND as root, through sudo when we are somebody else.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "root is needed for '$1': run as root, or install sudo"
  fi
}

# long NAME TEXT COMMAND…: runs COMMAND with its output in .build/logs/NAME.log, shows the last line of it now and then,
# and the end of it when COMMAND fails. Returns the status of COMMAND.
long() {
  local name=$1 text=$2 log=$logs/$1.log began=$SECONDS status=0 ticker
  shift 2
  mkdir -p "$logs"
  : >"$log"
  step "$text"
  show_progress "$log" "$$" &
  ticker=$!
  # Not `|| status=$?`: that would switch `set -e` off inside COMMAND, and a failed step there would go unseen.
  set +e
  (set -e; "$@") >"$log" 2>&1
  status=$?
  set -e
  kill "$ticker" 2>/dev/null
  wait "$ticker" 2>/dev/null || true
  if [ "$status" -ne 0 ]; then
    grep -aE '(^|: )(error|fatal|E):' "$log" | sort -u | head -40 >&2 || true
    tail -25 "$log" >&2
    printf 'error: %s failed with status %d after %ds; all of its output: %s\n' \
      "$name" "$status" $((SECONDS - began)) "$log" >&2
    return "$status"
  fi
  step "$text: done in $((SECONDS - began))s"
}

# show_progress LOG PID: prints the last line of LOG every 10 seconds for as long as PID lives.
show_progress() {
  local line
  while sleep 10 >/dev/null 2>&1 && kill -0 "$2" 2>/dev/null; do
    line=$(tail -c 400 "$1" | tr '\r' '\n' | grep -av '^[[:space:]]*$' | tail -n 1 | cut -c 1-100) || line=
    printf '    %4ds  %s\n' "$SECONDS" "$line" >&2
  done
}
