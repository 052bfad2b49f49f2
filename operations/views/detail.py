"""One operation: its state in words, its rows, what failed, and its log."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from console.models import EnvironmentControl
from console.roles import Role, require_viewer
from operations import panels
from operations.failures import failure_groups
from operations.models import Gate, Operation
from operations.sentences import sentence
from operations.timeline import timeline
from operations.views.logs import log_context
from operations.views.lookup import find_operation, name_groups

GROUPS_SHOWN = 50
KEYS_SHOWN = 20
# What lasts longer than this is looked at less often.
LONG = timedelta(minutes=10)
# Nothing moves until a person ends it.
POLL_FROZEN = 10


@require_safe
@never_cache
@require_viewer
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one operation."""
    operation = find_operation(request, pk, Role.VIEWER)
    context = _status_context(operation, _freeze_of(operation))
    context["panels"] = panels.drawn(request, operation)
    context["log"] = log_context(operation, {})
    return render(request, "operations/detail.html", context)


@require_safe
@never_cache
@require_viewer
def status(request: HttpRequest, pk: int) -> HttpResponse:
    """Return the part that changes by itself; 204 while it is as `seen`.

    `was` is the state on the reader's page: a new one is announced to screen readers.
    """
    operation = find_operation(request, pk, Role.VIEWER)
    freeze = _freeze_of(operation)
    if request.GET.get("seen") == _seen(operation, freeze):
        return HttpResponse(status=204)
    context = _status_context(operation, freeze)
    context["is_fragment"] = True
    context["is_news"] = request.GET.get("was") != operation.state
    return render(request, "operations/detail.html#operation-status", context)


def _freeze_of(operation: Operation) -> EnvironmentControl | None:
    """Return what keeps a waiting operation from leaving, None if nothing does."""
    if operation.state != Operation.State.WAITING:
        return None
    control = EnvironmentControl.objects.of(operation.project.environment)
    return control if control.is_frozen else None


def _status_context(
    operation: Operation, freeze: EnvironmentControl | None
) -> dict[str, Any]:
    name_groups([operation])
    telling = operation.log_entries.filter(tells_outcome=True)
    groups = failure_groups(telling.values_list("raw", flat=True))
    return {
        "operation": operation,
        "seen": _seen(operation, freeze),
        "sentence": sentence(operation, freeze),
        "timeline": timeline(operation),
        "groups": [
            {"group": group, "error": group.parsed, "keys": group.keys[:KEYS_SHOWN]}
            for group in groups[:GROUPS_SHOWN]
        ],
        "groups_left": max(0, len(groups) - GROUPS_SHOWN),
        "poll_seconds": POLL_FROZEN if freeze else _poll_seconds(operation),
        "open_gate": _open_gate(operation),
    }


def _seen(operation: Operation, freeze: EnvironmentControl | None) -> str:
    """Return what is another one as soon as anything shown changes.

    An asking that brought no news counts no version up, nor does a freeze, but the
    page tells of it.
    """
    return f"{operation.version}-{operation.asked_count}{'-frozen' if freeze else ''}"


def _open_gate(operation: Operation) -> Gate | None:
    """Return the gate of its project, if its open breaker keeps this one waiting."""
    if operation.state != Operation.State.WAITING and not operation.is_watched:
        return None
    return Gate.objects.with_open_breaker().filter(pk=operation.project_id).first()


def _poll_seconds(operation: Operation) -> int | None:
    """Return how often the page looks for news, or None when none will come."""
    if operation.state in (Operation.State.WAITING, Operation.State.SENDING):
        return 1
    if operation.state == Operation.State.HELD:
        return 5
    if not operation.is_watched:
        return None
    if operation.state != Operation.State.IN_PROGRESS:
        return 10
    return 2 if timezone.now() - operation.created_at < LONG else 15
