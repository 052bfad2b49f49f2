#!/usr/bin/env bash
# Run targets of the Makefile beside each other, all of them even where one fails, and
# print how long each took. What a target prints comes in one piece when it has ended.
set -uo pipefail
cd "$(dirname "$0")/.."
STAGES_TOOK=$(mktemp)
export STAGES_TOOK
trap 'rm -f "$STAGES_TOOK"' EXIT
# Each of them uses all cores, but some mostly wait: with three at a time the unit tests
# took more than twice as long as alone.
make --no-print-directory --keep-going --jobs=2 --output-sync=target "${@/#/stage-}"
code=$?
echo
cat "$STAGES_TOOK"
printf '%-18s %4d s\n' together "$SECONDS"
exit "$code"
