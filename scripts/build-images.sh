#!/usr/bin/env bash
# Packs performers into local images, tagged with the build they come from ($CONFIG):
#
#   ponos-square, ponos-price-median     the examples
#   ponos-fingerprint                    the example in Python
#   ponos-scripted                       one that misbehaves on request, for tests
#   ponos-go                             one on grpc-go, for tests (from .build/interop)
#
#   CONFIG=debug scripts/build-images.sh [square|price-median|fingerprint|scripted|go…]     default: all
#
# `ponos-executor performer image` writes them; an image that is up to date is left as it is.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/progress.sh"

products=$repo/.build/${CONFIG:-debug}

# wanted NAME [NAMES…]: whether NAME is among NAMES, or there are none.
wanted() {
  [ $# -eq 1 ] && return
  case " ${*:2} " in *" $1 "*) ;; *) return 1 ;; esac
}

while read -r name binary; do
  if wanted "$name" "$@"; then "$products/ponos-executor" performer image "$binary" "ponos-$name:${CONFIG:-debug}"; fi
done <<LIST
square $products/SquarePerformer
price-median $products/PriceMedianPerformer
scripted $products/ScriptedPerformer
go $repo/.build/interop/go/bin/performer
LIST
if wanted fingerprint "$@"; then
  "$repo/scripts/build-python-image.sh" "$repo/Examples/fingerprint/performer.py" "ponos-fingerprint:${CONFIG:-debug}"
fi
