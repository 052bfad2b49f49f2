#!/usr/bin/env bash
# Tests against Prism, which plays Ampersand's own OpenAPI document: as a fake of it, and
# as a proxy between a console with its browser and the sandbox.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v npm > /dev/null; then
  echo "Prism needs Node.js 18.20 or newer with npm: on Debian, apt-get install nodejs npm." >&2
  # In `make test` a machine without Node goes on; by itself this is what was asked for.
  exit "${NO_NODE:-1}"
fi
if ! [ tests/conformance/node_modules/.package-lock.json -nt tests/conformance/package-lock.json ]; then
  (cd tests/conformance && npm ci --no-audit --no-fund --ignore-scripts --loglevel error)
  touch tests/conformance/node_modules/.package-lock.json
fi
scripts/chromium.sh
# In a process of its own, which leaves the static files to make.
.venv/bin/python -m pytest -q -n 1 tests/conformance
