"""The columns of a table, and what is to be said of their cells."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Literal, NamedTuple

from files.checking.no_records import NoRecords
from files.field import Field
from files.findings import ROW, Report
from files.values.problems import Problem
from files.values.rules import NULL, problem

Kind = Literal["", "blank", "null", "spaced"]

# Values found sound are remembered up to this many, if they are not long.
_REMEMBERED, _LONGEST_REMEMBERED = 20_000, 50


class Verdict(NamedTuple):
    """What is to be said of a cell: its kind, counted once, and its own problems."""

    kind: Kind
    problems: tuple[Problem, ...] = ()

    @property
    def is_keyless(self) -> bool:
        """Whether the cell should hold a key and does not."""
        return any(problem.rule == "blank-key" for problem in self.problems)


class Tally:
    """How many cells of a kind a column has, and where the first one stands."""

    def __init__(self) -> None:
        self.total = 0
        self.row: int | None = None
        self.line: int | None = None

    def add(self, total: int, row: int, line: int) -> None:
        """Count cells of which the first stands at `row`; calls come in row order."""
        if self.row is None:
            self.row, self.line = row, line
        self.total += total


class Column:
    """One column: its place (0-based), its name and the field that it fills.

    `field` is None where nothing is known of its values: they are not checked.
    `key_names` is what a column of keys is called besides: in the file as read.
    """

    def __init__(
        self, place: int, name: str, field: Field | None = None, *, is_key: bool = False
    ) -> None:
        self.place = place
        self.name = name or f"#{place + 1}"
        self.field = field
        self.is_key = is_key
        self.tallies: dict[Kind, Tally] = {
            "blank": Tally(),
            "null": Tally(),
            "spaced": Tally(),
        }
        self.key_names: tuple[str, ...] = ()
        self._sound: set[str] = set()
        self._remembers = not is_key
        self._seen = self._fresh = 0

    @cached_property
    def no_records(self) -> NoRecords:
        """What tells rows that are no records by their key."""
        known = (self.field.name, self.field.label) if self.field else ()
        return NoRecords((self.name, *known, *self.key_names))

    @property
    def is_required(self) -> bool:
        """Whether Salesforce refuses a new record without a value here."""
        return self.field is not None and self.field.is_required

    def judge(self, text: str) -> Verdict | None:
        """Return what is to be said of a cell, None where it is sound."""
        if self.is_key:
            return self._judge_key(text)
        if text == "":
            return _BLANK if not self.is_required else Verdict("blank", (self._lacks,))
        if text == NULL:
            return _NULL if not self.is_required else Verdict("null", (self._clears,))
        found = problem(self.field, text) if self.field else None
        if found is None:
            return None if text.strip() == text else _SPACED
        return Verdict("" if text.strip() == text else "spaced", (found,))

    def odd(self, texts: Sequence[str]) -> dict[str, Verdict]:
        """Return the verdicts on those texts of which something is to be said."""
        fresh = set(texts)
        if self._remembers:
            fresh -= self._sound
        judge = self.judge
        verdicts = {text: verdict for text in fresh if (verdict := judge(text))}
        if self._remembers:
            self._remember(fresh.difference(verdicts), len(texts))
        return verdicts

    def _remember(self, sound: set[str], seen: int) -> None:
        """Remember values found sound, unless hardly any comes again."""
        self._seen += seen
        self._fresh += len(sound)
        if self._seen > _REMEMBERED:
            self._remembers = self._fresh < 0.8 * self._seen
            self._seen = self._fresh = 0
        if not self._remembers or len(self._sound) + len(sound) > _REMEMBERED:
            self._sound.clear()
        elif all(len(text) <= _LONGEST_REMEMBERED for text in sound):
            self._sound |= sound

    def _judge_key(self, text: str) -> Verdict | None:
        if text == NULL or not text.strip():
            return Verdict("", (self._keyless,))
        told = (
            self._spaced_key if text != text.strip() else None,
            problem(self.field, text) if self.field else None,
            self.no_records.problem(text),
        )
        problems = tuple(each for each in told if each)
        return Verdict("", problems) if problems else None

    @property
    def _lacks(self) -> Problem:
        message = (
            f"Row {ROW} has no {self.name}, which is required: Salesforce would "
            "refuse to make a new record from it. Fill it in, unless it is an update."
        )
        return Problem("warns", "required-blank", message)

    @property
    def _clears(self) -> Problem:
        message = (
            f"Row {ROW} would clear {self.name} with {NULL}, but it is required. "
            "Fill it in, or leave the cell blank."
        )
        return Problem("warns", "required-blank", message)

    @property
    def _keyless(self) -> Problem:
        message = (
            f"Row {ROW} has no {self.name}. Without a key Salesforce may insert a "
            "new record each time. Fill it in, or leave the row out."
        )
        return Problem("blocks", "blank-key", message)

    @property
    def _spaced_key(self) -> Problem:
        message = (
            f"The {self.name} of row {ROW} has spaces at its ends, so it may not "
            "match the record that is meant. Trim it."
        )
        return Problem("blocks", "key-spaces", message)


_BLANK, _NULL, _SPACED = Verdict("blank"), Verdict("null"), Verdict("spaced")


def tell_tallies(columns: Sequence[Column], report: Report) -> None:
    """Add a finding for each kind of cell of each column."""
    for column in columns:
        for rule, kind, wording in _SAID:
            tally = column.tallies[kind]
            if not tally.total:
                continue
            message = wording(tally.total, column.name)
            report.add(
                "notes",
                rule,
                message,
                row=tally.row,
                line=tally.line,
                column=column.name,
            )


def _blanks(total: int, name: str) -> str:
    these = (
        "leaves this field as it is"
        if total == 1
        else "leaves these fields as they are"
    )
    return (
        f"{_cells(total, name)} blank: Salesforce {these}; a blank does not clear. "
        f"{NULL} clears."
    )


def _nulls(total: int, name: str) -> str:
    those = "this field" if total == 1 else "these fields"
    return f"{_cells(total, name)} {NULL}: Salesforce clears {those}."


def _spaced(total: int, name: str) -> str:
    begin = "begins or ends" if total == 1 else "begin or end"
    cells = "cell" if total == 1 else "cells"
    return (
        f"{total:,} {cells} of {name} {begin} with a space. Trim them under Columns if "
        "that is not meant."
    )


def _cells(total: int, name: str) -> str:
    return f"1 cell of {name} is" if total == 1 else f"{total:,} cells of {name} are"


_SAID: tuple[tuple[str, Kind, Callable[[int, str], str]], ...] = (
    ("blanks", "blank", _blanks),
    ("nulls", "null", _nulls),
    ("cell-spaces", "spaced", _spaced),
)
