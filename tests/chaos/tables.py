"""What the harness prints: tables, and what is not as it must be."""

import sys
from collections import Counter
from collections.abc import Sequence

MOST_SHOWN = 20


def say(text: str = "") -> None:
    """Print one line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def progress(what: str, number: int, of: int) -> None:
    """Say now and then how far it is, beside the tables."""
    if number % 20 == 0 or number == of:
        sys.stderr.write(f"{what} {number} of {of}\n")


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under a head, the first column to the left and others to the right."""
    cells = [list(head), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[n]) for row in cells) for n in range(len(head))]
    say(f"\n{title}")
    for row in cells:
        first = row[0].ljust(widths[0])
        others = [cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True)]
        say("  ".join((first, *others)))


def say_ends(ends: Counter[str]) -> None:
    """Print how often the operations ended how."""
    for end, count in ends.most_common():
        say(f"  {count:5} ended with {end}")


def say_violations(violations: Sequence[str]) -> None:
    """Print what is not as it must be, one line each, or that there is nothing."""
    say(f"  {len(violations):5} violations")
    for violation in violations[:MOST_SHOWN]:
        say(f"        {violation}")
