"""Everything that is done with a CSV file: check it, and write it as it will be sent.

The one way in is `check(data, primary_key=…)`. It takes the bytes of an upload and
returns a `Check`: the findings with their rows, and the exact bytes to send. Nothing
is repaired silently. Only what cannot change a value is converted (byte order mark,
line ends, empty lines after the last row), and each conversion is counted.

Rows are numbered as a spreadsheet shows them: the header is row 1. Lines are numbered
as an editor shows them, since a quoted cell may run over several.
"""

import codecs
import csv
import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from ampersand import LARGEST_CSV

Level = Literal["blocks", "warns", "notes"]

# Findings beyond this many of one rule are counted, not kept.
KEPT_PER_RULE = 50
PREVIEW_ROWS = 5

# RFC 4180: a cell is quoted with inner quotes doubled, or holds no quote at all.
_CELL = r'(?:"[^"]*(?:""[^"]*)*"|[^",\n]*)'
_RECORD = re.compile(rf"{_CELL}(?:,{_CELL})*\n?")

_SIGNATURES = {
    b"PK\x03\x04": "This is an Excel workbook or a ZIP archive, not a CSV file.",
    b"%PDF": "This is a PDF document, not a CSV file.",
    b"\xd0\xcf\x11\xe0": "This is an old Excel workbook, not a CSV file.",
    b"\xff\xfe": "This file is in UTF-16, not UTF-8.",
    b"\xfe\xff": "This file is in UTF-16, not UTF-8.",
}
_SAVE_AS = "In Excel, choose Save As, “CSV UTF-8 (Comma delimited)”."

csv.field_size_limit(2**31 - 1)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong or worth knowing.

    `rule` is its kind, "ragged-row"; `row`, `line` and `column` are None where the
    finding is about the file as a whole.
    """

    level: Level
    rule: str
    message: str
    row: int | None = None
    line: int | None = None
    column: str | None = None


@dataclass(kw_only=True)
class Check:
    """What checking a file told, and the bytes that would be sent.

    `rows` counts the rows below the header. `key` is the primary key as the header
    spells it, "" where it was not found. `totals` counts every finding by rule, also
    those that were not kept. Digests are SHA-256 in hex.
    """

    original_sha256: str
    original_size: int
    as_sent: bytes = b""
    as_sent_sha256: str = ""
    rows: int = 0
    columns: list[str] = field(default_factory=list)
    key: str = ""
    findings: list[Finding] = field(default_factory=list)
    totals: Counter[str] = field(default_factory=Counter)
    conversions: list[str] = field(default_factory=list)
    preview: list[list[str]] = field(default_factory=list)

    @property
    def blocks(self) -> bool:
        """Whether the file must not be sent as it is."""
        return any(finding.level == "blocks" for finding in self.findings)

    def add(self, level: Level, rule: str, message: str, **where: Any) -> None:
        """Count a finding, and keep it unless there are many of its kind."""
        self.totals[rule] += 1
        if self.totals[rule] <= KEPT_PER_RULE:
            finding = Finding(level=level, rule=rule, message=message, **where)
            self.findings.append(finding)

    def not_shown(self) -> int:
        """How many findings were counted and not kept."""
        return sum(self.totals.values()) - len(self.findings)

    def as_json(self) -> dict[str, Any]:
        """Return all but the bytes, to be stored with the write."""
        return {
            "original_sha256": self.original_sha256,
            "original_size": self.original_size,
            "as_sent_sha256": self.as_sent_sha256,
            "as_sent_size": len(self.as_sent),
            "rows": self.rows,
            "columns": self.columns,
            "key": self.key,
            "findings": [vars(finding) for finding in self.findings],
            "totals": dict(self.totals),
            "conversions": self.conversions,
            "preview": self.preview,
        }


def check(data: bytes, *, primary_key: str) -> Check:
    """Check the bytes of an upload for an upsert by the column `primary_key`."""
    result = Check(
        original_sha256=hashlib.sha256(data).hexdigest(), original_size=len(data)
    )
    text = _decode(data, result)
    if text is None:
        return result
    text = _with_lf(text, result)
    if not text.strip("\n"):
        result.add("blocks", "empty", "The file is empty.")
        return result
    text = _without_empty_tail(text, result)
    _check_records(text, primary_key, result)
    result.as_sent = text.encode()
    result.as_sent_sha256 = hashlib.sha256(result.as_sent).hexdigest()
    _check_size(result)
    result.findings.sort(key=lambda finding: (finding.level, finding.row or 0))
    return result


def _check_size(result: Check) -> None:
    size = len(result.as_sent)
    if size <= LARGEST_CSV:
        return
    message = (
        f"The file is {size:,} bytes as it would be sent; this way takes "
        f"{LARGEST_CSV:,} bytes (10 MiB). Split it, or put it on a URL: that way takes "
        "150 MiB."
    )
    result.add("blocks", "too-big", message)


def _decode(data: bytes, result: Check) -> str | None:
    """Return the text, or None with a finding where it is not UTF-8 text."""
    for signature, sentence in _SIGNATURES.items():
        if data.startswith(signature):
            result.add("blocks", "not-csv", f"{sentence} {_SAVE_AS}")
            return None
    # Programs that join files leave more than one.
    body = data
    while body.startswith(codecs.BOM_UTF8):
        body = body[3:]
    if body != data:
        data = body
        result.conversions.append(
            "A byte order mark at the start is left out: Salesforce would take it as "
            "part of the first column's name."
        )
    try:
        return data.decode()
    except UnicodeDecodeError:
        _find_bad_bytes(data, result)
        return None


def _find_bad_bytes(data: bytes, result: Check) -> None:
    for number, line in enumerate(data.splitlines(), start=1):
        try:
            line.decode()
        except UnicodeDecodeError as error:
            message = (
                f"Byte {line[error.start]:#04x} at position {error.start + 1} of line "
                f"{number} is not UTF-8. {_SAVE_AS}"
            )
            result.add("blocks", "not-utf-8", message, line=number)


def _with_lf(text: str, result: Check) -> str:
    """Return the text with LF everywhere, inside quoted cells too."""
    crlf = text.count("\r\n")
    if crlf:
        text = text.replace("\r\n", "\n")
        result.conversions.append(
            f"{crlf:,} line {'end' if crlf == 1 else 'ends'} CRLF go out as LF, the "
            "only one that Salesforce takes here."
        )
    lone = text.count("\r")
    if not lone:
        return text
    if "\n" not in text:
        result.conversions.append(f"{lone:,} line ends CR go out as LF.")
        return text.replace("\r", "\n")
    return _without_lone_cr(text, result)


def _without_lone_cr(text: str, result: Check) -> str:
    """Turn CR inside quotes into LF; outside, it is no line end and no value."""
    line = 1
    for number, part in enumerate(text.split('"')):
        before, carriage_return, _ = part.partition("\r")
        if carriage_return and number % 2 == 0:
            line += before.count("\n")
            message = (
                f"Line {line} holds a carriage return outside quotes. It could be a "
                "line end or part of a value; save the file anew with one kind of "
                "line end."
            )
            result.add("blocks", "lone-cr", message, line=line)
            return text
        line += part.count("\n")
    result.conversions.append(f"{text.count('\r'):,} CR inside cells go out as LF.")
    return text.replace("\r", "\n")


def _without_empty_tail(text: str, result: Check) -> str:
    body = text.rstrip("\n")
    empty = len(text) - len(body) - 1
    if empty > 0:
        lines = "line" if empty == 1 else "lines"
        result.conversions.append(f"{empty:,} empty {lines} at the end left out.")
    return body + "\n"


class _Record(NamedTuple):
    row: int
    line: int
    cells: list[str]
    raw: str


def _records(text: str) -> Iterator[_Record]:
    """Yield each record with its cells, first line and raw text. Raises csv.Error."""
    raw: list[str] = []

    def lines() -> Iterator[str]:
        for line in text.split("\n")[:-1]:
            raw.append(line + "\n")
            yield raw[-1]

    next_line = 1
    for row, cells in enumerate(csv.reader(lines(), strict=True), start=1):
        yield _Record(row, next_line, cells, "".join(raw))
        next_line += len(raw)
        raw.clear()


def _check_records(text: str, primary_key: str, result: Check) -> None:
    records = _records(text)
    keys: dict[str, list[int]] = {}
    row = 0
    readable = True
    try:
        for record in records:
            row = record.row
            if row == 1:
                _check_header(record, primary_key, result)
            else:
                _check_row(record, keys, result)
            _check_text(record, result)
    except csv.Error as error:
        readable = False
        rule, fault = _fault(error)
        message = f"Row {row + 1}: {fault} Rows after it could not be checked."
        result.add("blocks", rule, message, row=row + 1)
    if result.rows == 0 and readable:
        result.add("blocks", "no-rows", "There is a header and no row below it.")
    _check_repeats(keys, result)


def _fault(error: csv.Error) -> tuple[str, str]:
    """Return the rule that the parser stopped at, and what is wrong in words."""
    if "unexpected end of data" in str(error):
        return "quotes", "a quoted cell opens here and is never closed."
    if "new-line character" in str(error):
        return "lone-cr", "a carriage return stands outside quotes."
    return (
        "quotes",
        'after a closing quote only a comma may follow; double a quote inside (`""`).',
    )


def _check_header(record: _Record, primary_key: str, result: Check) -> None:
    result.columns = record.cells
    if not record.cells:
        message = "Row 1 is an empty line; the column names belong there."
        result.add("blocks", "blank-column", message, row=1, line=1)
        return
    seen: dict[str, int] = {}
    for number, name in enumerate(record.cells, start=1):
        where: dict[str, Any] = {"row": 1, "line": 1, "column": name or f"#{number}"}
        if not name.strip():
            message = f"Column {number} has no name."
            result.add("blocks", "blank-column", message, **where)
            continue
        if name != name.strip():
            message = (
                f"Column name “{name}” has spaces at its ends; Salesforce keeps them."
            )
            result.add("blocks", "column-spaces", message, **where)
        first = seen.setdefault(name.strip().casefold(), number)
        if first != number:
            message = (
                f"Columns {first} and {number} are both called “{name}”. Salesforce "
                "does not tell upper from lower case in names."
            )
            result.add("blocks", "repeated-column", message, **where)
    _find_key(primary_key, result)


def _find_key(primary_key: str, result: Check) -> None:
    fitting = [c for c in result.columns if c.casefold() == primary_key.casefold()]
    if not fitting:
        message = (
            f"The primary key “{primary_key}” is not in the header.{_hint(result)}"
        )
        result.add("blocks", "key-missing", message, row=1, line=1)
        return
    exact = primary_key in fitting
    result.key = primary_key if exact else fitting[0]
    if not exact:
        message = (
            f"The primary key was typed “{primary_key}”, the header spells it "
            f"“{result.key}”. The header's spelling is sent."
        )
        result.add("warns", "key-case", message, row=1, line=1, column=result.key)


def _hint(result: Check) -> str:
    """Guess why a header has one column only."""
    if len(result.columns) != 1:
        return f" It has: {', '.join(result.columns[:30])}."
    for sign, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "pipes")):
        if sign in result.columns[0]:
            return f" The columns seem to be separated by {name}; commas are needed."
    return f" It has one column: {result.columns[0]}."


def _check_row(record: _Record, keys: dict[str, list[int]], result: Check) -> None:
    result.rows += 1
    if len(result.preview) < PREVIEW_ROWS:
        result.preview.append(record.cells)
    width, wanted = len(record.cells), len(result.columns)
    if width != wanted and record.raw == "\n":
        message = f"Row {record.row} is an empty line. Remove it."
        result.add("blocks", "empty-row", message, row=record.row, line=record.line)
        return
    if width != wanted:
        cells = "cell" if width == 1 else "cells"
        message = f"Row {record.row} has {width} {cells}, the header has {wanted}."
        result.add("blocks", "ragged-row", message, row=record.row, line=record.line)
        return
    if result.key:
        _check_key(record, keys, result)


def _check_key(record: _Record, keys: dict[str, list[int]], result: Check) -> None:
    value = record.cells[result.columns.index(result.key)]
    if value and not value.isspace():
        keys.setdefault(value, []).append(record.row)
        return
    message = (
        f"Row {record.row} has no {result.key}. Without a key Salesforce may insert a "
        "new record each time."
    )
    where: dict[str, Any] = {"row": record.row, "line": record.line}
    result.add("blocks", "blank-key", message, column=result.key, **where)


def _check_text(record: _Record, result: Check) -> None:
    """Look for what `csv` takes without a word and Salesforce does not."""
    where: dict[str, Any] = {"row": record.row, "line": record.line}
    if "\0" in record.raw:
        message = f"Row {record.row} holds a NUL character."
        result.add("blocks", "nul", message, **where)
    if '"' in record.raw and not _RECORD.fullmatch(record.raw):
        message = (
            f"Row {record.row} has a quote inside a cell that is not quoted. Quote the "
            "whole cell and double the quote inside."
        )
        result.add("blocks", "quotes", message, **where)


def _check_repeats(keys: dict[str, list[int]], result: Check) -> None:
    for value, rows in keys.items():
        if len(rows) == 1:
            continue
        listed = ", ".join(str(row) for row in rows[:10])
        more = f" and {len(rows) - 10:,} more" if len(rows) > 10 else ""
        message = (
            f"{result.key} “{value[:100]}” stands in rows {listed}{more}. Which of "
            "them would win cannot be foretold; keep one."
        )
        result.add("blocks", "repeated-key", message, row=rows[1], column=result.key)
