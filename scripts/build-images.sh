#!/usr/bin/env bash
# Packs performers into local images, tagged with the build they come from ($CONFIG):
#
#   ponos-square, ponos-price-median     the examples
#   ponos-fingerprint                    the example in Python
#   ponos-scripted                       one that misbehaves on request, for tests
#   ponos-go                             one on grpc-go, for tests (from .build/interop)
#
#   CONFIG=debug scripts/build-images.sh [square|price-median|fingerprint|scripted|go…]     default: all
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/progress.sh"

# wanted NAME [NAMES…]: whether NAME is among NAMES, or there are none.
wanted() {
  [ $# -eq 1 ] && return
  case " ${*:2} " in *" $1 "*) ;; *) return 1 ;; esac
}

while read -r name binary; do
  if wanted "$name" "$@"; then "$repo/scripts/build-performer-image.sh" "$binary" "ponos-$name:${CONFIG:-debug}"; fi
done <<LIST
square SquarePerformer
price-median PriceMedianPerformer
scripted ScriptedPerformer
go $repo/.build/interop/go/bin/performer
LIST
if wanted fingerprint "$@"; then
  "$repo/scripts/build-python-image.sh" "$repo/Examples/fingerprint/performer.py" "ponos-fingerprint:${CONFIG:-debug}"
fi
