"""The fixes that a file itself proves: each with its count, and what it would do.

A fix is safe where what was checked can be read one way only. All that is safe may be
done at once; what may be meant otherwise is offered too, for a person to decide.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from files.checking.purposes import NEW, Purpose
from files.field import Field
from files.fields.matching import FieldIndex
from files.findings import MORE_COLUMNS, Group, Report
from files.findings_file import ranges
from files.mending.column_offers import EXAMPLES, ColumnOffers, Offer
from files.mending.recipes import NUMBERS, Recipe, column_names
from files.mending.sent_cells import Progress, sent_cells
from files.quoting import INNER_QUOTES
from files.unseen import marked
from files.values.rules import NULL

Unit = Literal["cell", "row", "column"]

MOST_RANGES = 3_000
# So many bytes of JSON at most: they are kept with the report.
ROOM = 150_000
LONGEST_EXAMPLE = 60
_BLANK = frozenset(("blanks", "required-blank", "blank-key", "cell-spaces"))
_NOT_SENT = "not sent"
_OTHER_NAME = "They may be meant for fields with other names."


@dataclass(frozen=True, kw_only=True)
class Fix:
    """One fix: what it does, to how many cells, rows or columns, and three examples.

    `column` is the file's, "" where it is about several or none. `patch` is the part of
    a recipe, as JSON, that it sets. `why` says of one that is not safe what else could
    be meant.
    """

    what: str
    unit: Unit
    count: int
    patch: dict[str, Any]
    column: str = ""
    examples: list[tuple[str, str]] = field(default_factory=list)
    is_safe: bool = True
    why: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return what is stored with the report."""
        return asdict(self)


def suggest_fixes(
    as_read: Path,
    header: Sequence[str],
    recipe: Recipe,
    report: Report,
    *,
    fields: Sequence[Field] = (),
    knows_all: bool = False,
    purpose: Purpose = "upsert",
    progress: Progress | None = None,
) -> list[Fix]:
    """Return the fixes for a file that was checked, those of single columns first.

    `header` is that of the file as read, `report` what was found in what the recipe
    makes of it. `knows_all` says that `fields` are all that the object has.
    """
    return _Suggesting(header, recipe, report, fields, purpose, knows_all).fixes(
        as_read, progress
    )


@dataclass
class _Suggesting:
    """What is known of the file while its fixes are looked for."""

    header: Sequence[str]
    recipe: Recipe
    report: Report
    known: Sequence[Field]
    purpose: Purpose
    knows_all: bool

    def __post_init__(self) -> None:
        self.names = column_names(self.header)
        self.sent = [name for name in self.names if self.recipe.column(name).name]
        # As the report calls the columns that are sent.
        told = (name or f"#{i}" for i, name in enumerate(self.report.columns, start=1))
        self.read_as = dict(zip(told, self.sent, strict=False))
        self.rules = self._rules_by_column()
        self.unknown = self._unknown_columns() if self.knows_all else set()

    def fixes(self, as_read: Path, progress: Progress | None) -> list[Fix]:
        """Return all of them."""
        if not self.report.columns or not self.report.groups:
            return []
        offers = {i: offers for i, offers in self._offers() if offers.has_any}
        blank: list[int] = []
        if offers or self._may_have_blank_rows():
            self._look(as_read, offers, blank, progress)
        found = [
            _of_column(self.names[i], offer)
            for i, each in offers.items()
            for offer in each.told()
        ]
        whole = [*self._quotes(), *self._left_out(), *self._blank_rows(blank)]
        return _as_far_as_there_is_room([*found, *whole])

    def _rules_by_column(self) -> dict[str, set[str]]:
        """Return what was found in each column of the file as read."""
        rules: defaultdict[str, set[str]] = defaultdict(set)
        for group in self.report.groups.values():
            if group.column in self.read_as:
                rules[self.read_as[group.column]].add(group.rule)
        # Of two columns with one name nobody knows which of them is meant.
        times = Counter(name for name in self.report.columns if name)
        twice = {self.read_as[name] for name, count in times.items() if count > 1}
        return {name: found for name, found in rules.items() if name not in twice}

    def _offers(self) -> Iterable[tuple[int, ColumnOffers]]:
        by_name = {each.name.casefold(): each for each in self.known}
        for place, name in enumerate(self.names):
            rules = self.rules.get(name, set())
            if not rules or "read-only-column" in rules or name in self.unknown:
                continue
            if name != self.header[place] or not self.recipe.column(name).name:
                # One that is known by its place alone keeps its name in the header.
                continue
            column = self.recipe.column(name)
            declared = by_name.get(column.name.casefold())
            yield place, ColumnOffers(name, column, rules, declared)

    def _unknown_columns(self) -> set[str]:
        """Return the columns that fill no field, where none has a name like theirs."""
        index = FieldIndex(self.known)
        return {
            name
            for name, rules in self.rules.items()
            if "unknown-column" in rules
            and not index.find(self.recipe.column(name).name).suggestions
        }

    def _may_have_blank_rows(self) -> bool:
        """Whether some row may be blank: then every column has a blank cell."""
        rules = {group.rule for group in self.report.groups.values()}
        if not rules.isdisjoint(("empty-row", MORE_COLUMNS)):
            return True
        return all(not _BLANK.isdisjoint(self.rules.get(n, ())) for n in self.sent)

    def _look(
        self,
        as_read: Path,
        offers: dict[int, ColumnOffers],
        blank: list[int],
        progress: Progress | None,
    ) -> None:
        edited = {row for row, _ in self.recipe.cells}
        places = list(offers)
        chunks = sent_cells(
            as_read, self.recipe, len(self.header), places, progress=progress
        )
        for chunk in chunks:
            blank += [row for row in chunk.blank if row not in edited]
            for place, texts in zip(places, chunk.columns, strict=True):
                look = offers[place].look
                if edited.isdisjoint(chunk.rows):
                    look(texts)
                    continue
                name = self.names[place]
                kept = zip(chunk.rows, texts, strict=True)
                cells = self.recipe.cells
                look([text for row, text in kept if (row, name) not in cells])

    def _quotes(self) -> list[Fix]:
        groups = [g for g in self.report.ordered() if g.rule == INNER_QUOTES]
        if not groups or self.recipe.quotes:
            return []
        values = [f.value or "" for g in groups for f in g.first][:EXAMPLES]
        examples = [(value, '"' + value.replace('"', '""') + '"') for value in values]
        total = sum(group.total for group in groups)
        what = "Quote cells with quotes inside: their values stay the same"
        return [_fix(what, "cell", total, {"quotes": True}, examples)]

    def _left_out(self) -> list[Fix]:
        rules = self.rules.items()
        read_only = [name for name, found in rules if "read-only-column" in found]
        blank = [name for name in self._blank_columns() if name not in read_only]
        taken = {*read_only, *blank}
        unknown = [name for name, _ in rules if name in self.unknown - taken]
        kinds = (
            (read_only, "that Salesforce does not let you write", ""),
            (blank, "without any value", ""),
            (unknown, "that the object does not have", _OTHER_NAME),
        )
        if len(self.sent) <= len({*read_only, *unknown, *blank}):
            return []
        return [
            _fix(
                f"Exclude columns {what}",
                "column",
                len(names),
                {"columns": {name: {"name": ""} for name in names}},
                [(name, _NOT_SENT) for name in names[:EXAMPLES]],
                is_safe=not why,
                why=why,
            )
            for names, what, why in kinds
            if names
        ]

    def _blank_columns(self) -> list[str]:
        """Return the columns without a value: sending them changes nothing."""
        if self.report.is_partial or self.purpose not in NEW:
            return []
        groups, blanks = self.report.groups.values(), self.report.blanks
        rows = self.report.rows - _total(groups, "empty-row", "ragged-row")
        required = {each.name for each in self.known if each.is_required}
        return [
            name
            for sent, name in self.read_as.items()
            if rows > 0
            and blanks.get(sent) == rows
            and name in self.rules
            and sent not in required
            and sent != self.report.key
        ]

    def _blank_rows(self, rows: list[int]) -> list[Fix]:
        out = [*self.recipe.blank_rows, *ranges(rows)]
        if not rows or len(out) > MOST_RANGES:
            return []
        patch = {"blank_rows": [list(each) for each in out]}
        examples = [(f"Row {row:,}", _NOT_SENT) for row in rows[:EXAMPLES]]
        return [_fix("Exclude blank rows", "row", len(rows), patch, examples)]


def _of_column(name: str, offer: Offer) -> Fix:
    column = recipe_parts(offer.parts)
    return _fix(
        _said(offer),
        "cell",
        offer.count,
        {"columns": {name: column}},
        offer.examples,
        column=name,
        is_safe=offer.is_safe,
        why=offer.why,
    )


def recipe_parts(parts: dict[str, Any]) -> dict[str, Any]:
    """Return parts of a column's recipe as the JSON of one has them."""
    told = dict(parts)
    if "dates" in told:
        told["dates"] = dict(vars(told["dates"]))
    if "replaced" in told:
        told["replaced"] = [list(pair) for pair in told["replaced"]]
    return told


def _said(offer: Offer) -> str:
    """Return what an offer does to the cells of its column."""
    parts = offer.parts
    said = {
        "trim": "trim spaces and invisible characters",
        "placeholders": "send placeholders and Excel errors blank",
        "null_to_blank": f"send {NULL} blank: the fields stay unchanged",
        "booleans": "send yes and no as true and false",
        "replaced": "spell values as the picklist does",
    }
    if "dates" in parts:
        said["dates"] = _DATES[parts["dates"].format]
    if "numbers" in parts:
        said["numbers"] = f"convert numbers written as {NUMBERS[parts['numbers']]}"
    words = ", ".join(said[part] for part in parts if parts[part])
    return words[:1].upper() + words[1:]


_DATES = {
    "us": "convert dates, month first",
    "european": "convert dates, day first",
    "iso-space": "convert dates, year first",
    "month-name": "convert dates with the month in letters",
    "compact": "convert dates without hyphens",
}


def _fix(
    what: str,
    unit: Unit,
    count: int,
    patch: dict[str, Any],
    examples: Iterable[tuple[str, str]],
    **values: Any,
) -> Fix:
    shown = [(_shown(before), _shown(after)) for before, after in examples]
    return Fix(what=what, unit=unit, count=count, patch=patch, examples=shown, **values)


def _shown(text: str) -> str:
    """Return a text as an example shows it: what nobody sees by its number, cut."""
    plain = text.encode("utf-8", "replace").decode()
    cut = plain if len(plain) <= LONGEST_EXAMPLE else plain[:LONGEST_EXAMPLE] + "…"
    return marked(cut)


def _as_far_as_there_is_room(fixes: list[Fix]) -> list[Fix]:
    """Return the fixes without those that are too much to be kept."""
    kept, room = [], ROOM
    for fix in fixes:
        size = len(json.dumps(fix.as_json()))
        if size <= room:
            room -= size
            kept.append(fix)
    return kept


def _total(groups: Iterable[Group], *rules: str) -> int:
    return sum(group.total for group in groups if group.rule in rules)
