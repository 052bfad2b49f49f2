#!/usr/bin/env bash
# Make sure that there is a Chromium for the browser tests, or say how to get one. That
# without a window takes a fifth of the processor time for the same pages.
set -euo pipefail
cd "$(dirname "$0")/.."

[ -n "${CHROMIUM:-}" ] && [ -x "$CHROMIUM" ] && exit 0
command -v chromium-headless-shell >/dev/null && exit 0
.venv/bin/python - <<'PYTHON' && exit 0
import os, sys
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    sys.exit(not os.path.exists(playwright.chromium.executable_path))
PYTHON

if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  echo "Installing chromium-headless-shell"
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium-headless-shell fonts-dejavu-core; } \
    >/dev/null && exit 0
fi
command -v chromium >/dev/null && exit 0
echo "Installing Playwright's Chromium"
.venv/bin/python -m playwright install chromium && exit 0

cat >&2 <<'MESSAGE'
The browser tests cannot run: no Chromium was found and none could be installed.
Install one (Debian: apt-get install chromium-headless-shell), or set CHROMIUM=/path/to/chromium.
MESSAGE
exit 1
