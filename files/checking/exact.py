"""The exact path: record by record. It defines what is right."""

from array import array
from collections import Counter
from typing import BinaryIO

from files.checking.columns import Column, Kind, Verdict
from files.checking.ledger import ABOUT_ROW, Ledger, Mark
from files.checking.records import Records, Unreadable, readable
from files.checking.structure import (
    LONGEST_CELL,
    byte_problems,
    quote_problems,
    text_problems,
    width_problem,
)
from files.findings import PREVIEW_ROWS

# So many rows, or characters, are looked at together, column by column.
_ROWS, _CHARACTERS = 1_000, 2_000_000


def check_records(ledger: Ledger, file: BinaryIO, until: int | None = None) -> None:
    """Check the records from `ledger.offset` to the first border at or after `until`.

    Sets the ledger to that border, or to unreadable.
    """
    records = Records(
        file,
        offset=ledger.offset,
        row=ledger.row,
        line=ledger.line,
        on_bytes=ledger.at if until is None else None,
    )
    batch = _Batch(ledger)
    try:
        for cells in records:
            batch.take(records, cells)
            if until is not None and records.end >= until:
                break
            if not ledger.is_readable:
                break
        batch.tell()
    except Unreadable as error:
        batch.tell()
        mark = Mark(records.next_row, ABOUT_ROW, error.line, error.problem)
        ledger.tell([mark])
        ledger.is_readable = False
    ledger.offset, ledger.row, ledger.line = (
        records.end,
        records.next_row,
        records.next_line,
    )


class _Batch:
    """Some rows one below the other, so that values are judged once per column."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._clear()

    def _clear(self) -> None:
        self._cells: list[list[str]] = []
        self._rows = array("q")
        self._lines = array("q")
        self._marks: list[Mark] = []
        self._seen = 0
        self._characters = 0

    def take(self, records: Records, cells: list[str]) -> None:
        """Look at a record as such, and keep its cells if they fit the header."""
        ledger, raw = self._ledger, records.raw
        self._seen += 1
        self._characters += len(raw)
        if records.next_line - records.line > 1:
            ledger.lines.add([records.row], [records.next_line - records.line - 1])
        if (
            '"' in raw
            or len(cells) != ledger.width
            or len(raw) > LONGEST_CELL
            or "\r" in raw
            or "\0" in raw
            or (records.has_bad_bytes and not raw.isascii())
        ):
            cells = self._odd(records, cells)
        if records.row <= 1 + PREVIEW_ROWS:
            ledger.show([cells])
        if len(cells) == ledger.width:
            self._cells.append(cells)
            self._rows.append(records.row)
            self._lines.append(records.line)
        if self._seen >= _ROWS or self._characters > _CHARACTERS:
            self.tell()

    def _odd(self, records: Records, cells: list[str]) -> list[str]:
        """Mark what is wrong with a record; return its cells as they may be shown."""
        raw, row, line = records.raw, records.row, records.line
        is_damaged = records.has_bad_bytes and not raw.isascii()
        if is_damaged:
            for index, problem in byte_problems(raw):
                self._marks.append(Mark(row, ABOUT_ROW, line + index, problem))
        for problem in text_problems(raw, cells):
            self._marks.append(Mark(row, ABOUT_ROW, line, problem))
        for place, problem in quote_problems(raw, self._ledger.width):
            if place is None:
                self._marks.append(Mark(row, ABOUT_ROW, line, problem))
            else:
                self._marks.append(Mark(row, place, line, problem, cells[place]))
        wrong = width_problem(cells, self._ledger.width)
        if wrong:
            self._marks.append(Mark(row, ABOUT_ROW, line, wrong))
        if is_damaged or "\0" in raw:
            return [readable(cell) for cell in cells]
        return cells

    def tell(self) -> None:
        """Judge the cells, and tell all that was found."""
        self._ledger.passed(self._seen)
        for column, values in zip(
            self._ledger.columns, zip(*self._cells, strict=True), strict=False
        ):
            verdicts = column.odd(values)
            if column.is_key:
                self._keep_keys(values, verdicts)
            if verdicts:
                self._mark(column, values, verdicts)
        self._ledger.tell(self._marks)
        self._clear()

    def _keep_keys(self, texts: tuple[str, ...], verdicts: dict[str, Verdict]) -> None:
        blank = {text for text, verdict in verdicts.items() if verdict.is_keyless}
        if not blank:
            self._ledger.keys.add(self._rows, texts)
            return
        kept = [i for i, text in enumerate(texts) if text not in blank]
        self._ledger.keys.add([self._rows[i] for i in kept], [texts[i] for i in kept])

    def _mark(
        self, column: Column, values: tuple[str, ...], verdicts: dict[str, Verdict]
    ) -> None:
        if len(verdicts) == 1 and "" in verdicts and not verdicts[""].problems:
            kind = verdicts[""].kind
            self._count(column, kind, values.count(""), values.index(""))
            return
        totals: Counter[Kind] = Counter()
        first: dict[Kind, int] = {}
        for index, text in enumerate(values):
            verdict = verdicts.get(text)
            if verdict is None:
                continue
            if verdict.kind:
                totals[verdict.kind] += 1
                first.setdefault(verdict.kind, index)
            for problem in verdict.problems:
                row, line = self._rows[index], self._lines[index]
                self._marks.append(Mark(row, column.place, line, problem, text))
        for kind, total in totals.items():
            self._count(column, kind, total, first[kind])

    def _count(self, column: Column, kind: Kind, total: int, first: int) -> None:
        column.tallies[kind].add(total, self._rows[first], self._lines[first])
