"""Two operations side by side: how each fared, and which errors it had."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from console.access.roles import Role, require_viewer
from console.http import ConsoleRequest
from console.validators import LARGEST_ID, whole_number
from operations.display.log_display import since
from operations.models import Failure, Operation
from operations.views import panels
from operations.views.lookup import find_operation, name_groups

# Others are proposed from so many of the newest of the project.
LOOK = 2_000
PROPOSED = 20


@dataclass
class ErrorPair:
    """An error and how many rows had it in each of the two, None where none had."""

    failure: Failure
    first: int | None = None
    second: int | None = None

    @property
    def place(self) -> str:
        """Which of the two had it: "first", "second" or "both"."""
        if self.first is None:
            return "second"
        return "first" if self.second is None else "both"


@require_safe
@never_cache
@require_viewer
def choose(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Offer operations to compare one with; `other` names one by its number."""
    operation = find_operation(request, pk, Role.VIEWER)
    typed = request.GET.get("other", "").strip()
    problem = ""
    if typed:
        number = whole_number(typed.removeprefix("#"), most=LARGEST_ID)
        visible = Operation.objects.visible_to(request.user)
        if number and number != pk and visible.filter(pk=number).exists():
            return redirect("operations:compared", pk, number)
        problem = f"There is no other operation {typed[:50]}, or not for your role."
    others = _others(request, operation)
    name_groups([operation, *others])
    context = {"operation": operation, "others": others, "typed": typed[:50]}
    status = 404 if problem else 200
    context["problem"] = problem
    return render(request, "operations/compare.html", context, status=status)


@require_safe
@never_cache
@require_viewer
def compare(request: ConsoleRequest, pk: int, other: int) -> HttpResponse:
    """Show two operations beside each other."""
    pair = tuple(find_operation(request, each, Role.VIEWER) for each in (pk, other))
    first, second = pair
    name_groups(pair)
    pairs = error_pairs(first, second)
    context: dict[str, Any] = {
        "operation": first,
        "pair": pair,
        "took": [_took(each) for each in pair],
        "errors": pairs,
        "sections": panels.comparison.drawn(request, (first, second)),
    }
    return render(request, "operations/compared.html", context)


def _others(request: ConsoleRequest, operation: Operation) -> list[Operation]:
    """Return those of the same object and customer among the newest of its project."""
    visible = Operation.objects.visible_to(request.user)
    newest = visible.filter(project=operation.project_id).newest_first()
    alike = visible.for_list().filter(
        pk__in=newest.values("pk")[:LOOK],
        object_name=operation.object_name,
        group_ref=operation.group_ref,
    )
    return list(alike.exclude(pk=operation.pk).newest_first()[:PROPOSED])


def error_pairs(first: Operation, second: Operation) -> list[ErrorPair]:
    """Return the errors of both, those with most rows first."""
    pairs: dict[str, ErrorPair] = {}
    for failure in Failure.objects.filter(operation__in=[first.pk, second.pk]):
        pair = pairs.setdefault(failure.digest, ErrorPair(failure))
        if failure.operation_id == first.pk:
            pair.first = failure.rows
        if failure.operation_id == second.pk:
            pair.second = failure.rows
    order = ("first", "both", "second")
    return sorted(
        pairs.values(),
        key=lambda p: (order.index(p.place), -max(p.first or 0, p.second or 0)),
    )


def _took(operation: Operation) -> str:
    """Return how long it took from sending to its end, "" while it has not ended."""
    if operation.ended_at is None:
        return ""
    start = operation.sent_at or operation.created_at
    return since(operation.ended_at, start).removeprefix("+").partition(".")[0]
