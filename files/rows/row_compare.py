"""Rows of two results by their keys: what failed in one and succeeded in the other.

The failed rows of the first are read in the order of their keys, each is sought in the
second: both are seeks in an index, so that it costs as much as there are failed rows.
"""

from dataclasses import dataclass, field
from itertools import islice

from files.rows.fates import FAILED, SUCCEEDED
from files.rows.row_store import RowStore


@dataclass(frozen=True)
class Changed:
    """`rows` are the first of them as (key, error in the first), `count` is of all.

    `looked_at` is how many failed rows were looked at; `is_all` whether there were no
    more.
    """

    looked_at: int
    is_all: bool
    count: int = 0
    rows: list[tuple[str, str]] = field(default_factory=list)


def failed_then_succeeded(
    first: RowStore, second: RowStore, *, most: int, shown: int
) -> Changed:
    """Return the rows that failed in the first and have a key that succeeded later.

    At most `most` failed rows are looked at. Rows without a key are no one's twin.
    """
    failed = first.keys(FAILED)
    looked_at, found = 0, []
    for key, error in islice(failed, most):
        looked_at += 1
        if second.has(SUCCEEDED, key):
            found.append((key, error))
    is_all = next(failed, None) is None
    return Changed(looked_at, is_all, len(found), found[:shown])
