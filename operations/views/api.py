"""History and audit for programs, below /api/v1/."""

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, QueryDict

from console.access.roles import Role
from console.api.endpoint import endpoint
from console.api.paging import page_of
from console.api.parameters import Limited
from console.models import AuditEvent
from console.models.api_token import Scope
from operations.filters import OperationFilter, cursor
from operations.models import LogEntry, Operation
from operations.tables import AUDIT_EVENT, LOG_ENTRY, OPERATION
from operations.views.audit_filter import AuditFilter
from operations.views.lookup import find_operation

# Of one operation so many transitions are told, the newest ones.
MOST_TRANSITIONS = 200
TRANSITIONS = {
    "type": "array",
    "description": f"Its states, oldest first; the last {MOST_TRANSITIONS} of them.",
    "items": {
        "type": "object",
        "required": ["at", "from", "to", "user", "reason"],
        "properties": {
            "at": {"type": "string", "format": "date-time"},
            "from": {"type": "string"},
            "to": {"type": "string", "enum": Operation.State.values},
            "user": {"type": "string"},
            "reason": {"type": "string"},
        },
    },
}


class OperationQuery(OperationFilter, Limited):
    """The filters of the list, and how many a page has."""


class LogQuery(Limited):
    """Which entries of a log."""

    after = cursor()
    severity = forms.CharField(required=False, max_length=50)


class AuditQuery(AuditFilter, Limited):
    """The filters of the audit; with `after` it goes from there towards the newest."""

    after = cursor()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Leave out the search in subjects, which looks at some events at a time."""
        super().__init__(*args, **kwargs)
        del self.fields["text"]

    def clean(self) -> None:
        """Refuse a page that would begin at two ends."""
        super().clean()
        if self.cleaned_data.get("before") and self.cleaned_data.get("after"):
            self.add_error("after", "Give either “before” or “after”, not both.")


def _operation_query(query: QueryDict, user: User) -> OperationQuery:
    return OperationQuery(query, user=user)


def _log_query(query: QueryDict, user: User) -> LogQuery:
    return LogQuery(query)


def _audit_query(query: QueryDict, user: User) -> AuditQuery:
    return AuditQuery(query, user=user)


@endpoint(
    summary="Operations, newest first",
    scope=Scope.HISTORY,
    table=OPERATION,
    query=_operation_query,
    is_list=True,
)
def operations(request: HttpRequest, chosen: OperationQuery) -> dict[str, Any]:
    """Tell of the operations that the filters let through."""
    visible = Operation.objects.visible_to(request.user)
    found = chosen.page(visible)[: chosen.size + 1]
    rows = OPERATION.rows(found)
    return page_of(
        request, OPERATION, rows, size=chosen.size, cursor="before", key="id"
    )


@endpoint(
    summary="One operation, with its states",
    scope=Scope.HISTORY,
    table=OPERATION,
    more={"transitions": TRANSITIONS},
)
def operation(request: HttpRequest, chosen: forms.Form, pk: int) -> dict[str, Any]:
    """Tell of one operation, and how it came into its state."""
    found = find_operation(request, pk, Role.VIEWER)  # type: ignore[arg-type]
    rows = OPERATION.rows(Operation.objects.filter(pk=found.pk))
    told = next(map(OPERATION.in_json, rows), None)
    if told is None:
        raise Http404
    newest = found.transitions.order_by("-number")[:MOST_TRANSITIONS]
    told["transitions"] = [
        {
            "at": each.at,
            "from": each.from_state,
            "to": each.to_state,
            "user": each.actor_name,
            "reason": each.reason,
        }
        for each in list(newest)[::-1]
    ]
    return told


@endpoint(
    summary="The log of an operation, oldest first",
    scope=Scope.HISTORY,
    table=LOG_ENTRY,
    query=_log_query,
    is_list=True,
)
def logs(request: HttpRequest, chosen: LogQuery, pk: int) -> dict[str, Any]:
    """Tell of the entries of a log, from the one behind `after` on."""
    found = find_operation(request, pk, Role.VIEWER)  # type: ignore[arg-type]
    given = chosen.cleaned_data
    entries = LogEntry.objects.filter(
        operation=found.pk, sequence__gt=given["after"] or 0
    )
    if given["severity"]:
        entries = entries.filter(severity=given["severity"])
    rows = LOG_ENTRY.rows(entries.order_by("sequence")[: chosen.size + 1])
    return page_of(
        request, LOG_ENTRY, rows, size=chosen.size, cursor="after", key="sequence"
    )


@endpoint(
    summary="Audit events with their seals",
    scope=Scope.AUDIT,
    table=AUDIT_EVENT,
    query=_audit_query,
    is_list=True,
)
def audit(request: HttpRequest, chosen: AuditQuery) -> dict[str, Any]:
    """Tell of audit events: newest first, or with `after` from there on."""
    after = chosen.cleaned_data["after"]
    events = chosen.within(chosen.apply(AuditEvent.objects.visible_to(request.user)))
    if after:
        events = events.filter(pk__gt=after).order_by("pk")
    rows = AUDIT_EVENT.rows(events[: chosen.size + 1])
    name = "after" if after else "before"
    return page_of(request, AUDIT_EVENT, rows, size=chosen.size, cursor=name, key="id")
