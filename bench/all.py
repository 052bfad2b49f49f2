"""Run every benchmark and pass its lines on; exit 1 if one falls short or fails."""

import subprocess
import sys
import time
from pathlib import Path

BENCH = Path(__file__).resolve().parent
PYTHON = sys.executable
WITH_POSTGRES = [PYTHON, str(BENCH.parent / "scripts" / "with_postgres.py")]

COMMANDS = (
    [PYTHON, str(BENCH / "checking.py")],
    [PYTHON, str(BENCH / "others.py")],
    [PYTHON, str(BENCH / "hostile.py")],
    [PYTHON, str(BENCH / "splitting.py")],
    [PYTHON, str(BENCH / "pipeline.py")],
    [PYTHON, str(BENCH / "uploading.py")],
    [PYTHON, str(BENCH / "slow_clients.py")],
    [PYTHON, str(BENCH / "bombs.py")],
    [PYTHON, str(BENCH / "rows.py")],
    [PYTHON, str(BENCH / "row_pages.py")],
    [*WITH_POSTGRES, PYTHON, str(BENCH / "records.py")],
    [PYTHON, str(BENCH / "grid.py")],
    [PYTHON, str(BENCH / "runs.py")],
    [PYTHON, str(BENCH / "history.py")],
    # What it fills is read alone: nothing is lost by a power cut.
    [*WITH_POSTGRES, "--fast", PYTHON, str(BENCH / "history.py")],
    [PYTHON, str(BENCH / "audit.py")],
    [*WITH_POSTGRES, PYTHON, str(BENCH / "audit.py")],
    [PYTHON, str(BENCH / "polling.py")],
    [PYTHON, str(BENCH / "idle.py")],
    [*WITH_POSTGRES, PYTHON, str(BENCH / "idle.py")],
    [*WITH_POSTGRES, PYTHON, str(BENCH / "watching.py")],
    [PYTHON, str(BENCH / "watching.py")],
)


def main() -> int:
    """Run one after the other, so that none disturbs another; end with what counts."""
    start = time.perf_counter()
    figures: list[str] = []
    failed: list[str] = []
    for command in COMMANDS:
        code = run(command, figures)
        # The later ones run even after one fell short.
        if code:
            failed.append(Path(command[-1]).name)
    limited = [line for line in figures if " limit none " not in line]
    short = [line for line in limited if line.endswith(" SHORT")]
    for line in short:
        print(f"# {line}")
    seconds = time.perf_counter() - start
    print(f"# {len(figures)} figures, {len(limited)} with a limit, {len(short)} short.")
    print(f"# It took {seconds:.0f} s. Failed: {', '.join(failed) or 'none'}.")
    return 1 if failed else 0


def run(command: list[str], figures: list[str]) -> int:
    """Run one benchmark, show its lines as they come, and add its figures."""
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            if line.startswith("figure "):
                figures.append(line.strip())
    seconds = time.perf_counter() - start
    print(f"# {Path(command[-1]).name} took {seconds:.0f} s", flush=True)
    return process.returncode


if __name__ == "__main__":
    sys.exit(main())
