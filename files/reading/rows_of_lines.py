"""The rows of a file as read that some of its lines belong to."""

import csv
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from files.raw_records import read_records


def rows_of_lines(path: Path, lines: Collection[int]) -> dict[int, int]:
    """Return the row that each line is in, as far as records can be told apart."""
    wanted = sorted(lines, reverse=True)
    rows: dict[int, int] = {}
    line = 1
    with path.open("rb") as file, suppress(csv.Error):
        for row, (_, raw) in enumerate(read_records(file), start=1):
            line += raw.count(b"\n")
            while wanted and wanted[-1] < line:
                rows[wanted.pop()] = row
            if not wanted:
                break
    return rows
