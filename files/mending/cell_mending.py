"""Mending the cells of one record after the other; the rest stays byte for byte."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO

from files.changes import Change, counted
from files.checking.blocks import Table
from files.findings import Finding
from files.mending.cleaning import Cleaning
from files.mending.conversions import Converter, Outcome, converter, why_it_stays
from files.mending.places import cells_of, regular
from files.mending.recipes import (
    ColumnRecipe,
    DateConversion,
    InvalidRecipe,
    Recipe,
    column_names,
)
from files.quoting import cells_to_quote, quoted, written_cells
from files.raw_records import read_records
from files.shown import shown
from files.values.boolean_words import boolean_of
from files.values.number_marks import number_of
from files.values.rules import NULL

# Findings beyond this many are counted, not kept.
KEPT_FINDINGS = 1_000
# So many cells that were not converted are remembered, to say why at their row.
KEPT_CELLS = 100_000
_STAYS: dict[Outcome, str] = {
    "misfit": "did not fit the format",
    "time": "would have lost a time of day",
    "no-zone": "have no time zone, and none was chosen",
    "skipped-hour": "have a time that does not exist, since clocks went forward",
    "repeated-hour": "have a time that exists twice, since clocks went back",
}


class CellMending:
    """Follows the part of a recipe that is about cells, record by record.

    Made from the cells of the header. Raises InvalidRecipe where no column would be
    left. A record with another number of cells than the header is not touched.
    """

    def __init__(self, header: Sequence[str], recipe: Recipe) -> None:
        names = column_names(header)
        columns = {name: recipe.columns.get(name) for name in names}
        self._header, self._names = list(header), names
        self._sent_as = {
            index: column.name
            for index, column in enumerate(columns.values())
            if column is not None and (column.name != header[index] or not column.name)
        }
        self._steps = [
            (index, ColumnStep(name, column))
            for index, (name, column) in enumerate(columns.items())
            if column is not None and column.changes_cells
        ]
        self._constants = recipe.constants if header else ()
        self._kept = [i for i in range(len(header)) if self._sent_as.get(i, "-")]
        self._width = len(self._kept) + len(self._constants)
        if header and not self._width:
            raise InvalidRecipe("Every column is excluded; keep at least one.")
        self._edits = _edits(names, recipe)
        self._quotes = recipe.quotes
        self._put_in_quotes = 0
        self._edited = 0
        self._unedited = len(recipe.cells)
        self._absent = [name for name in recipe.columns if name not in columns]
        self._ragged = 0
        self._stayed: dict[tuple[int, str], tuple[DateConversion, Outcome]] = {}
        self.findings: list[Finding] = []
        self.totals: Counter[str] = Counter()

    @property
    def _is_recut(self) -> bool:
        return bool(self._constants) or len(self._kept) < len(self._header)

    @property
    def changes_records(self) -> bool:
        """Whether records below the header may change."""
        return bool(self._steps or self._edits) or self._is_recut or self._quotes

    def header(self, raw: bytes) -> bytes:
        """Return the header record to send."""
        names = [name for name, _ in self._constants]
        in_quotes = self._cells_in_quotes(raw, self._header)
        return self._recut(raw, in_quotes | self._sent_as, names)

    def record(self, row: int, cells: list[str], raw: bytes) -> bytes:
        """Return the record to send: the same bytes if nothing in it changes.

        `row` is its row in the file as read, `cells` and `raw` are what it holds.
        """
        if len(cells) != len(self._header):
            self._leave_ragged(row, len(cells))
            return raw
        edits = self._edits.get(row, {})
        changed = self._cells_in_quotes(raw, cells)
        for index, step in self._steps:
            if index in edits:
                continue
            text = self._mended(row, step, cells[index])
            if text != cells[index]:
                changed[index] = text
        self._edited += len(edits)
        for index, text in edits.items():
            if text != cells[index]:
                changed[index] = text
        return self._recut(raw, changed, [value for _, value in self._constants])

    def _mended(self, row: int, step: "ColumnStep", cell: str) -> str:
        text = step.mend(cell)
        if step.stayed is not None and len(self._stayed) < KEPT_CELLS:
            self._stayed[row, step.sent_as] = step.stayed
        return text

    def records(self, row: int, raw: bytes) -> Iterator[tuple[bytes, bytes, int]]:
        """Yield whole records, some at a time: as they are, as to be sent, how many.

        `row` is that of the first. Where only columns are mended, and the records are
        proved to be regular, no more than the changed cells is written anew; the result
        is that of `record`.
        """
        is_simple = len(self._header) > 1 and not (
            self._edits or self._is_recut or self._quotes
        )
        table = regular(raw, len(self._header)) if is_simple else None
        if table is not None:
            yield from self._spliced(row, table, raw)
            return
        for cells, record in read_records(BytesIO(raw)):
            yield record, self.record(row, cells, record), 1
            row += 1

    def _spliced(
        self, row: int, table: Table, raw: bytes
    ) -> Iterator[tuple[bytes, bytes, int]]:
        """Yield records up to each one that gets more or fewer lines."""
        columns = [(step, cells_of(table, index)) for index, step in self._steps]
        ends = cells_of(table, len(self._header) - 1).ends
        begin = done = rows = 0
        pieces: list[bytes] = []
        for number in range(table.rows):
            rows += 1
            lines = 0
            for step, cells in columns:
                old = cells.texts[number]
                new = self._mended(row + number, step, old)
                if new == old:
                    continue
                written = quoted(new).encode("utf-8", "surrogateescape")
                pieces += raw[done : cells.starts[number]], written
                done = cells.ends[number]
                lines += new.count("\n") - old.count("\n")
            if not lines and number < table.rows - 1:
                continue
            # The line end follows.
            end = ends[number] + 1
            before = raw[begin:end]
            after = b"".join([*pieces, raw[done:end]]) if pieces else before
            yield before, after, rows
            begin = done = end
            rows = 0
            pieces = []

    def _cells_in_quotes(self, raw: bytes, cells: list[str]) -> dict[int, str]:
        """Return the cells that hold quotes and lack their own, where that is clear."""
        if not self._quotes or b'"' not in raw:
            return {}
        text = raw.decode("utf-8", "surrogateescape")
        places = cells_to_quote(text, len(self._header)) or ()
        self._put_in_quotes += len(places)
        return {place: cells[place] for place in places}

    def _recut(
        self, raw: bytes, changed: dict[int, str], constants: Sequence[str]
    ) -> bytes:
        if not changed and not self._is_recut:
            return raw
        text = raw.decode("utf-8", "surrogateescape")
        body = text.rstrip("\r\n")
        written = written_cells(body)
        for index, cell in changed.items():
            written[index] = quoted(cell)
        sent = [written[index] for index in self._kept]
        sent += [quoted(value) for value in constants]
        # A blank cell alone would be a blank line, and no record.
        joined = ",".join(sent) or '""'
        return (joined + text[len(body) :]).encode("utf-8", "surrogateescape")

    def _leave_ragged(self, row: int, width: int) -> None:
        self._ragged += 1
        if width != self._width or not self._is_recut:
            return
        # As sent, this record would look as if nothing were wrong with it.
        self.totals["ragged-row"] += 1
        if len(self.findings) < KEPT_FINDINGS:
            message = (
                f"Row {row:,} has {counted(width, 'cell')}, the header has "
                f"{len(self._header):,} before columns are added or excluded. Exclude "
                "the row, or fix it in the file."
            )
            finding = Finding(
                level="blocks", rule="ragged-row", message=message, row=row
            )
            self.findings.append(finding)

    def explain(self, row: int, column: str, text: str) -> str | None:
        """Return why a cell of the file as read was not converted, if it was not."""
        stayed = self._stayed.get((row, column))
        return None if stayed is None else why_it_stays(stayed[0], text, stayed[1])

    def changes(self) -> list[Change]:
        """Return what was changed so far, and what of the recipe found no place."""
        changes = [self._header_change(index) for index in self._sent_as]
        for name, value in self._constants:
            what = f"Column {shown(name)} is added with {shown(value)} in every row."
            changes.append(Change(what, 1, ("constants", name)))
        for _, step in self._steps:
            changes += step.changes()
        if self._put_in_quotes:
            cells = counted(self._put_in_quotes, "cell")
            what = f"{cells} with quotes inside quoted."
            changes.append(Change(what, self._put_in_quotes, ("quotes",)))
        if self._edited:
            what = f"{counted(self._edited, 'cell')} edited by hand."
            changes.append(Change(what, self._edited, ("cells",)))
        return [*changes, *self._without_effect()]

    def _header_change(self, index: int) -> Change:
        name, sent_as = self._header[index], self._sent_as[index]
        column = shown(name) if name.strip() else f"#{index + 1}"
        undo = "name", self._names[index]
        if not sent_as:
            return Change(f"Column {column} is excluded.", 1, undo)
        return Change(f"Column {column} is sent as {shown(sent_as)}.", 1, undo)

    def _without_effect(self) -> list[Change]:
        changes = []
        for name in self._absent:
            what = f"Column {shown(name)} is not in this file: nothing to change."
            changes.append(Change(what, 0))
        missed = self._unedited - self._edited
        if missed:
            what = (
                f"{counted(missed, 'cell')} edited by hand could not be changed: the "
                "row is not sent, has the wrong number of columns, or does not exist."
            )
            changes.append(Change(what, 0))
        if self._ragged and self.changes_records:
            what = (
                f"{counted(self._ragged, 'row')} with the wrong number of columns "
                f"{_stays(self._ragged)}."
            )
            changes.append(Change(what, self._ragged))
        return changes


class ColumnStep:
    """What happens to the cells of one column, and how often it did.

    `stayed` says of the last cell why it was not converted, if it was not.
    """

    def __init__(self, name: str, recipe: ColumnRecipe) -> None:
        self._name = name
        self._recipe = recipe
        self.sent_as = recipe.name
        self.stayed: tuple[DateConversion, Outcome] | None = None
        self._converting = _converting(recipe)
        self._cleaning = Cleaning(recipe)
        self._instead = dict(recipe.replaced)
        self._nulls = 0
        self._outcomes: Counter[tuple[str, Outcome]] = Counter()
        self._replaced: Counter[str] = Counter()

    def mend(self, cell: str) -> str:
        """Return the text to send for a cell."""
        self.stayed = None
        text = self._cleaning.clean(cell)
        if not text or text.isspace():
            if not self._recipe.blank_to_null:
                return text
            self._nulls += 1
            return NULL
        if text != NULL:
            for part, convert in self._converting:
                text = self._converted(part, convert, text)
        if text not in self._instead:
            return text
        self._replaced[text] += 1
        return self._instead[text]

    def _converted(self, part: str, convert: Converter, text: str) -> str:
        text, outcome = convert(text)
        self._outcomes[part, outcome] += 1
        if outcome in _STAYS and self._recipe.dates is not None and part == "dates":
            self.stayed = self._recipe.dates, outcome
        return text

    def changes(self) -> list[Change]:
        """Return what was done so far, each with its count."""
        name = shown(self._name)
        changes = self._cleaning.changes(self._name)
        if count := self._nulls:
            cells = f"{counted(count, 'cell')} of {name}"
            what = f"{cells}: blank, now {NULL}, which clears the field."
            changes.append(Change(what, count, ("blank_to_null", self._name)))
        for part, _ in self._converting:
            changes += self._converted_changes(part)
        for was, count in self._replaced.items():
            what = (
                f"{counted(count, 'cell')} of {name}: {shown(was)} replaced with "
                f"{shown(self._instead[was])}."
            )
            changes.append(Change(what, count, ("replaced", self._name, was)))
        return changes

    def _converted_changes(self, part: str) -> list[Change]:
        changes = []
        undo = part, self._name
        if count := self._outcomes[part, "converted"]:
            cells = f"{counted(count, 'cell')} of {shown(self._name)}"
            changes.append(Change(f"{cells}: {_CONVERTED[part]}.", count, undo))
        for outcome, why in _STAYS.items():
            if count := self._outcomes[part, outcome]:
                cells = f"{counted(count, 'cell')} of {shown(self._name)}"
                what = f"{cells} {why} and {_stays(count)}."
                changes.append(Change(what, count))
        return changes


_CONVERTED = {
    "dates": "converted to Salesforce's date format",
    "numbers": "converted to Salesforce's number format",
    "booleans": "yes and no, now true and false",
}


def _converting(recipe: ColumnRecipe) -> list[tuple[str, Converter]]:
    """Return what converts the cells of a column, by the part of its recipe."""
    found: list[tuple[str, Converter]] = []
    if recipe.dates is not None:
        found.append(("dates", converter(recipe.dates)))
    if mark := recipe.numbers:
        found.append(("numbers", _outcome_of(lambda text: number_of(text, mark))))
    if recipe.booleans:
        found.append(("booleans", _outcome_of(boolean_of)))
    return found


def _outcome_of(read: Callable[[str], str | None]) -> Converter:
    def convert(text: str) -> tuple[str, Outcome]:
        found = read(text)
        if found is None:
            return text, "misfit"
        return found, "right" if found == text else "converted"

    return convert


def _stays(count: int) -> str:
    return "stays unchanged" if count == 1 else "stay unchanged"


def _edits(names: Sequence[str], recipe: Recipe) -> dict[int, dict[int, str]]:
    """Return the cells changed by hand: for each row, the new text by position."""
    positions = {name: index for index, name in enumerate(names)}
    edits: dict[int, dict[int, str]] = {}
    for (row, name), text in recipe.cells.items():
        if name in positions:
            edits.setdefault(row, {})[positions[name]] = text
    return edits
