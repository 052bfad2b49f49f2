"""Where a file begins whose header is not in its first row."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from files.reading.encodings import is_wide, marked
from files.reading.inspection import Reading

# Rows above a header are a title, not a table.
_LOOKED_AT = 2 * 2**20
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_MARKS = {"utf-8": 3, "utf-16-le": 2, "utf-16-be": 2, "utf-32-le": 4, "utf-32-be": 4}


def beginning(original: Path, reading: Reading) -> int | None:
    """Return the offset of the row that the file begins with, None where none is."""
    if reading.begin == 1:
        return 0
    with original.open("rb") as file:
        head = file.read(_LOOKED_AT)
    mark = _MARKS[reading.encoding] if marked(head) == reading.encoding else 0
    # A byte a character, so that places are the same: line ends, quotes and delimiters
    # stand for themselves in every encoding here but the wide ones.
    codec = reading.encoding if is_wide(reading.encoding) else "latin-1"
    above = _above(head[mark:].decode(codec, "replace"), reading)
    return None if above is None else mark + len(above.encode(codec))


def _above(text: str, reading: Reading) -> str | None:
    """Return the text above the row that the file begins with."""
    taken = 0

    def lines() -> Iterator[str]:
        nonlocal taken
        while taken < len(text):
            line = _LINE.match(text, taken)
            assert line is not None  # nosec B101 # noqa: S101 - it matches anything
            taken = line.end()
            yield line[0]

    rows = csv.reader(lines(), delimiter=reading.delimiter)
    try:
        for _ in range(reading.begin - 1):
            next(rows)
    except (StopIteration, csv.Error):
        return None
    return text[:taken] if taken < len(text) else None
