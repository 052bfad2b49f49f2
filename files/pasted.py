"""Cells that were copied from a spreadsheet, as CSV."""

import csv
import io
import re
from collections.abc import Iterator

# A spreadsheet puts quotes around a cell that holds what would end it, or quotes.
_CELL = re.compile(r'"((?:[^"]|"")*)"(?=\t|\n|\Z)|([^\t\n]*)')
_NEEDS_QUOTES = re.compile(r'[\t\n]|""')


def as_csv(text: str) -> str:
    """Return pasted cells as CSV: tabs part them in the clipboard, and lines the rows.

    A text without tabs whose first line has commas or semicolons is CSV already and
    stays as it is; of any other each line is one cell.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    first = text.partition("\n")[0]
    if "\t" not in text and re.search("[,;]", first):
        return text
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(_rows(text.removesuffix("\n")))
    return out.getvalue()


def _rows(text: str) -> Iterator[list[str]]:
    place, row = 0, list[str]()
    while True:
        found = _CELL.match(text, place)
        assert found is not None  # nosec B101 # noqa: S101 - it matches anything
        row.append(_cell(found))
        place = found.end()
        if text[place : place + 1] != "\t":
            yield row
            row = []
        if place >= len(text):
            return
        place += 1


def _cell(found: re.Match[str]) -> str:
    """Return what a cell holds; quotes that it did not need are its own."""
    inner = found[1]
    if inner is None or not _NEEDS_QUOTES.search(inner):
        return found[0]
    return inner.replace('""', '"')
