"""Reading a file record by record, with the raw text of each.

This defines what a record is: the standard `csv` module in strict mode. It goes on
where a file is damaged, as far as it is sure where the next record begins.
"""

import csv
import re
from collections.abc import Callable, Iterator
from io import StringIO
from typing import BinaryIO

from files.findings import ROW, SEPARATOR
from files.lines import hide_lone_crs, show_lone_crs
from files.values.problems import Problem

# A record beyond this many characters is not read to its end: ten times what
# Salesforce takes, so that a quote that is never closed does not fill the memory.
LONGEST_RECORD = 4_000_000
CHUNK = 2**18

# RFC 4180: a cell is quoted with inner quotes doubled, or holds no quote at all.
_CELL = r'(?:"[^"]*(?:""[^"]*)*"|[^",\n]*)'
_WHOLE = re.compile(rf"{_CELL}(?:,{_CELL})*\n?")
_CLOSED_CELL = re.compile(rf"{_CELL},")

csv.field_size_limit(2**31 - 1)


class Unreadable(Exception):
    """From here on nobody can tell where a record begins: `problem` says why.

    `line` is where it begins to be unreadable, which may be below the record's first.
    """

    def __init__(self, problem: Problem, line: int) -> None:
        super().__init__(problem.message)
        self.problem = problem
        self.line = line


class Records:
    """The records of a file from a given record's start; each is a list of its cells.

    While one is looked at, `row`, `line` and `raw` are its number, the line that it
    begins on and its text. `end` is the offset in bytes after it. Bytes that are not
    UTF-8 stand in `raw` as surrogates. Raises `Unreadable`.
    """

    def __init__(
        self,
        file: BinaryIO,
        *,
        offset: int = 0,
        row: int = 1,
        line: int = 1,
        on_bytes: Callable[[int], None] | None = None,
    ) -> None:
        self._file = file
        self._read = offset
        self._on_bytes = on_bytes
        self._lines: list[str] = []
        self._length = 0
        self.has_bad_bytes = False
        self.row, self.line, self.end = row - 1, line, offset
        self.next_row, self.next_line = row, line
        self.raw = ""

    def __iter__(self) -> Iterator[list[str]]:
        lines = self._lines
        reader = csv.reader(self._fed(), strict=True)
        while True:
            try:
                cells = next(reader, None)
            except csv.Error as error:
                raise self._unreadable(str(error)) from error
            if cells is None:
                return
            self.row, self.line = self.next_row, self.next_line
            raw = self.raw = lines[0] if len(lines) == 1 else "".join(lines)
            self.next_row += 1
            self.next_line += len(lines)
            self.end += (
                len(raw) if raw.isascii() else len(raw.encode(errors="surrogateescape"))
            )
            lines.clear()
            self._length = 0
            if "\r" in raw:
                cells = show_lone_crs(cells)
            yield cells

    def _fed(self) -> Iterator[str]:
        """Give the parser one line after the other, and keep them until it is done."""
        lines = self._lines
        for text in self._texts():
            has_cr = "\r" in text
            for line in StringIO(text, newline="\n"):
                lines.append(line)
                self._length += len(line)
                if self._length > LONGEST_RECORD:
                    raise self._too_long()
                yield hide_lone_crs(line) if has_cr else line

    def _texts(self) -> Iterator[str]:
        """Yield the file as text in pieces of whole lines."""
        self._file.seek(self._read)
        rest = b""
        while chunk := self._file.read(CHUNK):
            self._read += len(chunk)
            if self._on_bytes:
                self._on_bytes(self._read)
            cut = chunk.rfind(b"\n") + 1
            if cut:
                yield self._decoded(rest + chunk[:cut])
                rest = chunk[cut:]
            else:
                rest += chunk
            if len(rest) > 4 * LONGEST_RECORD:
                # No text of so many bytes is shorter than the limit.
                break
        if rest:
            yield self._decoded(rest)

    def _decoded(self, data: bytes) -> str:
        try:
            return data.decode()
        except UnicodeDecodeError:
            self.has_bad_bytes = True
            return data.decode(errors="surrogateescape")

    def _too_long(self) -> Unreadable:
        start = self._open_at() if len(self._lines) > 1 else None
        if start is not None:
            message = (
                "A quoted cell opens here and is not closed within "
                f"{LONGEST_RECORD:,} characters. Close the quote. {UNCHECKED}"
            )
            return Unreadable(Problem("blocks", "unreadable", message), start)
        message = (
            f"Row {ROW} is longer than {LONGEST_RECORD:,} characters. Check whether "
            f"line endings are missing. {UNCHECKED}"
        )
        return Unreadable(Problem("blocks", "unreadable", message), self.next_line)

    def _unreadable(self, error: str) -> Unreadable:
        if "unexpected end of data" in error:
            message = (
                f"A quoted cell opens here and is never closed. Close it. {UNCHECKED}"
            )
            line = self._open_at() or self.next_line
            return Unreadable(Problem("blocks", "unreadable", message), line)
        message = (
            f"After a closing quote only a {SEPARATOR} or the end of the line may "
            "follow. "
            f'Double a quote that belongs to the value (`""`). {UNCHECKED}'
        )
        return Unreadable(Problem("blocks", "unreadable", message), self.next_line)

    def _open_at(self) -> int | None:
        """Return the line of the cell that is open at the end of what was read."""
        raw = "".join(self._lines)
        start = 0
        while match := _CLOSED_CELL.match(raw, start):
            start = match.end()
        return self.next_line + raw.count("\n", 0, start) if raw else None


UNCHECKED = "Rows below it could not be checked."


def is_quoted_soundly(raw: str) -> bool:
    """Whether every quote of a record opens, closes or is doubled inside a cell."""
    return _WHOLE.fullmatch(raw) is not None


def readable(text: str) -> str:
    """Return the text as it may be stored and shown: no stray bytes, no NUL.

    A byte that is not UTF-8 becomes `\\xe9`, which keeps two values apart.
    """
    if "\0" in text:
        text = text.replace("\0", "\u2400")
    try:
        text.encode()
    except UnicodeEncodeError:
        data = text.encode(errors="surrogateescape")
        return data.decode(errors="backslashreplace")
    return text
