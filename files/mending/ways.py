"""Which way each row of a file goes, by the recipe alone."""

from collections.abc import Iterator
from typing import Literal

from files.mending.recipes import Recipe

# Where a row goes: into the file as sent, into the held-back file, or into neither.
Way = Literal["send", "hold", "skip"]
Turn = tuple[int, Way]

NEVER: Turn = (2**63, "skip")


def turns(recipe: Recipe) -> Iterator[Turn]:
    """Yield the rows from which on rows go another way, beginning with row 2."""
    first = 2 + recipe.skip_first
    end = NEVER[0] if recipe.only_first is None else 2 + recipe.only_first
    if first > 2:
        yield 2, "skip"
    if first >= end:
        return
    row = first
    for begin, last in recipe.ranges():
        held, after = max(begin, first), min(last + 1, end)
        if held >= after:
            continue
        if row < held:
            yield row, "send"
        yield held, "hold"
        row = after
    if row < end:
        yield row, "send"
    if end < NEVER[0]:
        yield end, "skip"
