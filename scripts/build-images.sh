#!/usr/bin/env bash
# Packs the performers of this package into local images: ponos-square, ponos-price-median, ponos-scripted, tag = $CONFIG.
#
#   CONFIG=debug scripts/build-images.sh [EXECUTABLE=IMAGE…]     default: all three
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/progress.sh"

export CONFIG=${CONFIG:-debug}
images=("$@")
if [ ${#images[@]} -eq 0 ]; then
  images=(SquarePerformer=ponos-square PriceMedianPerformer=ponos-price-median ScriptedPerformer=ponos-scripted)
fi
for image in "${images[@]}"; do
  "$repo/scripts/build-performer-image.sh" "${image%%=*}" "${image#*=}:$CONFIG"
done
