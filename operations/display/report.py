"""What happened in a period, read from the days that were counted."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.db.models import F, Min, Sum
from django.db.models.functions import Lower

from console.access.roles import Person
from console.models import Group
from operations.models import (
    DayCount,
    DayDuration,
    DayError,
    Operation,
    OperationQuerySet,
)
from operations.models.days import bounds_of
from operations.models.durations import quantile
from operations.models.error_kind import ErrorKind

# So many lines of each table on the page; files have more.
SHOWN = 10
MOST_LINES: Final = 10_000
SUMS: Final = (
    "operations",
    "rows_succeeded",
    "rows_failed",
    "rows_unknown",
    "rows_running",
)
_ROWS: Final = F("rows_succeeded") + F("rows_failed") + F("rows_unknown")
# What totals are made by: the column, and the filter of the list that it is.
BY: Final = {
    "customer": ("group_ref", "group"),
    "object": ("object_name", "object"),
    "user": ("started_by_name", "user"),
    "state": ("state", "status"),
}


@dataclass(frozen=True)
class Line:
    """A line of a table: `name` in words, `value` as it is stored, and its sums.

    `query` is that of the list of its operations, "" where no list has just those. Of
    an error, whose `value` is its digest, it is that of the page of this error.
    """

    name: str
    value: str
    sums: Mapping[str, int]
    query: str = ""
    p50: timedelta | None = None
    p95: timedelta | None = None
    day: date | None = None
    kind: ErrorKind | None = None


@dataclass(frozen=True)
class Table:
    """Lines, largest first, and the sums of those that are left out."""

    lines: list[Line]
    rest: Line | None = None

    @property
    def largest(self) -> int:
        """The rows of the longest line."""
        return max((rows_of(line.sums) for line in self.lines), default=0)


def rows_of(sums: Mapping[str, int]) -> int:
    """Return how many rows there were whose outcome is known or sought."""
    return sums["rows_succeeded"] + sums["rows_failed"] + sums["rows_unknown"]


@dataclass(frozen=True)
class Period:
    """Days, both included, and the environment, "" for all that `user` may see."""

    user: Person
    first: date
    last: date
    environment: str = ""

    def of(self, model: Any) -> Any:
        """Return the rows of `model` in this period that the user may see."""
        rows = model.objects.visible_to(self.user).between(self.first, self.last)
        if self.environment:
            rows = rows.filter(project__environment=self.environment)
        return rows.order_by()

    def query(self, **more: str) -> str:
        """Return the query of the list of operations of this period."""
        given = {
            "from": self.first.isoformat(),
            "to": self.last.isoformat(),
            "environment": self.environment,
            **more,
        }
        return urlencode({name: value for name, value in given.items() if value})

    @property
    def days(self) -> list[date]:
        """Every day of it."""
        count = (self.last - self.first).days + 1
        return [self.first + timedelta(days=number) for number in range(count)]


def totals(period: Period) -> dict[str, int]:
    """Return the sums of all of a period."""
    found = period.of(DayCount).aggregate(**_sums())
    return {name: found[f"sum_{name}"] or 0 for name in SUMS}


def by_day(period: Period, *, with_durations: bool = True) -> list[Line]:
    """Return a line for each day of a period, also where nothing was done."""
    found = period.of(DayCount).values("day").annotate(**_sums())
    sums = {row["day"]: _named(row) for row in found}
    took = _histograms(period, "day") if with_durations else {}
    lines = []
    for day in period.days:
        told = took.get(day, {})
        query = period.query(**{"from": day.isoformat(), "to": day.isoformat()})
        lines.append(
            Line(
                name=f"{day:%-d %b %Y}",
                value=day.isoformat(),
                sums=sums.get(day, dict.fromkeys(SUMS, 0)),
                query=query if day in sums else "",
                p50=quantile(told, 0.5),
                p95=quantile(told, 0.95),
                day=day,
            )
        )
    return lines


def by(period: Period, what: str, *, most: int = SHOWN) -> Table:
    """Return the totals by `what`, a word of `BY`, with the most rows first."""
    column, filtered = BY[what]
    # The case of an object means nothing, also for the list.
    value = Lower(column) if what == "object" else F(column)
    rows = period.of(DayCount).annotate(value=value).values("value")
    found = rows.annotate(**_sums(), rows=Sum(_ROWS)).order_by("-rows", "value")
    read = [(row["value"], _named(row)) for row in found[:MOST_LINES]]
    took = _histograms(period, "object_name", fold=True) if what == "object" else {}
    names = _names(period, what, [value for value, _ in read[:most]])
    lines = [
        Line(
            name=names.get(value, value) or "Not named",
            value=value,
            sums=sums,
            query=period.query(**{filtered: value}) if value else "",
            p50=quantile(took.get(value, {}), 0.5),
            p95=quantile(took.get(value, {}), 0.95),
        )
        for value, sums in read[:most]
    ]
    return Table(lines, _rest([sums for _, sums in read[most:]]))


def errors(period: Period, *, most: int = SHOWN) -> Table:
    """Return the kinds of errors: those of the most rows first."""
    sums = {"sum_rows": Sum("rows"), "sum_operations": Sum("operations")}
    # The digest tells the words, so any of them will do.
    words = {f"any_{name}": Min(name) for name in ("code", "message", "fields")}
    found = period.of(DayError).values("digest").annotate(**sums, **words)
    read = list(found.order_by("-sum_rows", "-sum_operations", "digest")[:MOST_LINES])
    lines = [_error(row, period) for row in read]
    return Table(lines[:most], _rest([line.sums for line in lines[most:]]))


def _error(row: Mapping[str, Any], period: Period) -> Line:
    kind = ErrorKind(row["any_code"], row["any_message"], row["any_fields"])
    return Line(
        name=str(kind),
        value=row["digest"],
        sums=_failed(row),
        query=period.query(),
        kind=kind,
    )


def unknown(period: Period) -> OperationQuerySet:
    """Return the operations of a period whose outcome nobody knows.

    Those first that nobody looked into, the oldest before the others.
    """
    start, end = bounds_of(period.first, period.last)
    found = Operation.objects.visible_to(period.user).filter(
        state=Operation.State.UNKNOWN, created_at__gte=start, created_at__lt=end
    )
    if period.environment:
        found = found.filter(project__environment=period.environment)
    open_first = F("resolved_at").asc(nulls_first=True)
    return found.select_related("project").order_by(open_first, "pk")


def _sums() -> dict[str, Sum]:
    return {f"sum_{name}": Sum(name) for name in SUMS}


def _named(row: Mapping[str, Any]) -> dict[str, int]:
    return {name: row[f"sum_{name}"] for name in SUMS}


def _failed(row: Mapping[str, Any]) -> dict[str, int]:
    none = dict.fromkeys(SUMS, 0)
    return {
        **none,
        "rows_failed": row["sum_rows"],
        "operations": row["sum_operations"],
    }


def _rest(left: list[Mapping[str, int]] | list[dict[str, int]]) -> Line | None:
    if not left:
        return None
    sums = {name: sum(each[name] for each in left) for name in SUMS}
    return Line(f"{len(left):,} more", "", sums)


def _histograms(
    period: Period, column: str, *, fold: bool = False
) -> dict[Any, dict[int, int]]:
    key = Lower(column) if fold else F(column)
    rows = period.of(DayDuration).annotate(key=key).values("key", "bucket")
    found: dict[Any, dict[int, int]] = defaultdict(dict)
    for row in rows.annotate(sum=Sum("operations")):
        found[row["key"]][row["bucket"]] = row["sum"]
    return found


def _names(period: Period, what: str, values: Iterable[str]) -> dict[str, str]:
    """Return the words for what is stored, where those differ."""
    if what == "state":
        return {str(value): str(label) for value, label in Operation.State.choices}
    if what != "customer":
        return {}
    found: dict[str, set[str]] = defaultdict(set)
    groups = Group.objects.visible_to(period.user).filter(group_ref__in=values)
    for ref, name in groups.values_list("group_ref", "name"):
        found[ref].add(name or ref)
    # The same reference may be another customer elsewhere.
    return {ref: " / ".join(sorted(names)) for ref, names in found.items()}
