"""The header at the beginning of a text: its columns, and what is wrong with it."""

import csv
import io
from collections.abc import Iterator
from functools import partial

from files.checking.structure import LONGEST_HEADER
from files.findings import Finding
from files.reading.delimiters import NAMES
from files.shown import shown

UPLOAD = "or upload it here to have it converted"
_NAMES_LISTED = 30

_blocks = partial(Finding, level="blocks", row=1, line=1)


def header_names(text: str, key: str) -> list[str]:
    """Return the column names of a text with LF, [] where they cannot be read."""
    try:
        return _read(text, _delimiter(text, key))[0]
    except csv.Error:
        return []


def is_table(text: str, key: str) -> bool:
    """Tell whether a text with LF is CSV: with the key, or a row as wide as its header.

    What is none of it is not shown: it may be a page that nobody meant to give away.
    """
    try:
        header, rest = _read(text, delimiter := _delimiter(text, key))
        row = _read(rest, delimiter)[0]
    except csv.Error:
        return False
    has_key = key.strip().casefold() in (name.strip().casefold() for name in header)
    return has_key or len(header) == len(row) > 1


def header_findings(text: str, key: str, *, is_whole: bool) -> Iterator[Finding]:
    """Yield what is wrong with the header of a text with LF.

    `key` is the primary key that it should hold; `is_whole` says whether the text is
    all of the file.
    """
    delimiter = _delimiter(text, key)
    try:
        header, rest = _read(text, delimiter)
    except csv.Error as error:
        yield _unreadable(error, is_whole=is_whole)
        return
    is_cut = not is_whole and not rest
    if is_cut or len(text) - len(rest) > LONGEST_HEADER:
        message = (
            f"The header is longer than {LONGEST_HEADER:,} characters, the limit of "
            "Salesforce. Remove columns."
        )
        yield _blocks(rule="long-header", message=message)
        return
    if not header:
        message = "Row 1 is blank; it must have the column names."
        yield _blocks(rule="blank-column", message=message)
        return
    if delimiter != ",":
        message = (
            f"The columns are separated by {NAMES[delimiter]}s; commas are needed. "
            f"Save the file with commas, {UPLOAD}."
        )
        yield _blocks(rule="delimiter", message=message)
    if key not in header:
        yield _without_key(header, key, is_shown=is_table(text, key))
    if is_whole and not rest.strip("\n"):
        message = "The file has a header and no rows below it."
        yield Finding(level="blocks", rule="no-rows", message=message)


def _read(text: str, delimiter: str) -> tuple[list[str], str]:
    """Return the first record and the text below it. Raises csv.Error."""
    lines = io.StringIO(text, newline="\n")
    return next(csv.reader(lines, delimiter=delimiter, strict=True), []), lines.read()


def _delimiter(text: str, key: str) -> str:
    """Return what separates columns: what frees the key, or gives most of them.

    Unlike that of an upload it is never asked about, so the key may decide.
    """
    best, columns = ",", 1
    for delimiter in NAMES:
        try:
            header = _read(text, delimiter)[0]
        except csv.Error:
            continue
        if key.casefold() in (name.strip().casefold() for name in header):
            return delimiter
        if len(header) > columns:
            best, columns = delimiter, len(header)
    return best


def _unreadable(error: csv.Error, *, is_whole: bool) -> Finding:
    never_closed = "unexpected end of data" in str(error)
    if never_closed and not is_whole:
        message = (
            "The header does not end within 64 KiB. A quote in it may never be closed."
        )
        return _blocks(rule="long-header", message=message)
    fault = (
        "a quoted name opens in the header and is never closed."
        if never_closed
        else "after a closing quote only a comma may follow; double a quote inside."
    )
    return _blocks(rule="quotes", message=f"Row 1: {fault}")


def _without_key(header: list[str], key: str, *, is_shown: bool) -> Finding:
    fitting = [name for name in header if name.casefold() == key.casefold()]
    if fitting:
        message = (
            f"The primary key was entered as {shown(key)}, but the header has "
            f"{shown(fitting[0])}."
        )
        return Finding(
            level="warns",
            rule="key-case",
            message=message,
            row=1,
            line=1,
            column=fitting[0],
        )
    if not is_shown:
        message = (
            f"The primary key {shown(key)} is not in the first line, and the rest does "
            "not look like CSV either. Use a URL that returns the CSV file."
        )
        return _blocks(rule="key-missing", message=message)
    names = ", ".join(shown(name) for name in header[:_NAMES_LISTED])
    left = len(header) - _NAMES_LISTED
    more = f" and {left:,} more" if left > 0 else ""
    message = (
        f"The primary key {shown(key)} is not in the header. It has: {names}{more}."
    )
    return _blocks(rule="key-missing", message=message)
