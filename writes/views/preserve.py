"""Legal hold and pin of a write, and the page of all that retention is about."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.db.models import Exists, OuterRef
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from console import signing
from console.access.roles import (
    Role,
    environments_for,
    require_admin,
    require_operator,
    require_viewer,
    role_in,
)
from console.actor import Actor
from console.http import ConsoleRequest
from console.ui.forms import StyledForm
from operations.models import Operation
from writes.actions import preserve
from writes.evidence.pack import MOST
from writes.models import Preservation, SweptLog, Write
from writes.models.preservation import WARNED, is_busy, is_preserved, kept_until
from writes.views.lookup import find_write
from writes.views.panels import batch_of

SHOWN = 100
Kind = Preservation.Kind


class HoldForm(StyledForm):
    """Why a write is put on legal hold: it stays in the audit trail."""

    reason = forms.CharField(
        label="Reason for the legal hold",
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


# --- What is done with one write -----------------------------------------------------


@require_POST
@require_admin
def hold(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Put a write on legal hold."""
    write = find_write(request, pk, Role.ADMIN)
    form = HoldForm(request.POST)
    if not form.is_valid():
        messages.error(
            request, "Nothing was changed: give a reason for the legal hold."
        )
        return _back(write)
    return _preserve(request, write, Kind.HOLD, form.cleaned_data["reason"])


@require_POST
@require_admin
def hold_release(request: ConsoleRequest, pk: int) -> HttpResponse:
    """End the legal hold of a write."""
    return _release(request, find_write(request, pk, Role.ADMIN), Kind.HOLD)


@require_POST
@require_operator
def pin(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Keep the files and values of a write."""
    return _preserve(request, find_write(request, pk, Role.OPERATOR), Kind.PIN)


@require_POST
@require_operator
def unpin(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Give them back to retention."""
    return _release(request, find_write(request, pk, Role.OPERATOR), Kind.PIN)


def _preserve(
    request: ConsoleRequest, write: Write, kind: Kind, reason: str = ""
) -> HttpResponse:
    if not preserve.preserve(write, kind, Actor.of(request), reason=reason):
        messages.warning(request, f"Nothing was changed: {_HAS_IT[kind]} already.")
    elif write.files_deleted_at:
        messages.warning(request, f"{_DONE[kind]} {_left_of(write)}")
    else:
        messages.success(request, f"{_DONE[kind]} Its values are kept until that ends.")
    return _back(write)


def _left_of(write: Write) -> str:
    """Say what a hold or pin still keeps of a write whose values are gone."""
    if SweptLog.objects.filter(operation__batch__write=write).exists():
        return "Its values are gone already, and so are logs of it."
    return "Its values are gone already; its logs are kept."


def _release(request: ConsoleRequest, write: Write, kind: Kind) -> HttpResponse:
    if preserve.release(write, kind, Actor.of(request)):
        messages.success(request, f"{_OVER[kind]} {_until(write)}")
    else:
        messages.warning(request, "Nothing was changed: it was over already.")
    return _back(write)


_HAS_IT = {Kind.HOLD: "it is on legal hold", Kind.PIN: "it is pinned"}
_DONE = {Kind.HOLD: "The write is on legal hold.", Kind.PIN: "The write is pinned."}
_OVER = {
    Kind.HOLD: "The write is no longer on legal hold.",
    Kind.PIN: "The write is no longer pinned.",
}


def _until(write: Write) -> str:
    if write.files_deleted_at:
        return "Its values are gone already."
    if until := kept_until(write):
        return f"Its values are kept until {until:%-d %b %Y}."
    return "Its values are still kept otherwise."


def _back(write: Write) -> HttpResponse:
    """Return to the page that has the panel."""
    batches = write.batches.select_related("operation")[:2]
    page = batches[0].operation if len(batches) == 1 else write
    return redirect(f"{page.get_absolute_url()}#evidence")


# --- What pages show of it -----------------------------------------------------------


def evidence_panel(request: ConsoleRequest, operation: Operation) -> str:
    """Draw how long the files of a write stay, and its evidence pack."""
    batch = batch_of(operation)
    if batch is None:
        return ""
    context = evidence_context(request, batch.write)
    return render_to_string("writes/evidence_panel.html", context, request)


def swept_log_panel(request: ConsoleRequest, operation: Operation) -> str:
    """Say that the log of an operation was deleted, and what it was."""
    swept = SweptLog.objects.filter(operation=operation).first()
    if swept is None:
        return ""
    return render_to_string("writes/swept_log.html", {"swept": swept}, request)


def evidence_context(request: ConsoleRequest, write: Write) -> dict[str, Any]:
    """Return what the panel of a write shows, of a draft too."""
    role = role_in(request.user, write.project.environment)
    kept = {each.kind: each for each in write.preservations.open()}
    size = write.check_report.get("as_sent_size") or 0
    until, now = kept_until(write), timezone.now()
    may_go = not (write.is_draft or write.files_deleted_at)
    return {
        "write": write,
        "hold": kept.get(Kind.HOLD),
        "pin": kept.get(Kind.PIN),
        "until": until,
        "is_awaited": _is_past(until, now) and _is_busy(write),
        "goes_soon": may_go and _is_past(until, now + WARNED),
        "may_hold": role >= Role.ADMIN,
        "may_pin": role >= Role.OPERATOR,
        "hold_form": HoldForm(auto_id="id_hold_%s"),
        # The bodies of a run are a few times as large as its file.
        "is_large": size > (MOST // 4 if write.is_run else MOST),
        "most": MOST,
    }


def _is_past(until: datetime | None, now: datetime) -> bool:
    return until is not None and until <= now


def _is_busy(write: Write) -> bool:
    """Tell whether an operation of it still keeps its values."""
    return Write.objects.filter(is_busy(), pk=write.pk).exists()


@require_safe
@never_cache
@require_viewer
def retention(request: ConsoleRequest) -> HttpResponse:
    """List what is held, what is pinned, what goes soon; and how packs are verified."""
    seen = Write.objects.visible_to(request.user).filter(pk=OuterRef("write"))
    kept = Preservation.objects.open().filter(Exists(seen))
    kept = kept.select_related("write__integration__project").order_by("-pk")
    going = _going(request, timezone.now())
    lists: dict[str, Any] = {}
    for kind in Kind:
        found = list(kept.filter(kind=kind)[: SHOWN + 1])
        lists[f"{kind.value}s"] = found[:SHOWN]
        lists[f"more_{kind.value}s"] = len(found) > SHOWN
    context = {
        **lists,
        "going": going[:SHOWN],
        "more_going": len(going) > SHOWN,
        "rules": [
            {
                "environment": word,
                "days": settings.KEEP_DAYS[word],
                "logs": settings.KEEP_LOGS_DAYS[word],
            }
            for word in environments_for(request.user, Role.VIEWER)
        ],
        "public_keys": signing.public_keys(),
        "warned": WARNED.days,
    }
    return render(request, "writes/retention.html", context)


def _going(request: ConsoleRequest, now: datetime) -> list[dict[str, Any]]:
    """Return the writes whose values go within a week, the next one first.

    What was released lately is not past its time yet: see `is_preserved`.
    """
    found: list[Write] = []
    for word in environments_for(request.user, Role.VIEWER):
        latest = now + WARNED - timedelta(days=settings.KEEP_DAYS[word])
        writes = Write.objects.filter(
            ~is_preserved(),
            files_deleted_at=None,
            state=Write.State.CONFIRMED,
            integration__project__environment=word,
            confirmed_at__lt=latest,
        )
        writes = writes.select_related("integration__project").annotate(busy=is_busy())
        writes = writes.prefetch_related("preservations")
        found += writes.order_by("confirmed_at")[: SHOWN + 1]
    going = []
    for each in found:
        until = kept_until(each)
        is_awaited = _is_past(until, now) and each.busy  # type: ignore[attr-defined]
        going.append({"write": each, "until": until, "is_awaited": is_awaited})
    return sorted(going, key=lambda each: each["until"])
