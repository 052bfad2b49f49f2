"""Checking a file as it would be sent: everything that is wrong with it, at once.

`check` goes one of two ways with one result. The exact path (`exact`) defines what is
right, record by record; the fast path (`fast`) looks at blocks of bytes at once as far
as it can prove them regular.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Literal

from files.checking.cell_keys import CellKeys
from files.checking.columns import Column, tell_tallies
from files.checking.exact import check_records
from files.checking.fast import BLOCK, check_blocks
from files.checking.header import check_header, has_key, tell_title
from files.checking.keys import (
    Fold,
    KeyTexts,
    SharedKey,
    fold_id,
    fold_text,
    key_problems,
    nth_row,
)
from files.checking.ledger import Ledger, Mark, Progress, Start
from files.checking.purposes import Purpose
from files.checking.records import Records, Unreadable, readable
from files.checking.structure import (
    MOST_COLUMNS,
    byte_problems,
    quote_problems,
    text_problems,
)
from files.field import Field
from files.fields.inference import SAMPLE, infer
from files.findings import LISTED_PER_GROUP, Finding, Report
from files.values.problems import Problem
from files.values.rules import NULL

Engine = Literal["auto", "exact", "fast"]

# Below this many bytes the exact path is as quick.
WORTH_BLOCKS = 2**20
# Columns are inferred from so many bytes at most, besides so many rows.
SAMPLE_BYTES = 2**22
# So many cells at most are looked at for it, where there are many columns.
SAMPLE_CELLS = 50_000
# A header is looked for so far down.
LAST_TITLE_ROW = 50


def check(
    path: Path,
    *,
    key: str | None,
    fields: Sequence[Field] = (),
    key_names: Sequence[str] = (),
    report: Report | None = None,
    purpose: Purpose = "upsert",
    engine: Engine = "auto",
    progress: Progress | None = None,
    block: int = BLOCK,
) -> Report:
    """Check the file at `path` for a write by the column `key`, None if by none.

    The file is as it would be sent: UTF-8, LF, commas; nothing of that is taken for
    granted. `fields` are those of the object; without any they are inferred from the
    first 1,000 rows, and what is found by them only warns. `key_names` is what the key
    is called besides, as in the file before it was mended; `purpose` is what the rows
    are for. Findings are added to `report` row by row, those about whole columns at the
    end. `block` is the number of bytes that the fast path looks at together. Raises
    OSError, and what `progress` (bytes and rows done) raises.
    """
    report = report or Report()
    if engine == "auto":
        engine = "exact" if path.stat().st_size < WORTH_BLOCKS else "fast"
    with path.open("rb") as file:
        table = _open(file, key, fields, report, purpose)
        if table is None:
            return report
        columns, start = _for_rows(*table, key_names, purpose)
        fold = _fold(columns)
        if engine == "exact":
            texts = KeyTexts(fold)
            ledger = Ledger(columns, report, texts, start, progress)
            check_records(ledger, file)
        else:
            cells = CellKeys(fold, file)
            ledger = Ledger(columns, report, cells, start, progress)
            check_blocks(ledger, cells, file, block)
        ledger.has_ended = True
        _tell_keys(ledger)
    if ledger.is_readable and not report.rows:
        message = "The file has a header and no rows below it. Add rows."
        report.add("blocks", "no-rows", message)
    tell_tallies(ledger.columns, report)
    return report


def check_record(
    header: bytes,
    record: bytes,
    *,
    row: int,
    key: str | None,
    fields: Sequence[Field] = (),
    purpose: Purpose = "upsert",
) -> list[Finding]:
    """Return what the rules tell of one record alone: of `row`, as it would be sent.

    `header` and `record` are its lines. What only other rows show is not among it, as
    a key that stands twice; the rest is as for `check`.
    """
    found: list[Finding] = []
    report = Report(sink=found.append, origin=_AtRow(row))
    with BytesIO(header + record) as file:
        table = _open(file, key, fields, report, purpose)
        if table is None:
            return []
        columns, start = _for_rows(*table, (), purpose)
        check_records(Ledger(columns, report, KeyTexts(_fold(columns)), start), file)
    return [finding for finding in found if finding.row == row]


class _AtRow:
    """The origin of a record that is looked at alone."""

    def __init__(self, row: int) -> None:
        self._row = row

    def row(self, row: int) -> int:
        return self._row

    def line(self, row: int, line: int) -> int:
        return line


def _for_rows(
    columns: list[Column], start: Start, key_names: Sequence[str], purpose: Purpose
) -> tuple[list[Column], Start]:
    """Tell the columns what their rows are for."""
    for column in columns:
        column.key_names = tuple(key_names)
        column.purpose = purpose
    return columns, start


def _open(
    file: BinaryIO,
    key: str | None,
    fields: Sequence[Field],
    report: Report,
    purpose: Purpose,
) -> tuple[list[Column], Start] | None:
    """Check the header; return the columns and where the rows begin, if there are."""
    records = Records(file)
    try:
        names = next(iter(records), [])
    except Unreadable as error:
        _tell_first(report, error.problem, error.line)
        return None
    can_look = key is not None and len(names) <= MOST_COLUMNS
    if key is not None and can_look and not has_key(names, key, fields):
        below = _key_below(file, key, fields)
        if below is not None:
            tell_title(*below, key, report)
            return None
    if not names:
        _tell_no_header(file, report)
        return None
    _tell_odd_header(records, names, report)
    names = [readable(name) for name in names]
    length = len(records.raw.rstrip("\r\n"))
    columns = check_header(names, length, key, fields, report, purpose)
    if not columns:
        return None
    start = Start(records.end, records.next_row, records.next_line)
    if not fields:
        _infer(columns, file, start)
    return columns, start


def _key_below(
    file: BinaryIO, key: str, fields: Sequence[Field]
) -> tuple[int, int] | None:
    """Return the row and line below the first one that hold the key's name."""
    records = Records(file)
    try:
        for cells in records:
            if records.row > LAST_TITLE_ROW:
                return None
            if has_key(cells, key, fields):
                return records.row, records.line
    except Unreadable:
        pass
    return None


def _tell_odd_header(records: Records, names: list[str], report: Report) -> None:
    if records.has_bad_bytes:
        for index, problem in byte_problems(records.raw):
            _tell_first(report, problem, 1 + index)
    for problem in text_problems(records.raw, names):
        _tell_first(report, problem, 1)
    for _, problem in quote_problems(records.raw, len(names)):
        _tell_first(report, problem, 1)


def _tell_first(report: Report, problem: Problem, line: int) -> None:
    report.add(problem.level, problem.rule, problem.message, row=1, line=line)


def _tell_no_header(file: BinaryIO, report: Report) -> None:
    file.seek(0)
    while chunk := file.read(2**20):
        if chunk.strip(b"\r\n"):
            message = (
                "Row 1 is blank; it must have the column names. Rows below it "
                "could not be checked."
            )
            report.add("blocks", "blank-column", message, row=1, line=1)
            return
    report.add("blocks", "empty", "The file is empty. Choose another file.")


def _infer(columns: list[Column], file: BinaryIO, start: Start) -> None:
    """Guess each column's field from the first rows."""
    offset, row, _ = start
    sample: list[list[str]] = []
    rows = min(SAMPLE, max(SAMPLE_CELLS // len(columns), 2))
    records = Records(file, offset=offset, row=row)
    try:
        for cells in records:
            if len(cells) == len(columns):
                sample.append([readable(cell) for cell in cells])
            if records.row >= row + rows - 1 or records.end - offset > SAMPLE_BYTES:
                break
    except Unreadable:
        pass
    for column, values in zip(columns, zip(*sample, strict=True), strict=False):
        filled = [value for value in values if value.strip() and value != NULL]
        column.field = infer(column.name, filled)


def _fold(columns: list[Column]) -> Fold:
    """Return what keys have in common that Salesforce takes for one."""
    field = next((column.field for column in columns if column.is_key), None)
    return fold_id if field is not None and field.type == "id" else fold_text


def _tell_keys(ledger: Ledger) -> None:
    """Tell the rows whose key is not theirs alone."""
    if ledger.key is None:
        return
    keys, origin = ledger.keys, ledger.report.origin
    key = ledger.key
    found = key_problems(keys.shared(), keys.fold, key.name, origin, key.purpose)
    by_rule: defaultdict[str, list[SharedKey]] = defaultdict(list)
    for one in found:
        by_rule[one.problem.rule].append(one)
    marks: list[Mark] = []
    for of_rule in by_rule.values():
        marks += _marks(of_rule, ledger, key)
    ledger.tell(marks)


def _marks(found: Sequence[SharedKey], ledger: Ledger, column: Column) -> list[Mark]:
    """Return the rows to be listed of those that share a key; the others are counted.

    There can be as many as the file has rows.
    """
    last = nth_row(found, LISTED_PER_GROUP)
    marks = []
    for text, rows, problem in found:
        listed = len(rows) if last is None else bisect_right(rows, last)
        marks += [
            Mark(row, column.place, ledger.lines.of(row), problem, text)
            for row in rows[:listed]
        ]
        if listed < len(rows):
            more = len(rows) - listed
            ledger.report.count(problem.level, problem.rule, column.name, more)
    return marks
