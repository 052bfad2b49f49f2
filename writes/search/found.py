"""What a kind of the search is asked, and what it answers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import BooleanField, Count, ExpressionWrapper, Max, Q, Sum
from django.urls import reverse

from console.access.roles import Person, Role, environments_for
from console.models import AuditEvent, Group, Project
from operations.models import Operation
from operations.models.operation_queries import on_hold
from writes.models import Batch, Write

# Text about a hit is cut to about so much around what was looked for.
_AROUND = 60


@dataclass(frozen=True)
class Asked:
    """Who looks for what: at most `limit` hits, those before the id `before`."""

    text: str
    user: Person
    limit: int
    before: int | None = None

    @property
    def environments(self) -> list[str]:
        """The environments that the reader may look at."""
        return environments_for(self.user, Role.VIEWER)


@dataclass(frozen=True)
class Matched:
    """Where a hit has what was looked for: which part of it, and the text around."""

    label: str
    before: str = ""
    sought: str = ""
    after: str = ""


@dataclass
class Line:
    """One operation or write: what it was, and what became of it.

    `states` are the states of its operations, each with how many are in it.
    """

    pk: int
    url: str
    title: str
    moment: datetime
    states: list[tuple[Operation, int]]
    project: Project
    user: str
    customer: str
    succeeded: int | None
    failed: int | None
    number: str
    matched: Matched | None = None
    # Of one operation: its customer is named by `name_groups`.
    operation: Operation | None = None


@dataclass
class Found:
    """What one kind found, best first, and what it did not look at.

    `older` is where the next page begins, None where there is none. `looked_at` says
    how far it looked, "" where it looked at all; `further` is where to look on.
    """

    lines: list[Line] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    events: list[AuditEvent] = field(default_factory=list)
    drafts: list[Write] = field(default_factory=list)
    older: int | None = None
    further: int | None = None
    looked_at: str = ""
    # Whether something has exactly what was looked for.
    is_exact: bool = False

    def __len__(self) -> int:
        return len([*self.lines, *self.groups, *self.events, *self.drafts])


@dataclass(frozen=True)
class Kind:
    """One kind of what can be found: its name in addresses, and in words."""

    name: str
    heading: str
    find: Callable[[Asked], Found]


def excerpt(label: str, text: str, sought: str) -> Matched:
    """Return `text` cut to what stands around `sought`, or its beginning."""
    place = text.casefold().find(sought.casefold())
    if place < 0:
        cut = "…" if len(text) > 2 * _AROUND else ""
        return Matched(label, text[: 2 * _AROUND] + cut)
    end = place + len(sought)
    before, after = text[:place], text[end:]
    if len(before) > _AROUND:
        before = "…" + before[-_AROUND:]
    if len(after) > _AROUND:
        after = after[:_AROUND] + "…"
    return Matched(label, before, text[place:end], after)


def of_operations(
    asked: Asked,
    found: Iterable[Operation],
    matched: Callable[[Operation], Matched | None] = lambda operation: None,
) -> Found:
    """Return operations, newest first, of which one more than the limit was read."""
    operations = list(found)
    shown = operations[: asked.limit]
    lines = [_line_of(operation, matched(operation)) for operation in shown]
    is_more = len(operations) > asked.limit
    return Found(lines=lines, older=shown[-1].pk if is_more else None)


def _line_of(operation: Operation, matched: Matched | None) -> Line:
    part = f", {operation.part}" if operation.part else ""
    return Line(
        pk=operation.pk,
        url=operation.get_absolute_url(),
        title=f"{operation.get_action_display()} {operation.object_name}{part}",
        moment=operation.created_at,
        states=[(operation, 1)],
        project=operation.project,
        user=operation.started_by_name,
        customer=operation.group_ref,
        succeeded=operation.rows_succeeded,
        failed=operation.rows_failed,
        number=f"#{operation.pk}",
        matched=matched,
        operation=operation,
    )


# The states of the operations of one write, with counts and sums.
type Told = list[dict[str, Any]]

# Large, and on no line.
_UNREAD = ("record", "inspection", "reading", "recipe_json", "check_report")


def of_writes(
    asked: Asked,
    ids: Sequence[int],
    matched: Callable[[Write], Matched | None] = lambda write: None,
    *,
    read: Sequence[str] = (),
) -> Found:
    """Return the writes of `ids`, of which one more than the limit was read.

    Those that were confirmed and the reader may see: drafts are a kind of their own.
    `read` are large columns that `matched` looks at.
    """
    shown = ids[: asked.limit]
    writes = Write.objects.visible_to(asked.user).filter(
        pk__in=shown, state=Write.State.CONFIRMED
    )
    writes = writes.select_related("integration__project").order_by("-pk")
    writes = writes.defer(*(name for name in _UNREAD if name not in read))
    results = _results(shown)
    lines = [_line_of_write(write, results, matched(write)) for write in writes]
    return Found(lines=lines, older=shown[-1] if len(ids) > asked.limit else None)


def _results(ids: Sequence[int]) -> Mapping[int, Told]:
    """Return for each write the states of its operations, with sums."""
    rows = (
        Batch.objects.filter(write__in=ids)
        .order_by()
        .annotate(rests=ExpressionWrapper(on_hold("operation__"), BooleanField()))
        .values("write", "operation__state", "rests")
        .annotate(
            count=Count("pk"),
            newest=Max("operation"),
            succeeded=Sum("operation__rows_succeeded"),
            failed=Sum("operation__rows_failed"),
            resolved=Count("pk", filter=Q(operation__resolved_at__isnull=False)),
            resolved_at=Max("operation__resolved_at"),
        )
    )
    results: dict[int, Told] = {}
    for row in rows:
        results.setdefault(row["write"], []).append(dict(row))
    return results


def _line_of_write(
    write: Write, results: Mapping[int, Told], matched: Matched | None
) -> Line:
    told = results.get(write.pk, [])
    states = [
        (
            Operation(
                state=row["operation__state"],
                # So that it rests where these do.
                may_have_left=row["rests"],
                kind=Operation.Kind.RUN if row["rests"] else Operation.Kind.REQUEST,
                reason="On hold" if row["rests"] else "",
                # Resolved where all of them are.
                resolved_at=row["resolved_at"]
                if row["resolved"] == row["count"]
                else None,
            ),
            row["count"],
        )
        for row in sorted(told, key=lambda row: -row["count"])
    ]
    is_one = sum(count for _, count in states) == 1
    return Line(
        pk=write.pk,
        url=reverse("operations:detail", args=[told[0]["newest"]])
        if is_one
        else write.get_absolute_url(),
        title=f"{write.get_action_display()} {write.object_name}",
        moment=write.confirmed_at or write.created_at,
        states=states,
        project=write.project,
        user=write.started_by_name,
        customer=write.group_name or write.group_ref,
        succeeded=_sum(told, "succeeded"),
        failed=_sum(told, "failed"),
        number=f"#{told[0]['newest']}" if is_one else f"Write {write.pk}",
        matched=matched,
    )


def _sum(rows: Told, name: str) -> int | None:
    known = [row[name] for row in rows if row[name] is not None]
    return sum(known) if known else None
