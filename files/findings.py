"""What checking a file found: each finding, and the report that counts them all."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

Level = Literal["blocks", "warns", "notes"]
LEVELS: tuple[Level, ...] = ("blocks", "warns", "notes")

# Findings beyond this many of one group are passed on, not kept; beyond the second
# number they are only counted.
KEPT_PER_GROUP, LISTED_PER_GROUP = 20, 200_000
# So many that block, and the rest need not be looked at; fewer are enough where there
# are as many in every second row. Whole columns or the reading must be mended first.
HOPELESS, HOPELESS_IF_DENSE = 100_000, 20_000
PREVIEW_ROWS = 5
# A report is one row of the database: so many bytes of JSON for the groups with their
# first findings, for the other findings, and for each row of the preview.
GROUPS_ROOM, FINDINGS_ROOM, PREVIEW_ROOM = 350_000, 300_000, 12_000
# Groups for which there is no room are counted together, level by level.
MORE_COLUMNS = "more-columns"
# Stands in a message for the row of its finding: no text of a file has it by accident.
ROW = "\ue000"
# Rules that end a check before the end of the file.
ENDS = ("stopped", "unreadable")
# The rules of which a mended cell may say more: why it was not converted.
EXPLAINED = ("date", "date-time")
# Stands for what separates the cells of the file as it was uploaded, as "comma".
SEPARATOR = "\ue001"
# A value is cut to this many characters where it is shown.
LONGEST_VALUE = 200
# A message is cut to this many: it may name what stands in the file.
LONGEST_MESSAGE = 1_000


class Finding(NamedTuple):
    """One thing that is wrong or worth knowing.

    `rule` is its kind, "ragged-row". `row` is counted as a spreadsheet does (the header
    is row 1), `line` as an editor does; both, like `column`, are None where the finding
    is about the file or a column as a whole. `value` is the cell, cut to 200.
    """

    level: Level
    rule: str
    message: str
    row: int | None = None
    line: int | None = None
    column: str | None = None
    value: str | None = None


@dataclass(kw_only=True)
class Group:
    """All findings of one level and rule in one column.

    `total` counts them, `listed` those that were passed on one by one, each with its
    row, and `first` are the first of them.
    """

    level: Level
    rule: str
    column: str | None
    total: int = 0
    listed: int = 0
    first: list[Finding] = field(default_factory=list)


class Origin(Protocol):
    """Where the rows of a mended file came from: see `files.mending.mend`."""

    def row(self, row: int) -> int: ...
    def line(self, row: int, line: int) -> int: ...


Sink = Callable[[Finding], None]
Explain = Callable[[int, str, str], str | None]
IsThere = Callable[[Finding], bool]


def always(_: Finding) -> bool:
    """Say of every fault that it still is there."""
    return True


@dataclass(kw_only=True)
class Report:
    """What checking a file told.

    `rows` counts the rows below the header. `key` is the primary key as the header
    spells it, "" where it was not found. `groups` counts every finding, also those that
    were not kept; `sink` is given each one as it is found. `origin` turns the rows and
    lines of a mended file into those of the file it was made from; `explain` says more
    of a cell, by its row there, its column and its value, or None. `told` are rules
    that were told while the file was read, of which a check need say nothing.
    `separator` is what the operator's file has between its cells.
    """

    rows: int = 0
    columns: list[str] = field(default_factory=list)
    key: str = ""
    preview: list[list[str]] = field(default_factory=list)
    groups: dict[tuple[Level, str, str | None], Group] = field(default_factory=dict)
    sink: Sink | None = None
    origin: Origin | None = None
    explain: Explain | None = None
    told: frozenset[str] = frozenset()
    separator: str = "comma"
    blanks: dict[str, int] = field(default_factory=dict)
    _groups_room: int = field(default=GROUPS_ROOM, init=False, repr=False)
    _findings_room: int = field(default=FINDINGS_ROOM, init=False, repr=False)

    def add(
        self,
        level: Level,
        rule: str,
        message: str,
        *,
        row: int | None = None,
        line: int | None = None,
        column: str | None = None,
        value: str | None = None,
    ) -> None:
        """Count a finding, pass it on, and keep it unless there are many of its kind.

        Of very many it only counts those beyond `LISTED_PER_GROUP`.

        `message` may hold `ROW`, which becomes the row that the finding ends up with,
        and `SEPARATOR`.
        """
        group = self._group(level, rule, column)
        group.total += 1
        if group.listed >= LISTED_PER_GROUP:
            return
        if self.origin is not None and row is not None and row > 1:
            line = None if line is None else self.origin.line(row, line)
            row = self.origin.row(row)
        if self.explain and rule in EXPLAINED and row and column and value is not None:
            message = self.explain(row, column, value) or message
        if row is not None and ROW in message:
            message = message.replace(ROW, f"{row:,}")
        if SEPARATOR in message:
            message = message.replace(SEPARATOR, self.separator)
        value = None if value is None else value[:LONGEST_VALUE]
        message = message[:LONGEST_MESSAGE]
        # By position: there may be very many.
        finding = Finding(level, rule, message, row, line, column, value)
        group.listed += row is not None
        if len(group.first) < KEPT_PER_GROUP:
            self._keep(finding, group)
        if self.sink is not None:
            self.sink(finding)

    def _keep(self, finding: Finding, group: Group) -> None:
        """Keep one of the first findings of a group, as far as there is room."""
        size = len(json.dumps(finding._asdict()))
        if not group.first:
            self._groups_room -= size
        elif size > self._findings_room:
            return
        else:
            self._findings_room -= size
        group.first.append(finding)

    def show(self, cells: Sequence[str]) -> None:
        """Keep a row for the preview; beyond its room cells are shown as “…”."""
        row: list[str] = []
        room = PREVIEW_ROOM
        for cell in cells:
            short = cell[:LONGEST_VALUE]
            room -= len(json.dumps(short))
            row.append(short if room >= 0 else "…")
        self.preview.append(row)

    def count(self, level: Level, rule: str, column: str | None, more: int) -> None:
        """Count findings that need not be listed."""
        self._group(level, rule, column).total += more

    def _group(self, level: Level, rule: str, column: str | None) -> Group:
        group = self.groups.get((level, rule, column))
        if group is not None:
            return group
        if column is not None and self._groups_room < 0:
            rule, column = MORE_COLUMNS, None
        new = Group(level=level, rule=rule, column=column)
        return self.groups.setdefault((level, rule, column), new)

    @property
    def is_hopeless(self) -> bool:
        """Whether so much blocks that nothing more need be found."""
        total = sum(g.total for g in self.groups.values() if g.level == "blocks")
        is_dense = 2 * total >= self.rows
        return total >= (HOPELESS_IF_DENSE if is_dense else HOPELESS)

    @property
    def is_partial(self) -> bool:
        """Whether the check ended before the file did: nobody knows how many rows."""
        rules = {rule for _, rule, _ in self.groups}
        return not rules.isdisjoint(ENDS) or not (self.columns or "empty" in rules)

    @property
    def blocks(self) -> bool:
        """Whether the file must not be sent as it is."""
        return any(group.level == "blocks" for group in self.groups.values())

    def ordered(self) -> list[Group]:
        """Return the groups: what blocks first, then the order in which they came."""
        return sorted(self.groups.values(), key=lambda g: LEVELS.index(g.level))

    def as_json(self) -> dict[str, Any]:
        """Return what is stored with the write."""
        return {
            "rows": self.rows,
            "is_partial": self.is_partial,
            "columns": self.columns,
            "key": self.key,
            "preview": self.preview,
            "blocks": self.blocks,
            "groups": [
                {
                    "level": group.level,
                    "rule": group.rule,
                    "column": group.column,
                    "total": group.total,
                    "listed": group.listed,
                    "first": [finding._asdict() for finding in group.first],
                }
                for group in self.ordered()
            ],
        }
