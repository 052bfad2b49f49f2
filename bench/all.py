"""Run every benchmark and pass its lines on; exit 1 if one falls short or fails."""

import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parent
PYTHON = sys.executable
WITH_POSTGRES = [PYTHON, str(BENCH.parent / "scripts" / "with_postgres.py")]

COMMANDS = (
    [PYTHON, str(BENCH / "files.py")],
    [PYTHON, str(BENCH / "pages.py")],
    [*WITH_POSTGRES, PYTHON, str(BENCH / "pages.py")],
    [PYTHON, str(BENCH / "polling.py")],
)


def main() -> int:
    """Run one after the other, so that none disturbs another."""
    # A list: the later ones run even after one fell short.
    codes = [subprocess.run(command, check=False).returncode for command in COMMANDS]
    return 1 if any(codes) else 0


if __name__ == "__main__":
    sys.exit(main())
