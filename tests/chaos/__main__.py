"""Run the harness: python -m tests.chaos. Prints tables; exit 1 on any violation."""

import argparse
import signal
import sys
import time

from tests.chaos.stage import Stage, stage
from tests.chaos.tables import say

SUITES = ("kills", "runs", "faults", "disasters", "races", "restores", "repeats")


def main() -> int:
    """Run what was asked for and return the exit code."""
    options = _parser().parse_args()
    # So that what was started is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    violations = 0
    with stage(options.database) as built:
        for suite in options.suites or SUITES:
            started = time.monotonic()
            violations += len(_run(suite, built, options.every))
            say(f"{suite} on {built.database.name}: {time.monotonic() - started:.0f} s")
    return min(violations, 1)


def _run(suite: str, built: Stage, every: int) -> list[str]:
    # Only now Django is set up, and what knows its models can be imported.
    from tests.chaos import disasters, faults, kills, races, repeats, restores, runs

    runs = {
        "kills": kills.run,
        "runs": runs.run,
        "faults": faults.run,
        "disasters": disasters.run,
        "races": races.run,
        "restores": restores.run,
        "repeats": repeats.run,
    }
    return runs[suite](built, every)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tests.chaos", description=__doc__)
    parser.add_argument("suites", nargs="*", choices=[*SUITES, []], metavar="SUITE")
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument(
        "--every", type=int, default=1, help="only every n-th point of each suite"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
