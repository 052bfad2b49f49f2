"""One operation: its state in words, its rows, what failed, and its log."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from console.access.roles import Role, require_viewer
from console.http import ConsoleRequest
from console.models import EnvironmentControl
from console.ui.polling import ENDED_SECONDS, seconds_between_polls, seen
from operations.display.sentence import sentence
from operations.display.tab_title import title
from operations.display.timeline import timeline
from operations.display.waiting import Waiting, waiting_of
from operations.models import Gate, Operation
from operations.outcome.row_failures import failure_groups
from operations.views import panels
from operations.views.logs import log_context
from operations.views.lookup import find_operation, name_groups

GROUPS_SHOWN = 50
KEYS_SHOWN = 20
# Nothing moves until a person ends it.
FROZEN_SECONDS = 10


@dataclass(frozen=True)
class _KeptBy:
    """What keeps an operation from going on; all None where nothing does."""

    freeze: EnvironmentControl | None
    open_gate: Gate | None
    waiting: Waiting | None

    @classmethod
    def of(cls, operation: Operation) -> "_KeptBy":
        return cls(_freeze_of(operation), _open_gate(operation), waiting_of(operation))


@require_safe
@never_cache
@require_viewer
def detail(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Show one operation."""
    operation = find_operation(request, pk, Role.VIEWER)
    context = _status_context(request, operation, _KeptBy.of(operation))
    context["notices"] = panels.notices.drawn(request, operation)
    context["sections"] = panels.sections(request, operation)
    context["late_sections"] = panels.late.sections(request, operation)
    context["log"] = log_context(operation, {}, request.COOKIES)
    return render(request, "operations/detail.html", context)


@require_safe
@never_cache
@require_viewer
def status(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Return the part that changes by itself; 204 while it is as `seen`.

    `was` is the state on the reader's page: a new one is announced to screen readers.
    """
    operation = find_operation(request, pk, Role.VIEWER)
    kept_by = _KeptBy.of(operation)
    if request.GET.get("seen") == _seen(operation, kept_by):
        return HttpResponse(status=204)
    context = _status_context(request, operation, kept_by)
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
    request: ConsoleRequest, operation: Operation, kept_by: _KeptBy
) -> dict[str, Any]:
    name_groups([operation])
    telling = operation.log_entries.filter(tells_outcome=True)
    groups = failure_groups(telling.values_list("raw", flat=True))
    return {
        "operation": operation,
        "page_title": title(operation),
        "seen": _seen(operation, kept_by),
        "sentence": sentence(operation, kept_by.freeze, kept_by.waiting),
        "counts": panels.counts.drawn(request, operation),
        "remedies": panels.remedies.drawn(request, operation),
        "timeline": timeline(operation),
        "groups": [
            {"group": group, "error": group.parsed, "keys": group.keys[:KEYS_SHOWN]}
            for group in groups[:GROUPS_SHOWN]
        ],
        "groups_left": max(0, len(groups) - GROUPS_SHOWN),
        "poll_seconds": _poll_seconds(operation, kept_by.freeze),
        "open_gate": kept_by.open_gate,
    }


def _seen(operation: Operation, kept_by: _KeptBy) -> str:
    """Return what the reader has.

    Neither an asking that brought no news nor what keeps it waiting counts a version
    up, but the page tells of it.
    """
    freeze, gate = kept_by.freeze, kept_by.open_gate
    return seen(
        operation.version,
        operation.asked_count,
        freeze is None,
        gate and (gate.opened_at, gate.last_failure),
        kept_by.waiting,
        _poll_seconds(operation, freeze),
    )


def _open_gate(operation: Operation) -> Gate | None:
    """Return the gate of its project, if its open breaker keeps this one waiting."""
    if operation.state != Operation.State.WAITING and not operation.is_watched:
        return None
    return Gate.objects.with_open_breaker().filter(pk=operation.project_id).first()


def _poll_seconds(
    operation: Operation, freeze: EnvironmentControl | None
) -> int | None:
    """Return how often the page looks for news, or None when none will come."""
    state = operation.state
    if state in Operation.UNSENT or state == Operation.State.SENDING:
        since = operation.sent_at or operation.waiting_since
        return seconds_between_polls(since, quickest=FROZEN_SECONDS if freeze else 1)
    is_running = operation.is_run and state == Operation.State.IN_PROGRESS
    if not operation.is_watched and not is_running:
        return None
    if state != Operation.State.IN_PROGRESS:
        return ENDED_SECONDS
    return seconds_between_polls(operation.accepted_at, quickest=2)
