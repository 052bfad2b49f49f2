#!/usr/bin/env bash
# Tests beside which a program of Node runs, with what it needs: those of a folder, which
# has its package.json as well.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$1

if ! command -v npm > /dev/null; then
  echo "These tests need Node.js 20 or newer with npm: on Debian, apt-get install nodejs npm." >&2
  # In `make test` a machine without Node goes on; by itself this is what was asked for.
  exit "${NO_NODE:-1}"
fi
if ! [ "$folder"/node_modules/.package-lock.json -nt "$folder"/package-lock.json ]; then
  (cd "$folder" && npm ci --no-audit --no-fund --ignore-scripts --loglevel error)
  touch "$folder"/node_modules/.package-lock.json
fi
scripts/chromium.sh
# In a process of its own, which leaves the static files to make.
.venv/bin/python -m pytest -q -n 1 "$folder"
