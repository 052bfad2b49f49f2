"""Every row's fate: what joining costs, and a page of many rows beside one of few.

Joining is measured beside a fast check of the same rows. Two files, of 1,000 and of
1,000,000 rows, of which every tenth failed. A page is drawn in both by turns, so that
whatever else the machine does slows both; the ratio of the medians decides.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import memory
import turns
from figures import figure, finish

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

if TYPE_CHECKING:
    from files.rows.row_store import RowStore

SMALL, LARGE = 1_000, 1_000_000
COLUMNS = 12
# About 10 MiB each, which is what Ampersand takes at once.
PARTS = 16
# The goal is 5; writing a million rows and their indexes alone takes about that.
JOINING_OVER_CHECK = 12
ROUNDS = 3
ERRORS = 2
PAGE = 25
# Each page is drawn this often in a turn, after once that does not count.
TURNS, READS = 5, 20


@dataclass
class Group:
    """What the log tells of one error."""

    error: str
    keys: list[str]
    kind: str = "update"


def main() -> None:
    """Join both files, and measure each page in both."""
    from files.rows.row_store import RowStore

    with tempfile.TemporaryDirectory() as directory:
        paths = {count: Path(directory) / f"{count}.sqlite" for count in (SMALL, LARGE)}
        for count, path in paths.items():
            build(count, path)
        with RowStore(paths[SMALL]) as small, RowStore(paths[LARGE]) as large:
            for name in pages(SMALL):
                compare(name, small, large)
        take_away(paths[LARGE])
    finish()


def build(count: int, path: Path) -> None:
    """Write a file of so many rows, join it to its logs, and print the time."""
    from files.checking.check import check
    from files.rows.outcomes import Told, join
    from files.splitting import Part

    join_all = partial(join, key="external_id__c")

    sent = path.with_suffix(".csv")
    bounds = write(sent, count)
    parts = []
    for number in range(PARTS):
        first, last = (count * n // PARTS for n in (number, number + 1))
        length = bounds[last] - bounds[first]
        rows = Part(number + 1, first + 2, last + 1, bounds[first], length)
        failed = range(first + 9 - first % 10, last, 10)
        groups = [
            Group(
                f"A_B:error {n}:--",
                [key(row) for row in failed if row // 10 % ERRORS == n],
            )
            for n in range(ERRORS)
        ]
        told = Told(
            "ended",
            succeeded=last - first - len(failed),
            failed=len(failed),
            groups=groups,
        )
        parts.append((rows, told))
    memory.forget_peak()
    base = memory.resident()
    joins, checks, busy = [], [], []
    # By turns, so that whatever else the machine does slows both.
    for _ in range(ROUNDS):
        checks.append(timed(lambda: check(sent, key="external_id__c", engine="fast")))
        before = time.process_time()
        joins.append(timed(lambda: join_all(sent, parts=parts, target=path)))
        busy.append(time.process_time() - before)
    totals = join_all(sent, parts=parts, target=path)
    assert (totals.rows, totals.unknown, totals.alarms) == (count, 0, []), totals
    assert totals.failed == count // 10
    joining, checking = median(joins), median(checks)
    figure(f"rows_joining_{count}", joining, "s")
    figure(f"rows_joining_{count}_processor", median(busy), "s")
    if count == LARGE:
        ratio = joining / checking
        figure("rows_joining_over_check", ratio, "ratio", at_most=JOINING_OVER_CHECK)
        figure("rows_file_as_sent", sent.stat().st_size / 2**20, "MiB")
        figure("rows_file_of_rows", path.stat().st_size / 2**20, "MiB")
        figure("rows_joining_memory", memory.peak() - base, "MiB")


def timed(call: Callable[[], object]) -> float:
    """Return how many seconds a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def write(path: Path, count: int) -> list[int]:
    """Write a file of so many rows; return where each begins, and the end."""
    names = ["external_id__c", *(f"field_{n}__c" for n in range(1, COLUMNS))]
    rest = ",Some value 12" * (COLUMNS - 1)
    place = 0
    bounds = []
    with path.open("wb") as file:
        place += file.write((",".join(names) + "\n").encode())
        for number in range(count):
            bounds.append(place)
            # One in eight is quoted, as in the files of people.
            quote = '"' if number % 8 == 0 else ""
            line = f"{quote}{key(number)}{quote}{rest}\n"
            place += file.write(line.encode())
    return [*bounds, place]


def key(number: int) -> str:
    """Return the key of a row; they are not in the order of the rows."""
    return f"key-{number * 7_919 % 1_000_003:07}"


def pages(count: int) -> dict[str, dict[str, Any]]:
    """Return what is asked for on each page of a file of so many rows."""
    middle = count // 2
    return {
        "first": {},
        "deep": {"after": middle},
        "last": {"before": count + 2},
        "failed": {"state": "failed"},
        "failed_deep": {"state": "failed", "after": middle},
        "succeeded_deep": {"state": "succeeded", "before": middle},
        "unknown": {"state": "unknown"},
        "group": {"group": 2},
        "group_deep": {"group": 2, "after": middle},
        "group_and_state": {"group": 2, "state": "failed", "before": count},
        "key": {"key": key(middle)},
        "key_prefix": {"key": "key-0"},
        "key_prefix_deep": {"key": "key-", "after": middle},
        "key_prefix_failed": {"key": "key-", "state": "failed", "after": 11},
        "key_prefix_group": {"key": "key-", "group": 2},
        "key_in_capitals": {"key": key(middle).upper()},
        "key_of_no_row": {"key": "zzz"},
    }


def compare(name: str, small: "RowStore", large: "RowStore") -> None:
    """Print how a page of both files compares."""
    draws = {
        count: partial(store.page, **pages(count)[name], limit=PAGE)
        for count, store in ((SMALL, small), (LARGE, large))
    }
    few, many = (len(draw().rows) for draw in draws.values())
    figure(f"rows_page_{name}_rows", many, "rows", exactly=few)
    turns.compare(f"rows_page_{name}", draws, turns=TURNS, times=READS)


def take_away(path: Path) -> None:
    """Print how long the lists of the large file take."""
    from files.rows.row_exports import with_outcomes, with_reasons
    from files.rows.row_store import RowStore

    sent = path.with_suffix(".csv")
    with RowStore(path) as store:
        for name, export in (
            ("failed_100000", with_reasons),
            ("all_1000000", with_outcomes),
        ):
            start = time.perf_counter()
            for _ in export(store, sent):
                pass
            figure(f"rows_export_{name}", time.perf_counter() - start, "s")


if __name__ == "__main__":
    main()
