"""What separates the cells of a file: the guess, and turning it into commas."""

import csv
import io
import re
from typing import Protocol

import numpy as np

from files.changes import Change, counted, goes
from files.findings import LONGEST_VALUE, ROW, Finding
from files.quoting import INNER_QUOTES, is_plain_inside
from files.reading.quotes import COMMA, CR, LF, QUOTE, Bytes, Flags, Positions, Quotes

NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}

# Nothing that Salesforce takes is nearly as long: 131,072 characters (Bulk API 2.0).
_LONGEST_CELL = 8 * 2**20
_ROWS_LOOKED_AT = 100
_SPACE, _ASCII = 32, 127
# A header of two columns could as well be a row of texts.
_LEAST_BELOW_TITLE = 3
# Excel's own note on how to open the file: "sep=;" as the first line.
_SEP_LINE = re.compile(r'\ufeff*"?sep=(.)"?,*(?:\r\n|\r|\n|\Z)', re.IGNORECASE)


def told_by_excel(head: str) -> str:
    """Return the delimiter that a first line "sep=;" tells, "" where there is none."""
    match = _SEP_LINE.match(head)
    return match[1] if match else ""


def below_note(head: str) -> str:
    """Return a text without Excel's note, where it has one."""
    match = _SEP_LINE.match(head)
    return head[match.end() :] if match else head


def records(head: str, delimiter: str) -> list[list[str]]:
    """Return the first records of a text, as many as can be read."""
    read: list[list[str]] = []
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
    try:
        for record in reader:
            read.append(record)
            if len(read) == _ROWS_LOOKED_AT:
                break
    except csv.Error:
        pass
    return read


def guess(head: str) -> str:
    """Return the delimiter of a text by its first records: a comma if in doubt.

    Another one is believed where it cuts the header and every row into as many cells,
    and commas do not, or into fewer; or where commas do not cut the header at all, and
    the other one cuts nearly every row like the header.
    """
    told = told_by_excel(head)
    if told in NAMES:
        return told
    head = below_note(head)
    widths = {sign: _widths(head, sign) for sign in NAMES}
    commas = widths.pop(",")
    least = commas[0] if commas and _agreeing(commas) == 1 else 1
    enough = 0.8 if commas and commas[0] == 1 else 1
    fitting = [
        (seen[0], sign)
        for sign, seen in widths.items()
        if seen and seen[0] > least and _agreeing(seen) >= enough
    ]
    if not fitting and commas and commas[0] == 1:
        # A title may stand above the header.
        fitting = [(_usual(seen), sign) for sign, seen in widths.items()]
        least = max(_usual(commas), _LEAST_BELOW_TITLE - 1)
        fitting = [(width, sign) for width, sign in fitting if width > least]
    most = max(fitting, default=(1, ","))
    is_alone = [width for width, _ in fitting].count(most[0]) == 1
    return most[1] if is_alone else ","


def _usual(widths: list[int]) -> int:
    """Return how many cells most rows have, 1 where that is not clear."""
    width = max(set(widths), key=widths.count, default=1)
    return width if widths.count(width) > len(widths) / 2 else 1


def _widths(head: str, delimiter: str) -> list[int]:
    """Return how many cells the records have, none where its quotes do not fit."""
    found = [record for record in records(head, delimiter) if record]
    if delimiter != "," and found and any('"' in name for name in found[0]):
        return []
    return [len(record) for record in found]


def _agreeing(widths: list[int]) -> float:
    """Return the share of the rows that are as wide as the header."""
    return widths.count(widths[0]) / len(widths) if widths else 0


# A quoted cell, and what follows its end by mistake.
_QUOTED = re.compile(rb'"([^"]*+(?:""[^"]*+)*+)"(.*)', re.DOTALL)


def _in_quotes(raw: bytes) -> bytes:
    """Return a cell in quotes, its value being what `csv` reads."""
    match = _QUOTED.fullmatch(raw) if raw.startswith(b'"') else None
    value = match[1].replace(b'""', b'"') + match[2] if match else raw
    return b'"' + value.replace(b'"', b'""') + b'"'


def _are_plain_inside(
    data: Bytes, marks: Positions, first: Positions, last: Positions
) -> Flags:
    """Tell of which cells `is_plain_inside` is true; each holds one of the marks."""
    doubled = marks[:-1][np.diff(marks) == 1]
    pairs = np.searchsorted(doubled, last - 1) - np.searchsorted(doubled, first)
    found: Flags = pairs == 0
    opening = marks[np.searchsorted(marks, first)]
    found &= opening != first
    # Only after a space the first quote may be meant to open the cell.
    before = data[opening - 1]
    for place in np.flatnonzero(found & ((before <= _SPACE) | (before > _ASCII))):
        cell = data[first[place] : last[place]].tobytes()
        found[place] = is_plain_inside(cell.decode(errors="replace"))
    return found


def _within(marks: Positions, first: Positions, last: Positions) -> Positions:
    """Return those of the marks that stand in one of the cells."""
    begun = np.searchsorted(first, marks, "right")
    return marks[begun > np.searchsorted(last, marks, "right")]


def _one_by_one(data: Bytes, text: Bytes, first: Positions, last: Positions) -> bytes:
    """Return the text with these cells of the data in quotes."""
    # Slices of bytes take a third of the time that those of an array do.
    raw, turned = data.tobytes(), text.tobytes()
    pieces = []
    done = 0
    for start, end in zip(first.tolist(), last.tolist(), strict=True):
        pieces.append(turned[done:start])
        pieces.append(_in_quotes(raw[start:end]))
        done = end
    return b"".join([*pieces, turned[done:]])


_WHAT = f"Row {ROW} has a quote inside a cell that is not quoted"
_CLEAR = (
    INNER_QUOTES,
    f"{_WHAT}. It can be read in one way only: quote it.",
)
_UNCLEAR = (
    "quotes",
    f"{_WHAT}, and could be read in two ways. Quote the whole cell and double the "
    "quote inside.",
)


class Found(Protocol):
    """Who takes the findings: `room` tells how many of a rule it wants one by one."""

    def room(self, rule: str) -> int: ...
    def add(self, finding: Finding) -> None: ...
    def count(self, rule: str, more: int) -> None: ...


class Commas:
    """Turns another delimiter into commas, block after block of UTF-8 with LF.

    Cells stay as they are: one that holds a comma is put in quotes. Where such a cell
    also has quotes at fault it stays the same cell, and a finding tells the fault,
    which can no longer be seen in the text.
    """

    def __init__(self, delimiter: str, found: Found) -> None:
        self._delimiter = delimiter
        self._byte = ord(delimiter)
        self._quotes = Quotes(self._byte)
        self._found = found
        self._rest = b""
        self._is_too_long = False
        # Whether what comes next goes on with a row that is not held as a whole.
        self._is_within_row = False
        self._row = self._line = 1
        self._turned = self._quoted = 0

    def feed(self, block: bytes) -> bytes:
        """Return the rows that end in the block, or before; the last one is kept."""
        return self._feed(block, held=_LONGEST_CELL)

    def _feed(self, block: bytes, *, held: int) -> bytes:
        if self._is_too_long:
            return self._pass(block)
        text = self._rest + block
        data = np.frombuffer(text, np.uint8)
        outside = self._outside(data)
        ends = self._ends(data, outside)
        cut = self._cut(data, ends, held)
        self._rest = text[cut:]
        converted = self._converted(data[:cut], outside[:cut], ends)
        if cut:
            self._is_within_row = int(data[cut - 1]) != LF
        if len(self._rest) <= _LONGEST_CELL:
            self._quotes.restart()
            return converted
        rest, self._rest = self._rest, b""
        self._is_too_long = self._is_within_row = True
        self._tell_too_long()
        self._line += rest.count(b"\n")
        return converted + rest

    def end(self) -> bytes:
        """Return the last row, where no line end follows it."""
        if not self._rest:
            return b""
        # Only at a line end it is whole; after an open quote that is none.
        converted = self._feed(b"\n", held=0)
        rest, self._rest = self._rest, b""
        return (converted + rest).removesuffix(b"\n")

    def changes(self) -> list[Change]:
        """Return what was done, for the operator."""
        signs = counted(self._turned, NAMES[self._delimiter])
        signs = f"{signs} between cells {goes(self._turned)}"
        cells = f"{counted(self._quoted, 'cell')} with a comma inside"
        told = [
            (self._turned, f"{signs} as commas."),
            (self._quoted, f"{cells} {goes(self._quoted)} in quotes."),
        ]
        return [Change(what, count) for count, what in told if count]

    def _outside(self, data: Bytes) -> Flags:
        """Return for every byte whether it stands outside quoted cells."""
        starts_inside = self._quotes.is_inside
        toggles = self._quotes.toggles(data)
        if not toggles.size:
            return np.full(data.size, not starts_inside)
        flips = np.zeros(data.size, np.uint8)
        flips[toggles] = 1
        inside = (np.cumsum(flips, dtype=np.uint8) & 1).astype(np.bool_)
        return inside if starts_inside else ~inside

    def _ends(self, data: Bytes, outside: Flags) -> Positions:
        ends = (data == self._byte) | (data == LF) | (data == CR)
        return np.flatnonzero(outside & ends)

    def _cut(self, data: Bytes, ends: Positions, held: int) -> int:
        """Return where the last whole row ends: what quotes mean is told by all of it.

        Where the last whole cell does if the rest has more bytes than may be held.
        """
        rows = ends[data[ends] == LF]
        cut = int(rows[-1]) + 1 if rows.size else 0
        if data.size - cut > held and ends.size:
            cut = int(ends[-1]) + 1
        return cut

    def _converted(self, data: Bytes, outside: Flags, ends: Positions) -> bytes:
        turned = outside & (data == self._byte)
        self._turned += int(np.count_nonzero(turned))
        commas = np.flatnonzero(outside & (data == COMMA))
        # The end of each cell that holds a comma, by its place among all ends.
        cells = np.unique(np.searchsorted(ends, commas))
        first = np.where(cells > 0, ends[cells - 1] + 1, 0)
        last = ends[cells]
        text = np.where(turned, np.uint8(COMMA), data)
        self._quoted += cells.size
        marks = np.flatnonzero(data == QUOTE)
        at_fault = np.searchsorted(marks, first) != np.searchsorted(marks, last)
        if at_fault.any():
            self._tell_faults(data, outside, marks, first[at_fault], last[at_fault])
        if (at_fault & (data[first] == QUOTE)).any():
            converted = _one_by_one(data, text, first, last)
        else:
            added = np.concatenate([first, last, _within(marks, first, last)])
            converted = np.insert(text, added, QUOTE).tobytes()
        self._row += int(np.count_nonzero(outside & (data == LF)))
        self._line += int(np.count_nonzero(data == LF))
        return converted

    def _tell_faults(
        self,
        data: Bytes,
        outside: Flags,
        marks: Positions,
        first: Positions,
        last: Positions,
    ) -> None:
        """Tell the cells with a comma and quotes at fault, each with its row.

        `marks` are the places of all quotes.
        """
        lines = np.flatnonzero(data == LF)
        rows = lines[outside[lines]]
        row = np.searchsorted(rows, first)
        begins = np.where(row > 0, rows[row - 1] + 1, 0) if rows.size else first * 0
        ends = np.append(rows, data.size)[row]
        in_row = np.searchsorted(marks, ends) - np.searchsorted(marks, begins)
        in_cell = np.searchsorted(marks, last) - np.searchsorted(marks, first)
        line = np.searchsorted(lines, first)
        is_whole = (row < rows.size) & ((row > 0) | (not self._is_within_row))
        is_clear = is_whole & (in_row == in_cell)
        is_clear &= _are_plain_inside(data, marks, first, last)
        for (rule, message), mask in ((_CLEAR, is_clear), (_UNCLEAR, ~is_clear)):
            places = np.flatnonzero(mask)
            listed = places[: self._found.room(rule)].tolist()
            for place in listed:
                cell = data[first[place] : last[place]].tobytes()
                finding = Finding(
                    level="blocks",
                    rule=rule,
                    message=message,
                    row=self._row + int(row[place]),
                    line=self._line + int(line[place]),
                    value=cell.decode(errors="replace")[:LONGEST_VALUE],
                )
                self._found.add(finding)
            self._found.count(rule, len(places) - len(listed))

    def _pass(self, block: bytes) -> bytes:
        """Let the rest of a cell through that is too long to be held."""
        data = np.frombuffer(block, np.uint8)
        outside = self._outside(data)
        ends = self._ends(data, outside)
        if not ends.size:
            self._line += block.count(b"\n")
            return block
        end = int(ends[0])
        self._line += block.count(b"\n", 0, end)
        self._is_too_long = False
        self._quotes.restart()
        # The end of the cell is the first byte of the next block, after an empty cell.
        return block[:end] + self.feed(block[end:])

    def _tell_too_long(self) -> None:
        message = (
            f"Row {self._row:,} has a cell of more than {_LONGEST_CELL:,} bytes, or a "
            "quote that opens it and is never closed. Salesforce takes 131,072 "
            "characters in a cell. Shorten it, or close the quote."
        )
        self._found.add(
            Finding(
                level="blocks",
                rule="long-cell",
                message=message,
                row=self._row,
                line=self._line,
            )
        )
