"""A run on the page of its operation: its requests, and what a person decides."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from console.access.roles import Role, require_operator, require_viewer
from console.actor import Actor
from console.http import ConsoleRequest
from console.models import EnvironmentControl
from console.sign_in.identity_check import need_identity_to_send
from console.ui.forms import StyledForm
from console.ui.polling import seconds_between_polls, seen
from operations.models import Operation
from writes import calls
from writes.actions import run as actions
from writes.actions.link_call import Found
from writes.display.run import PAGE, run_progress
from writes.display.waits import waits_for
from writes.forms.confirm import LONGEST_REASON
from writes.models import Batch, Call
from writes.views.lookup import find_call, find_run


class DecideForm(StyledForm):
    """What a person found out about a request whose outcome is unknown."""

    found = forms.ChoiceField(
        label="What did you find?",
        choices=[
            ("written", "All rows with an unknown outcome were written"),
            ("not_written", "None of them was written"),
        ],
        widget=forms.RadioSelect(attrs={"class": "form-check-input"}),
    )
    looked_at = forms.CharField(
        label="What did you check?",
        max_length=LONGEST_REASON,
        help_text="For your colleagues, for example “the contacts of 14:05 are there”.",
    )


def run_panel(request: ConsoleRequest, operation: Operation) -> str:
    """Draw how far the run of an operation is; nothing where it is none."""
    if not operation.is_run:
        return ""
    context = run_context(request, operation.batch)
    return render_to_string("writes/run.html#panel", context, request)


@require_safe
@never_cache
@require_viewer
def panel(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Return the panel of a run; 204 if it is as `seen`."""
    context = run_context(request, find_run(request, pk, Role.VIEWER))
    if request.GET.get("seen") == context["seen"]:
        return HttpResponse(status=204)
    return render(request, "writes/run.html#panel", context)


def run_context(request: ConsoleRequest, batch: Batch) -> dict[str, Any]:
    """Return what the panel of a run shows."""
    write, now = batch.write, timezone.now()
    progress = run_progress(batch, now)
    page = _Requests(batch).get_page(request.GET.get("requests", "1"))
    is_paused = write.paused_at is not None and progress.planned > 0
    is_held = is_paused or batch.stopped_why or progress.undecided
    moves = progress.sending or progress.accepted or (progress.planned and not is_held)
    since = batch.operation.sent_at or batch.operation.created_at
    seconds = seconds_between_polls(since, quickest=2) if moves else None
    control = EnvironmentControl.objects.of(write.project.environment)
    waits = ""
    if progress.planned and not is_held:
        waits = waits_for(write, control, now)
    shown = (progress, is_paused, batch.stopped_why, waits, page.number, seconds)
    return {
        "write": write,
        "batch": batch,
        "operation": batch.operation,
        "project": write.project,
        "progress": progress,
        "requests": page,
        "is_paused": is_paused,
        "is_told_below": progress.over == progress.calls and write.rows_totals,
        "control": control,
        "is_held": is_held,
        "waits": waits,
        "poll_seconds": seconds,
        "seen": seen(*shown),
    }


class _Requests(Paginator):  # type: ignore[type-arg]
    """The requests of a run, those first that a person should look at."""

    def __init__(self, batch: Batch) -> None:
        self._total = batch.calls_total
        found = Call.objects.filter(batch=batch).defer("outcome", "answer", "sha256")
        super().__init__(found.order_by("turn", "number"), PAGE)

    @property
    def count(self) -> int:
        """How many there are, which the run knows."""
        return self._total


@require_safe
@never_cache
@require_viewer
def call(request: ConsoleRequest, pk: int, number: int) -> HttpResponse:
    """Show one request of a run: its rows, its exact body, its answer."""
    return call_page(request, find_call(request, pk, number, Role.VIEWER), DecideForm())


def call_page(
    request: ConsoleRequest,
    call: Call,
    form: DecideForm,
    *,
    found: Found | None = None,
    status: int = 200,
) -> HttpResponse:
    """Draw the page of a request, with the operations `found` that it may be."""
    write = call.batch.write
    context = {
        "call": call,
        "write": write,
        "project": write.project,
        "form": form,
        "rows": _rows(call),
        "to_go_on": _to_go_on(call),
        "found": found,
        **_exact(call),
    }
    return render(request, "writes/call.html", context, status=status)


def _to_go_on(found: Call) -> int:
    """Return how many requests of its run leave by themselves once it is decided."""
    batch = found.batch
    if batch.stopped_why or batch.write.paused_at is not None:
        return 0
    return Call.objects.filter(batch=batch, state=Call.State.PLANNED).count()


def _rows(found: Call) -> list[dict[str, Any]]:
    told = found.rows_told()
    in_file = calls.origin_of(found.batch.write)
    return [
        {
            "row": in_file(found.first_row + place),
            "state": state,
            "id": id_,
            "reason": reason,
        }
        for place, (state, id_, reason) in enumerate(told)
    ]


def _exact(found: Call) -> dict[str, Any]:
    """Return the exact body, made again from the file; or why that cannot be."""
    try:
        content = calls.body_of(found)
    except (OSError, ValueError) as error:
        return {"missing": str(error)}
    return {"address": found.batch.url, "body": content.decode()}


@require_POST
@require_operator
def decide(request: ConsoleRequest, pk: int, number: int) -> HttpResponse:
    """Keep what a person found out about a request whose outcome is unknown."""
    found = find_call(request, pk, number, Role.OPERATOR)
    form = DecideForm(request.POST)
    if not form.is_valid():
        return call_page(request, found, form, status=422)
    said = form.cleaned_data
    try:
        actions.decide(
            found,
            Actor.of(request),
            was_written=said["found"] == "written",
            looked_at=said["looked_at"],
        )
    except actions.NothingToDecide as error:
        messages.warning(request, str(error))
    else:
        messages.success(request, "Noted.")
    return redirect(found.batch.operation)


@require_POST
@require_operator
def go_on(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Let a run go on that was stopped."""
    batch = find_run(request, pk, Role.OPERATOR)
    need_identity_to_send(request, batch.write.project.environment)
    if not actions.go_on(batch, Actor.of(request)):
        messages.warning(
            request,
            "Nothing was changed: it was not stopped, or requests with an unknown "
            "outcome must be resolved first.",
        )
    return redirect(batch.operation)


@require_POST
@require_operator
def cancel_rest(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Cancel the requests that have not left."""
    batch = find_run(request, pk, Role.OPERATOR)
    count = actions.cancel_rest(batch, Actor.of(request))
    if count:
        messages.success(
            request, f"{count:,} request{'s were' if count != 1 else ' was'} cancelled."
        )
    else:
        messages.warning(request, "Nothing was left to cancel.")
    return redirect(batch.operation)
