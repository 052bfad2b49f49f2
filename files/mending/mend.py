"""Making the file as sent from the file as read, by an operator's recipe."""

import csv
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Self

from files.changes import Change, counted
from files.findings import Explain, Finding
from files.mending.cell_mending import CellMending
from files.mending.origin import Origin
from files.mending.recipes import Recipe
from files.mending.ways import NEVER, Way, turns
from files.raw_records import BLOCK, COPIED_AT_ONCE, read_records, regular_blocks

__all__ = ["Mended", "Origin", "mend"]

Progress = Callable[[int, int], None]
_TOLD_EVERY = 4 * 2**20


@dataclass(kw_only=True)
class Mended:
    """What mending did.

    `rows_held_back` were left out. `findings` are faults that cannot be seen any more
    in the file as sent: they belong into its report, with rows of the file as read; the
    first 1,000 are kept, `totals` counts them all by rule. `explain` says of a cell why
    it was not converted, by its row of the file as read and the name that its column is
    sent as. `is_same` says that the file as read is the one to send; then nothing was
    written.
    """

    changes: list[Change] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    totals: Counter[str] = field(default_factory=Counter)
    rows_held_back: int = 0
    is_same: bool = False
    origin: Origin = field(default_factory=Origin)
    explain: Explain | None = None


def mend(
    as_read: Path,
    as_sent: Path,
    recipe: Recipe,
    *,
    held_back: Path | None = None,
    progress: Progress | None = None,
    block: int = BLOCK,
) -> Mended:
    """Write the file as sent, and the rows left out with their header to `held_back`.

    Only cells that the recipe touches are written anew; all other records are copied
    byte for byte. A record with another number of cells than the header is copied too,
    and so is everything from the first record on that `csv` cannot read. `held_back`
    is written only if rows are left out. Raises InvalidRecipe if no column would be
    left, and whatever `progress` raises; then neither file is left behind.
    """
    if recipe.is_empty:
        return Mended(is_same=True)
    try:
        with (
            as_read.open("rb") as source,
            as_sent.open("wb") as sent,
            _HeldBack(held_back) as held,
        ):
            mended = _Pass(source, sent, held, recipe, progress).run(block)
    except BaseException:
        as_sent.unlink(missing_ok=True)
        if held_back is not None:
            held_back.unlink(missing_ok=True)
        raise
    if mended.is_same:
        as_sent.unlink()
    return mended


class _HeldBack:
    """The file of the rows left out: it is there as soon as there is one."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self.header = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def write(self, records: bytes) -> None:
        if self._path is None:
            return
        if self._file is None:
            self._file = self._path.open("wb")
            self._file.write(self.header)
        self._file.write(records)


class _Pass:
    """One pass over the file: where it stands, and what came of it so far."""

    def __init__(
        self,
        source: BinaryIO,
        sent: BinaryIO,
        held: _HeldBack,
        recipe: Recipe,
        progress: Progress | None,
    ) -> None:
        self._source, self._sent, self._held = source, sent, held
        self._recipe, self._progress = recipe, progress
        self._turns = turns(recipe)
        self._turn = next(self._turns)
        self._way: Way = "send"
        self._row = 1  # the next one
        self._done = self._told = 0  # bytes
        self._rows: dict[Way, int] = {"send": 0, "hold": 0, "skip": 0}
        self._line_shift = 0
        self._has_shifted = False
        self._unreadable = 0
        self._cells = CellMending([], recipe)
        self._origin = Origin()
        self._differs = False

    def run(self, block: int) -> Mended:
        """Do all of it."""
        try:
            self._take_header()
            self._take_blocks(block)
            self._take_records()
        except csv.Error:
            self._take_rest()
        if self._progress is not None:
            self._progress(self._done, self._row - 1)
        return Mended(
            changes=self._changes(),
            findings=self._cells.findings,
            totals=self._cells.totals,
            rows_held_back=self._rows["hold"],
            is_same=not self._differs,
            origin=self._origin,
            explain=self._cells.explain,
        )

    def _take_header(self) -> None:
        for cells, raw in read_records(self._source):
            self._cells = CellMending(cells, self._recipe)
            self._held.header = raw
            self._write(raw, self._cells.header(raw))
            self._row, self._done = 2, len(raw)
            return

    def _take_blocks(self, block: int) -> None:
        """Take many rows at once as long as they are surely whole records."""
        self._source.seek(self._done)
        if self._row == 1:
            return
        for found in regular_blocks(self._source, block=block):
            taken = start = 0
            while taken < found.ends.size:
                self._turn_if_due()
                rows = min(found.ends.size - taken, self._turn[0] - self._row)
                taken += rows
                end = int(found.ends[taken - 1])
                self._take_whole(found.data[start:end], rows)
                start = end
            self._tell()

    def _take_whole(self, records: bytes, rows: int) -> None:
        if self._way != "send" or not self._cells.changes_records:
            self._take(records, records, rows)
            return
        for raw, sent, count in self._cells.records(self._row, records):
            self._take(raw, sent, count)

    def _take_records(self) -> None:
        self._source.seek(self._done)
        if self._row == 1:
            return
        for cells, raw in read_records(self._source):
            self._turn_if_due()
            sends = self._way == "send"
            sent = self._cells.record(self._row, cells, raw) if sends else raw
            self._take(raw, sent, 1)
            self._tell()

    def _take_rest(self) -> None:
        """Copy what `csv` cannot read, unless a trial ended before it."""
        self._turn_if_due()
        self._unreadable = self._row
        if self._row == 1 or (self._way == "skip" and self._turn == NEVER):
            return
        self._note_origin()
        self._source.seek(self._done)
        while data := self._source.read(COPIED_AT_ONCE):
            self._sent.write(data)
            self._done += len(data)
            self._tell()

    def _turn_if_due(self) -> None:
        if self._row == self._turn[0]:
            self._way = self._turn[1]
            self._turn = next(self._turns, NEVER)

    def _take(self, raw: bytes, sent: bytes, rows: int) -> None:
        if self._way == "send":
            if self._has_shifted:
                self._note_origin()
            self._write(raw, sent)
        else:
            self._differs = self._has_shifted = True
            self._line_shift += raw.count(b"\n")
            if self._way == "hold":
                self._held.write(raw)
        self._rows[self._way] += rows
        self._row += rows
        self._done += len(raw)

    def _write(self, raw: bytes, sent: bytes) -> None:
        self._sent.write(sent)
        if sent is raw:
            return
        self._differs = True
        self._line_shift += raw.count(b"\n") - sent.count(b"\n")
        self._has_shifted = True

    def _note_origin(self) -> None:
        row = 2 + self._rows["send"]
        self._origin.shift(row, rows=self._row - row, lines=self._line_shift)
        self._has_shifted = False

    def _tell(self) -> None:
        if self._progress is None or self._done - self._told < _TOLD_EVERY:
            return
        self._told = self._done
        self._progress(self._done, self._row - 1)

    def _blank_rows(self) -> int:
        """Return how many of the rows held back are out because they are blank."""
        first = 2 + self._recipe.skip_first
        last = first + self._rows["send"] + self._rows["hold"] - 1
        return sum(
            max(min(end, last) - max(begin, first) + 1, 0)
            for begin, end in self._recipe.blank_ranges()
        )

    def _changes(self) -> list[Change]:
        changes = self._cells.changes()
        blank = self._blank_rows()
        if blank:
            what = f"{counted(blank, 'blank row')} excluded."
            changes.append(Change(what, blank, ("blank_rows",)))
        if held := self._rows["hold"] - blank:
            what = f"{counted(held, 'row')} excluded."
            changes.append(Change(what, held, ("left_out",)))
        if skipped := self._rows["skip"]:
            what = f"{counted(skipped, 'row')} not in this part of the trial."
            changes.append(Change(what, skipped))
        if self._unreadable:
            what = (
                f"Row {self._unreadable:,} cannot be read as CSV: nothing was changed "
                "from there on."
            )
            changes.append(Change(what, 0))
        return changes
