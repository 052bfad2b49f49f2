"""The columns of a table, and what is to be said of their cells."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Literal, NamedTuple

from files.checking.no_records import NoRecords
from files.checking.purposes import NEW, WORDS, Purpose
from files.field import Field
from files.findings import ROW, Report
from files.shown import shown
from files.values.damage import damage, unseen_names
from files.values.invisible import needless, trimmed
from files.values.problems import Problem
from files.values.rounded import EXACT, long_digits
from files.values.rules import NULL, holds_text, problem

Kind = Literal["", "blank", "null", "spaced", "rounded", "new"]

# Values found sound are remembered up to this many, if they are not long.
_REMEMBERED, _LONGEST_REMEMBERED = 20_000, 50


class Verdict(NamedTuple):
    """What is to be said of a cell: its kind, counted once, and its own problems."""

    kind: Kind
    problems: tuple[Problem, ...] = ()

    @property
    def is_keyless(self) -> bool:
        """Whether the cell could hold a key and does not."""
        return self.kind == "new" or any(
            problem.rule == "blank-key" for problem in self.problems
        )


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

    `field` is None where nothing is known of its values: they count as text.
    `key_names` is what a column of keys is called besides: in the file as read.
    `has_exact` turns true with the first long number that nothing has rounded.
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
            "rounded": Tally(),
            "new": Tally(),
        }
        self.key_names: tuple[str, ...] = ()
        self.purpose: Purpose = "upsert"
        self.has_exact = False
        self.most_zeros = 0
        self._sound: set[str] = set()
        self._remembers = not is_key
        self._seen = self._fresh = 0

    @cached_property
    def no_records(self) -> NoRecords:
        """What tells rows that are no records by their key."""
        known = (self.field.name, self.field.label) if self.field else ()
        names = (self.name, *known, *self.key_names)
        return NoRecords(names, self.purpose)

    @property
    def is_required(self) -> bool:
        """Whether a record of this file may be refused for want of a value here."""
        is_required = self.field is not None and self.field.is_required
        return is_required and self.purpose in NEW

    def judge(self, text: str) -> Verdict | None:
        """Return what is to be said of a cell, None where it is sound."""
        if self.is_key:
            return self._judge_key(text)
        if text == "":
            return _BLANK if not self.is_required else Verdict("blank", (self._lacks,))
        if text == NULL:
            return _NULL if not self.is_required else Verdict("null", (self._clears,))
        if self.is_required and not trimmed(text):
            return Verdict("spaced", (self._lacks,))
        problems = self._problems(text)
        kind: Kind = "" if text.strip() == text else "spaced"
        if not problems and self._is_rounded(text):
            kind = "rounded"
        return Verdict(kind, problems) if kind or problems else None

    def _problems(self, text: str) -> tuple[Problem, ...]:
        found = problem(self.field or TEXT, text)
        damaged = damage(self.field, text)
        return (*damaged, found) if found else damaged

    def _is_rounded(self, text: str) -> bool:
        """Whether it is a long number that ends in zeros, and none yet does not."""
        if len(text) <= EXACT or self.has_exact or not holds_text(self.field):
            return False
        zeros = long_digits(text)
        if zeros is None:
            return False
        self.has_exact = zeros == 0
        self.most_zeros = max(self.most_zeros, zeros)
        return zeros > 0

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
        if text == "" and self.purpose == "by_id":
            return _NEW
        if text == NULL or not trimmed(text):
            return Verdict("", (self._keyless,))
        problems = [*self._problems(text)]
        if no_record := self.no_records.problem(text):
            problems.append(no_record)
        if trimmed(text) != text:
            # That says all of it, and blocks.
            problems = [each for each in problems if each.rule != "unseen"]
            problems.insert(0, self._spaced_key(text))
        if problems:
            return Verdict("", tuple(problems))
        return Verdict("rounded") if self._is_rounded(text) else None

    @property
    def _lacks(self) -> Problem:
        message = (
            f"Row {ROW} has no {self.name}, which is required: "
            f"{WORDS[self.purpose].lacks}"
        )
        return Problem("warns", "required-blank", message)

    @property
    def _clears(self) -> Problem:
        if self.purpose == "create":
            return self._lacks
        message = (
            f"Row {ROW} would clear {self.name} with {NULL}, but it is required. "
            "Fill it in, or leave the cell blank."
        )
        return Problem("warns", "required-blank", message)

    @property
    def _keyless(self) -> Problem:
        message = f"Row {ROW} has no {self.name}. {WORDS[self.purpose].keyless}"
        return Problem("blocks", "blank-key", message)

    def _spaced_key(self, text: str) -> Problem:
        chars = needless(text.strip())
        what = (
            f"contains invisible characters ({unseen_names(chars)})"
            if chars
            else "has leading or trailing spaces"
        )
        message = (
            f"The {self.name} of row {ROW}, {shown(text)}, {what}, so it may not match "
            "the right record. Trim it."
        )
        return Problem("blocks", "key-spaces", message)


# What is judged where nothing is known of a column.
TEXT = Field(name="")
_BLANK, _NULL, _NEW = Verdict("blank"), Verdict("null"), Verdict("new")


def tell_tallies(columns: Sequence[Column], report: Report) -> None:
    """Add a finding for each kind of cell of each column."""
    for column in columns:
        _tell_rounded(column, report)
        if column.tallies["blank"].total:
            report.blanks[column.name] = column.tallies["blank"].total
        for rule, kind, wording in _SAID:
            tally = column.tallies[kind]
            if not tally.total:
                continue
            if column.purpose == "delete":
                continue
            if column.purpose == "create":
                wording = _SAID_OF_NEW.get(rule, wording)
            message = wording(tally.total, column.name)
            report.add(
                "notes",
                rule,
                message,
                row=tally.row,
                line=tally.line,
                column=column.name,
            )


def _tell_rounded(column: Column, report: Report) -> None:
    """Tell a column in which every long number ends in zeros, unless by chance."""
    tally = column.tallies["rounded"]
    is_chance = tally.total < 3 and column.most_zeros < 3
    if column.has_exact or is_chance or "long-number" in report.told:
        return
    message = (
        f"{_cells(tally.total, column.name)} a number of more than {EXACT} digits, and "
        f"all of them end in zeros: Excel keeps {EXACT} digits and replaces the others "
        "by zeros. Export them from the source again, as text."
    )
    report.add(
        "warns",
        # Not one finding a cell, as of a workbook: its row is but an example.
        "long-numbers",
        message,
        row=tally.row,
        line=tally.line,
        column=column.name,
    )


def _blanks(total: int, name: str) -> str:
    these = (
        "leaves this field unchanged" if total == 1 else "leaves these fields unchanged"
    )
    return (
        f"{_cells(total, name)} blank: Salesforce {these}. To clear a field, send "
        f"{NULL}."
    )


def _nulls(total: int, name: str) -> str:
    those = "this field" if total == 1 else "these fields"
    return f"{_cells(total, name)} {NULL}: Salesforce clears {those}."


def _new_blanks(total: int, name: str) -> str:
    return (
        f"{_cells(total, name)} blank and not sent: the customer's system sets the "
        "field's default."
    )


def _new_nulls(total: int, name: str) -> str:
    return f"{_cells(total, name)} {NULL}: the field gets no value."


def _spaced(total: int, name: str) -> str:
    begin = "begins or ends" if total == 1 else "begin or end"
    cells = "cell" if total == 1 else "cells"
    return (
        f"{total:,} {cells} of {name} {begin} with a space. Trim them under Columns "
        "unless this is intended."
    )


def _cells(total: int, name: str) -> str:
    return f"1 cell of {name} is" if total == 1 else f"{total:,} cells of {name} are"


_SAID: tuple[tuple[str, Kind, Callable[[int, str], str]], ...] = (
    ("blanks", "blank", _blanks),
    ("nulls", "null", _nulls),
    ("cell-spaces", "spaced", _spaced),
)
_SAID_OF_NEW = {"blanks": _new_blanks, "nulls": _new_nulls}
