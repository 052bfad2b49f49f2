#!/usr/bin/env bash
# Django's own checks, with the settings of a real installation.
set -euo pipefail
cd "$(dirname "$0")/.."
data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT
export SECRET_KEY=c7Qm2VxN9dLr4TzW8bKp1HsJ6fGy3UaE5iRo0CtX-MvBnZqYlDwSg
export FIELD_KEYS=A3nKxG4dpVQyIvUk4DgbmsAzXBiTaQZbkdcHBvnTzDY=
export HTTPS_ONLY=true ALLOWED_HOSTS=console.example.com DEBUG=false DATA_DIR=$data
unset DATABASE_URL
.venv/bin/python manage.py check --deploy --fail-level WARNING
.venv/bin/python manage.py makemigrations --check --dry-run
