"""What is wrong with a record as such: its bytes, its quotes, its size, its width."""

from collections.abc import Iterator

from files.checking.no_records import is_end_of_report
from files.checking.records import is_quoted_soundly
from files.findings import ROW, SEPARATOR
from files.quoting import INNER_QUOTES, cells_to_quote
from files.values.problems import Problem

# In characters, by Salesforce's Bulk API 2.0 guide.
LONGEST_CELL, LONGEST_ROW, LONGEST_HEADER = 131_072, 400_000, 32_000
MOST_COLUMNS = 5_000
# Names of fields have 40 characters, "__c" and a relationship before them at most.
LONGEST_NAME = 255

_SAVE_AS = "In Excel, choose Save As, “CSV UTF-8 (Comma delimited)”."


def byte_problems(raw: str) -> Iterator[tuple[int, Problem]]:
    """Yield a problem for each line of a record that is not UTF-8, with its index."""
    for index, line in enumerate(raw.split("\n")):
        place = next((i for i, char in enumerate(line) if _is_stray(char)), None)
        if place is None:
            continue
        position = len(line[:place].encode(errors="surrogateescape")) + 1
        message = (
            f"Byte {ord(line[place]) - 0xDC00:#04x} at position {position:,} of this "
            f"line of row {ROW} is not UTF-8. {_SAVE_AS}"
        )
        yield index, Problem("blocks", "not-utf-8", message)


def text_problems(raw: str, cells: list[str]) -> Iterator[Problem]:
    """Yield what `csv` takes without a word and Salesforce does not."""
    if "\0" in raw:
        message = f"Row {ROW} contains a NUL character. Remove it."
        yield Problem("blocks", "nul", message)
    if "\r" in raw:
        message = (
            f"Row {ROW} contains a carriage return (CR). Lines must end with LF only, "
            "within cells too: save the file again with one kind of line ending."
        )
        yield Problem("blocks", "lone-cr", message)
    if len(raw) > LONGEST_CELL:
        yield from _size_problems(raw, cells)


def quote_problems(raw: str, width: int) -> Iterator[tuple[int | None, Problem]]:
    """Yield what is wrong with the quotes of a record, with the place of the cell.

    The place is None where nobody can tell which cell is meant.
    """
    if '"' not in raw or is_quoted_soundly(raw):
        return
    places = cells_to_quote(raw, width)
    if places:
        for place in places:
            message = (
                f"Cell {place + 1:,} of row {ROW} has a quote inside and is not "
                "quoted. It can be read in one way only: quote it."
            )
            yield place, Problem("blocks", INNER_QUOTES, message)
        return
    message = (
        f"Row {ROW} has a quote inside a cell that is not quoted, and could be read in "
        "two ways. Quote the whole cell and double the quote inside."
    )
    yield None, Problem("blocks", "quotes", message)


def width_problem(cells: list[str], wanted: int) -> Problem | None:
    """Return what is wrong with a record that has not as many cells as the header."""
    if len(cells) == wanted:
        return None
    if not cells:
        message = f"Row {ROW} is blank. Remove it."
        return Problem("blocks", "empty-row", message)
    message = (
        f"Row {ROW} has {len(cells):,} {'cell' if len(cells) == 1 else 'cells'}, the "
        f"header has {wanted:,}. Look for an extra or missing {SEPARATOR}, or missing "
        "quotes."
    )
    if is_end_of_report(cells[0].strip()):
        message = f"{message} It looks like the footer of a report: exclude the row."
    return Problem("blocks", "ragged-row", message)


def _size_problems(raw: str, cells: list[str]) -> Iterator[Problem]:
    length = len(raw.removesuffix("\n"))
    if length > LONGEST_ROW:
        message = (
            f"Row {ROW} has {length:,} characters; the limit is {LONGEST_ROW:,}. "
            "Shorten its longest cells."
        )
        yield Problem("blocks", "long-row", message)
    for number, cell in enumerate(cells, start=1):
        if len(cell) > LONGEST_CELL:
            message = (
                f"Cell {number:,} of row {ROW} has {len(cell):,} characters; "
                f"Salesforce accepts {LONGEST_CELL:,}. Shorten it."
            )
            yield Problem("blocks", "long-cell", message)


def _is_stray(char: str) -> bool:
    return "\udc80" <= char <= "\udcff"
