"""Where the records of a file end, also of one that did not pass the check."""

import csv
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from files.raw_records import BLOCK, read_records, regular_blocks


def record_borders(
    file: BinaryIO, *, block: int = BLOCK
) -> Iterator[NDArray[np.int64]]:
    """Yield the offsets one past each record's last byte, some at a time, in order.

    Records are told apart as the check does it. Ends before the first one that nobody
    can read.
    """
    done = 0
    while True:
        file.seek(done)
        for regular in regular_blocks(file, block=block):
            yield regular.ends.astype(np.int64) + done
            done += len(regular.data)
        odd = _odd_borders(file, done, block)
        if not odd:
            return
        yield np.array(odd, np.int64)
        done = odd[-1]


def _odd_borders(file: BinaryIO, start: int, size: int) -> list[int]:
    """Return where the records of about the next `size` bytes end, one by one."""
    file.seek(start)
    ends: list[int] = []
    end = start
    with suppress(csv.Error):
        for _, raw in read_records(file):
            end += len(raw)
            ends.append(end)
            if end - start >= size:
                break
    return ends
