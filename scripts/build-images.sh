#!/usr/bin/env bash
# Packs performers into local images, tagged dev:
#
#   ponos-example/square, ponos-example/price-median     the examples, from .build/$CONFIG
#   ponos-test/scripted                                  one that misbehaves on request, from .build/$CONFIG
#   ponos-test/go                                        one on grpc-go, from .build/interop
#
#   CONFIG=debug scripts/build-images.sh [NAME…]         only those whose last part is named (square, go, …); default: all
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/progress.sh"

# wanted NAME [NAMES…]: whether NAME is among NAMES, or there are none.
wanted() {
  [ $# -eq 1 ] && return
  case " ${*:2} " in *" $1 "*) ;; *) return 1 ;; esac
}

while read -r image binary; do
  if wanted "${image##*/}" "$@"; then "$repo/scripts/build-performer-image.sh" "$binary" "$image:dev"; fi
done <<LIST
ponos-example/square SquarePerformer
ponos-example/price-median PriceMedianPerformer
ponos-test/scripted ScriptedPerformer
ponos-test/go $repo/.build/interop/go/bin/performer
LIST
