#!/usr/bin/env bash
# Static checks: Swift sources by swift-format, scripts by shellcheck. `scripts/lint.sh fix` reformats the Swift sources.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/progress.sh"
cd "$repo"

# Our own sources; generated code is not ours to format.
mapfile -t swift_files < <(git ls-files --cached --others --exclude-standard -- '*.swift' | grep -v '/Generated/')
if [ "${1:-}" = fix ]; then
  swift format format --in-place --parallel "${swift_files[@]}"
  step "formatted ${#swift_files[@]} Swift files"
  exit 0
fi
scripts/setup.sh lint
swift format lint --strict --parallel "${swift_files[@]}"
step "${#swift_files[@]} Swift files are clean"
mapfile -t shell_files < <({
  git ls-files --cached --others --exclude-standard -- '*.sh'
  echo .ci/run
} | sort -u)
shellcheck --shell=bash --external-sources --source-path=SCRIPTDIR "${shell_files[@]}"
step "${#shell_files[@]} scripts are clean"
