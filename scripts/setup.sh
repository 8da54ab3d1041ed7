#!/usr/bin/env bash
# Installs what building and running need and the machine lacks; quick when nothing is missing.
#
#   scripts/setup.sh [GROUP…]     groups: build docker test lint proto demo bench (default: build docker)
#
# Needs: Debian 12 with a Swift 6.3 toolchain in PATH, and root or sudo if something must be installed.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/progress.sh"

# Prints the packages of the groups given that are missing or older than scripts/packages.txt asks.
missing_packages() {
  local group name lowest have
  declare -A installed
  while read -r name have; do installed[$name]=$have; done < <(
    dpkg-query -W -f '${db:Status-Abbrev} ${Package} ${Version}\n' 2>/dev/null | awk '$1 ~ /^ii/ { print $2, $3 }')
  while read -r group name lowest; do
    case " $* " in *" $group "*) ;; *) continue ;; esac
    have=${installed[$name]:-}
    if [ -z "$have" ] || dpkg --compare-versions "$have" lt "$lowest"; then echo "$name"; fi
  done < <(grep -v -e '^#' -e '^$' "$repo/scripts/packages.txt")
}

# Keeps the databases of the bench group from starting as services of this machine (Debian policy 9.3.3.2).
policy=/usr/sbin/policy-rc.d
forbid_services() {
  [ -e "$policy" ] && return
  trap 'as_root rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
  as_root chmod 755 "$policy"
}

install_packages() {
  command -v apt-get >/dev/null \
    || fail "this is not Debian: install the equivalents of scripts/packages.txt (missing: $*) and run again"
  step "installing from apt: $*"
  long apt-update "reading the package lists" as_root apt-get -o DPkg::Lock::Timeout=300 update
  long apt-install "installing packages" as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@"
}

check_swift() {
  command -v swift >/dev/null || fail "no Swift toolchain in PATH: install Swift 6.3 (https://www.swift.org/install/linux)"
  local version
  version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9.]*\).*/\1/p' | head -n 1)
  if [ "$(printf '%s\n6.3\n' "$version" | sort -V | head -n 1)" != 6.3 ]; then
    fail "Swift ${version:-of an unknown version} is too old: install Swift 6.3 or newer"
  fi
}

# The engine's package is wanted only where there is no engine: a machine may have Docker from elsewhere.
engine_package() {
  if ! command -v docker >/dev/null; then
    echo docker.io
  elif ! command -v dockerd >/dev/null && ! docker version >/dev/null 2>&1; then
    echo docker.io
  fi
}

main() {
  local groups=("$@") packages
  [ ${#groups[@]} -gt 0 ] || groups=(build docker)
  mapfile -t packages < <(missing_packages "${groups[@]}")
  case " ${groups[*]} " in *" docker "*) mapfile -t -O "${#packages[@]}" packages < <(engine_package) ;; esac
  if [ ${#packages[@]} -gt 0 ]; then
    case " ${groups[*]} " in *" bench "*) forbid_services ;; esac
    install_packages "${packages[@]}"
  fi
  case " ${groups[*]} " in
    *" build "*)
      check_swift
      "$repo/scripts/install-curves.sh"
      ;;
  esac
  step "set-up is complete (${groups[*]})"
}

main "$@"
