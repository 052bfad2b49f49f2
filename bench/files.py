"""How long checking a CSV of 10 MiB takes, beside hashing the same bytes.

Only to be seen: nothing is promised about it yet.
"""

import hashlib
import time
from collections.abc import Callable
from statistics import median

import running
from figures import figure, finish

ROWS, COLUMNS = 70_000, 10
ROUNDS = 5


def main() -> None:
    """Print both times and their ratio."""
    with running.settings():
        from writes.files import check

        data = csv()
        result = check(data, primary_key="external_id__c")
        assert not result.blocks, result.findings
        assert result.rows == ROWS
        checked = seconds(lambda: check(data, primary_key="external_id__c"))
        hashed = seconds(lambda: hashlib.sha256(data).digest())
    figure("files_check_size", len(data) / 2**20, "MiB")
    figure("files_check_10mib", checked * 1000, "ms")
    figure("files_check_10mib_over_sha256", checked / hashed, "ratio")
    finish()


def csv() -> bytes:
    """Return a table of 70,000 rows by 10 columns, a little under 10 MiB."""
    names = ["external_id__c", *(f"field_{n}__c" for n in range(1, COLUMNS))]
    cell = "Some value 123"
    lines = [",".join([f"key-{n:06}", *[cell] * (COLUMNS - 1)]) for n in range(ROWS)]
    return "\n".join([",".join(names), *lines, ""]).encode()


def seconds(action: Callable[[], object]) -> float:
    """Return the median of a few runs."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return median(times)


if __name__ == "__main__":
    main()
