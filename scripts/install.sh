#!/usr/bin/env bash
# Make .venv with a Python of 3.12 or newer, and install a requirements file into it.
# Uses uv when it works, otherwise venv and pip. Set PYTHON to choose the interpreter.
set -euo pipefail
cd "$(dirname "$0")/.."
requirements=$1
wanted=$(cat .python-version)

fits() { "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; }

# A pyenv shim exists even where the command behind it does not, so each is tried.
find_python() {
  if [ -n "${PYTHON:-}" ]; then
    fits "$PYTHON" && echo "$PYTHON" && return
    echo "PYTHON=$PYTHON is no Python 3.12 or newer." >&2; return 1
  fi
  local candidate
  for candidate in "$(pyenv prefix "$wanted" 2>/dev/null)/bin/python3" \
      "python$wanted" python3.14 python3.13 python3.12 python3 \
      "$HOME"/.pyenv/versions/"$wanted"*/bin/python3 "$HOME"/.pyenv/versions/3.12*/bin/python3 \
      "$(uv python find '>=3.12' 2>/dev/null)"; do
    [ -n "$candidate" ] && fits "$candidate" && echo "$candidate" && return
  done
  cat >&2 <<MESSAGE
Nothing was installed: no Python 3.12 or newer was found (with its venv module).
Install one (the console is tested on $wanted), or name it: make run PYTHON=/path/to/python3
MESSAGE
  return 1
}

if ! .venv/bin/python -c '' 2>/dev/null; then
  python=$(find_python)
  echo "Making .venv with $("$python" --version)"
  rm -rf .venv
  if uv --version >/dev/null 2>&1; then
    uv venv --quiet --python "$python" .venv
  else
    "$python" -m venv .venv
  fi
fi

with_uv() {
  uv --version >/dev/null 2>&1 || return 1
  uv pip sync --quiet --require-hashes --python .venv/bin/python "$requirements" && return
  # uv reads neither pip's settings nor its proxies.
  echo "uv could not install them; trying pip"
  return 1
}

with_pip() {
  .venv/bin/python -m ensurepip --upgrade >/dev/null 2>&1 || true
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$requirements"
}

echo "Installing $requirements"
with_uv || with_pip
