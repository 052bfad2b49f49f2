"""How many requests this web server answered and how long that took, since its start.

Its processes are forked from one and share a page of memory, in which each has a row
of its own: no lock between them that a killed one would keep. A row outlives its
process, so that the sums never fall while the server runs.
"""

import mmap
import struct
import threading
from bisect import bisect_left

# Seconds; one more is for what took longer.
WITHIN = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
STATUSES = ("1xx", "2xx", "3xx", "4xx", "5xx")
# More than one server ever has at once.
ROWS = 64

# By status, by time, and the sum of the times in microseconds.
_row = struct.Struct(f"{len(STATUSES)}Q{len(WITHIN) + 1}QQ")
_page = mmap.mmap(-1, _row.size * ROWS)
_lock = threading.Lock()
_mine = 0


def take_row(number: int) -> None:
    """Say which process this is of the server: called once it is forked."""
    global _mine
    _mine = number % ROWS * _row.size


def count(status: int, seconds: float) -> None:
    """Count one request that was answered."""
    with _lock:
        numbers = list(_row.unpack_from(_page, _mine))
        numbers[min(max(status // 100, 1), len(STATUSES)) - 1] += 1
        numbers[len(STATUSES) + bisect_left(WITHIN, seconds)] += 1
        numbers[-1] += round(seconds * 1_000_000)
        _row.pack_into(_page, _mine, *numbers)


def counted() -> tuple[dict[str, int], list[int], float]:
    """Return the requests by status, those by time, and the seconds of all."""
    rows = [_row.unpack_from(_page, place * _row.size) for place in range(ROWS)]
    sums = [sum(column) for column in zip(*rows, strict=True)]
    by_status = dict(zip(STATUSES, sums, strict=False))
    return by_status, sums[len(STATUSES) : -1], sums[-1] / 1_000_000
