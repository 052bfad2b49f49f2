"""Which errors a selection of operations had: by kind, and the operations of one."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Count, Exists, F, Max, Min, OuterRef, Sum
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from console.access.roles import require_viewer
from console.http import ConsoleRequest
from operations.filters import OperationFilter
from operations.models import Failure, Operation
from operations.models.failure import FailureQuerySet
from operations.models.operation import OperationQuerySet
from operations.outcome.salesforce_errors import explanation_of
from operations.views.lookup import name_groups

# A page counts the errors of so many operations that have some; then it goes on.
MOST_LOOKED_AT = 2_000
MOST_KINDS = 100
# Customers and objects that are named with an error.
MOST_NAMED = 3
PAGE = 50


@require_safe
@never_cache
@require_viewer
def failures(request: ConsoleRequest) -> HttpResponse:
    """Show the errors of the operations that the filters of the list let through."""
    chosen = OperationFilter(request.GET, user=request.user)
    context: dict[str, Any] = {"filter": chosen, "narrowed": _narrowed(chosen)}
    if chosen.is_valid():
        context |= _kinds(_selected(request, chosen), chosen)
    status = 200 if chosen.is_valid() else 400
    return render(request, "operations/failures.html", context, status=status)


@require_safe
@never_cache
@require_viewer
def failure(request: ConsoleRequest, digest: str) -> HttpResponse:
    """Show the operations that had one kind of error, newest first."""
    chosen = OperationFilter(request.GET, user=request.user)
    visible = Operation.objects.visible_to(request.user)
    told = Failure.objects.filter(digest=digest)
    example = told.filter(operation__in=visible).order_by("-operation").first()
    if example is None:
        raise Http404
    context: dict[str, Any] = {
        "filter": chosen,
        "narrowed": _narrowed(chosen),
        "failure": example,
        "explanation": _explanation(example),
    }
    if chosen.is_valid():
        context |= _operations(chosen.apply(visible.for_list()), digest, chosen)
    status = 200 if chosen.is_valid() else 400
    return render(request, "operations/failure.html", context, status=status)


def _selected(request: ConsoleRequest, chosen: OperationFilter) -> OperationQuerySet:
    return chosen.apply(Operation.objects.visible_to(request.user))


def _narrowed(chosen: OperationFilter) -> list[tuple[str, str]]:
    """Return the filters that are on, in words."""
    found = []
    for name, value in chosen.narrowing.items():
        field = chosen.fields[name]
        choices = getattr(field, "choices", ())
        labels = {str(key): str(label) for key, label in choices}
        label = field.label or name.replace("_", " ").capitalize()
        found.append((str(label), labels.get(value, value)))
    return found


def _kinds(selected: OperationQuerySet, chosen: OperationFilter) -> dict[str, Any]:
    """Return the kinds of errors of the newest of `selected`, most rows first."""
    failed = selected.filter(Exists(Failure.objects.filter(operation=OuterRef("pk"))))
    newest = failed.newest_first().values_list("pk", "created_at")
    looked_at = list(newest[: MOST_LOOKED_AT + 1])
    is_more = len(looked_at) > MOST_LOOKED_AT
    looked_at = looked_at[:MOST_LOOKED_AT]
    told = Failure.objects.filter(operation__in=[pk for pk, _ in looked_at])
    found = list(
        told.order_by()
        .values("digest")
        .annotate(
            rows=Sum("rows"),
            operations=Count("pk"),
            first=Min("operation__created_at"),
            last=Max("operation__created_at"),
            newest=Max("operation"),
        )
        .order_by("-rows", "digest")[: MOST_KINDS + 1]
    )
    kinds = found[:MOST_KINDS]
    _explain(kinds)
    _name_places(kinds, told)
    return {
        "kinds": kinds,
        "has_more_kinds": len(found) > MOST_KINDS,
        "operation_count": len(looked_at),
        "since": looked_at[-1][1] if looked_at else None,
        "further": chosen.query(before=looked_at[-1][0]) if is_more else "",
        "is_further": bool(chosen.cleaned_data["before"]),
        "query": chosen.query(),
    }


def _explain(kinds: Sequence[dict[str, Any]]) -> None:
    """Give each kind its words, and an example: the newest of those counted."""
    newest = Failure.objects.filter(
        operation__in={kind["newest"] for kind in kinds},
        digest__in=[kind["digest"] for kind in kinds],
    )
    examples = {(each.operation_id, each.digest): each for each in newest}
    for kind in kinds:
        example = examples[kind["newest"], kind["digest"]]
        kind |= {"failure": example, "explanation": _explanation(example)}


def _explanation(failure: Failure) -> Any:
    return explanation_of(failure.code, failure.example or failure.message)


def _name_places(kinds: Sequence[dict[str, Any]], told: FailureQuerySet) -> None:
    """Give each kind the customers and objects that had it, most rows first."""
    groups: dict[str, dict[tuple[int | None, str], int]]
    objects: dict[str, dict[str, int]]
    groups, objects = (defaultdict(lambda: defaultdict(int)) for _ in range(2))
    places = (
        told.filter(digest__in=[kind["digest"] for kind in kinds])
        .order_by()
        .values_list(
            "digest",
            "operation__integration_id",
            "operation__group_ref",
            "operation__object_name",
        )
        .annotate(rows=Sum("rows"))
    )
    for digest, integration, group_ref, object_name, rows in places:
        groups[digest][integration, group_ref] += rows
        objects[digest][object_name] += rows
    names = _names(place for found in groups.values() for place in found)
    for kind in kinds:
        customers = groups[kind["digest"]]
        kind["customers"] = [names[place] for place in _most(customers)]
        kind["more_customers"] = max(0, len(customers) - MOST_NAMED)
        kind["objects"] = list(filter(None, _most(objects[kind["digest"]])))
        kind["more_objects"] = max(0, len(objects[kind["digest"]]) - MOST_NAMED)


def _most[Place](counts: dict[Place, int]) -> list[Place]:
    return sorted(counts, key=lambda place: -counts[place])[:MOST_NAMED]


def _names(
    places: Iterable[tuple[int | None, str]],
) -> dict[tuple[int | None, str], str]:
    """Return the customers in words, by integration and reference."""
    named = [
        Operation(integration_id=integration, group_ref=group_ref)
        for integration, group_ref in set(places)
    ]
    name_groups(named)
    return {
        (each.integration_id, each.group_ref): (
            each.group_name or each.group_ref or "not reported"  # type: ignore[attr-defined]
        )
        for each in named
    }


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
    }
