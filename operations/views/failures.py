"""Which errors a selection of operations had: by kind, and the operations of one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from django.db.models import F
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from console.access.roles import require_viewer
from console.http import ConsoleRequest
from operations import looking
from operations.filters import OperationFilter, Place
from operations.models import Failure, Operation
from operations.models.operation_queries import OperationQuerySet
from operations.outcome.salesforce_errors import Explanation, explanation_of
from operations.views.chips import chips_of
from operations.views.lookup import CustomerAt, group_names, name_groups

# A page looks at so many operations, and counts the errors of so many that failed.
LOOK = 2_000
MOST_COUNTED = 1_000
MOST_KINDS = 100
# Customers and objects that are named with an error.
MOST_NAMED = 3
PAGE = 50


class Counted(NamedTuple):
    """What is read of each operation that is counted; models would take thrice as long.

    The fields are named as those of `Operation`.
    """

    pk: int
    created_at: datetime
    integration_id: int | None
    group_ref: str
    object_name: str


@dataclass
class Kind:
    """One kind of error over operations that are added newest first.

    `places` are where its customers are, `objects` are names.
    """

    digest: str
    rows: int = 0
    operations: list[Counted] = field(default_factory=list)
    places: dict[CustomerAt, None] = field(default_factory=dict)
    objects: dict[str, None] = field(default_factory=dict)
    customers: list[str] = field(default_factory=list)
    failure: Failure | None = None
    explanation: Explanation | None = None

    def add(self, operation: Counted, rows: int) -> None:
        """Count an operation, of which so many rows had the error."""
        self.rows += rows
        self.operations.append(operation)
        self.places[operation.integration_id, operation.group_ref] = None
        if operation.object_name:
            self.objects[operation.object_name] = None

    @property
    def newest(self) -> Counted:
        """The operation that had it last."""
        return self.operations[0]

    @property
    def oldest(self) -> Counted:
        """The one of those counted that had it first."""
        return self.operations[-1]

    @property
    def objects_named(self) -> list[str]:
        """The first few objects."""
        return list(self.objects)[:MOST_NAMED]

    @property
    def more_customers(self) -> int:
        """How many customers are not named."""
        return max(0, len(self.places) - MOST_NAMED)

    @property
    def more_objects(self) -> int:
        """How many objects are not named."""
        return max(0, len(self.objects) - MOST_NAMED)


@require_safe
@never_cache
@require_viewer
def failures(request: ConsoleRequest) -> HttpResponse:
    """Show the errors of the operations that the filters of the list let through."""
    chosen = OperationFilter(request.GET, user=request.user)
    context: dict[str, Any] = {"filter": chosen}
    if chosen.is_valid():
        context["chips"] = chips_of(chosen)
        context |= _kinds(request, chosen)
    status = 200 if chosen.is_valid() else 400
    return render(request, "operations/failures.html", context, status=status)


@require_safe
@never_cache
@require_viewer
def failure(request: ConsoleRequest, digest: str) -> HttpResponse:
    """Show the operations that had one kind of error, newest first."""
    chosen = OperationFilter(request.GET, user=request.user)
    visible = Operation.objects.visible_to(request.user)
    example = Failure.objects.newest_of(digest, request.user)
    if example is None:
        raise Http404
    context: dict[str, Any] = {
        "filter": chosen,
        "failure": example,
        "explanation": _explanation(example),
    }
    if chosen.is_valid():
        context["chips"] = chips_of(chosen)
        context |= _operations(chosen.apply(visible.for_list()), digest, chosen)
    status = 200 if chosen.is_valid() else 400
    return render(request, "operations/failure.html", context, status=status)


def _kinds(request: ConsoleRequest, chosen: OperationFilter) -> dict[str, Any]:
    """Return the kinds of errors of the newest that are let through, most rows first.

    Counted here: a join would have the database read all operations.
    """
    visible = Operation.objects.visible_to(request.user)
    newest, last = looking.stretch(chosen, visible, request.user, LOOK)
    failed = newest.failed().values_list(*Counted._fields)[: MOST_COUNTED + 1]
    counted = [Counted(*each) for each in failed]
    if len(counted) > MOST_COUNTED:
        counted.pop()
        last = Place(counted[-1].pk, counted[-1].created_at)
    operations = {each.pk: each for each in counted}
    told = Failure.objects.filter(operation__in=operations).order_by("-operation")
    kinds: dict[str, Kind] = {}
    explained = set()
    for pk, digest, rows in told.values_list("operation_id", "digest", "rows"):
        kinds.setdefault(digest, Kind(digest)).add(operations[pk], rows)
        explained.add(pk)
    found = sorted(kinds.values(), key=_most_first)
    shown = found[:MOST_KINDS]
    _explain(shown)
    # Those of an operation may have been stored anew since they were counted.
    shown = [kind for kind in shown if kind.failure]
    _name_customers(shown)
    return {
        "kinds": shown,
        "has_more_kinds": len(found) > MOST_KINDS,
        "operation_count": len(counted),
        "not_counted": len(counted) - len(explained),
        "since": last.created_at if last else counted[-1].created_at if counted else "",
        "further": chosen.query(before=last.pk) if last else "",
        "is_further": bool(chosen.cleaned_data["before"]),
        "query": chosen.query(),
    }


def _most_first(kind: Kind) -> tuple[int, int, str]:
    return -kind.rows, -len(kind.operations), kind.digest


def _explain(kinds: Sequence[Kind]) -> None:
    """Give each kind its words, and an example: the newest of those counted."""
    newest = Failure.objects.filter(
        operation__in={kind.newest.pk for kind in kinds},
        digest__in=[kind.digest for kind in kinds],
    )
    examples = {(each.operation_id, each.digest): each for each in newest}
    for kind in kinds:
        kind.failure = examples.get((kind.newest.pk, kind.digest))
        if kind.failure:
            kind.explanation = _explanation(kind.failure)


def _name_customers(kinds: Sequence[Kind]) -> None:
    """Name the first few customers of all kinds with one query."""
    first = [list(islice(kind.places, MOST_NAMED)) for kind in kinds]
    names = group_names(place for places in first for place in places)
    for kind, places in zip(kinds, first, strict=True):
        kind.customers = [
            names.get(place) or place[1] or "not reported" for place in places
        ]


def _explanation(failure: Failure) -> Explanation | None:
    return explanation_of(failure.code, failure.example or failure.message)


def _operations(
    selected: OperationQuerySet, digest: str, chosen: OperationFilter
) -> dict[str, Any]:
    had = selected.filter(failures__digest=digest)
    had = had.annotate(failed_so=F("failures__rows"))
    found = list(had.newest_first()[: PAGE + 1])
    shown = found[:PAGE]
    name_groups(shown)
    is_before = bool(chosen.cleaned_data["before"])
    return {
        "operations": shown,
        "older": chosen.query(before=shown[-1].pk) if len(found) > PAGE else "",
        "newest": chosen.query() if is_before else None,
        "query": chosen.query(),
        "in_list": chosen.query(error=digest),
    }
