"""One write whose outcome is unknown: what is known, where to look, and what to do."""

from datetime import datetime, timedelta
from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from ampersand import RequestInvalid
from console.access.roles import Role, require_operator, require_viewer
from console.actor import Actor
from console.fields import UnreadableSecret
from console.http import ConsoleRequest
from console.models import NoActiveKey
from console.sign_in.identity_check import need_identity_to_send
from console.validators import LARGEST_ID
from operations.display.sentence import again_risk
from operations.models import Operation
from operations.views.lookup import find_operation, name_groups
from writes.actions import reconcile, resend
from writes.actions.confirm import AlreadyDecided
from writes.actions.duplicates import RepeatFound
from writes.actions.reconcile import Doubtful, NothingChanged, NotUnknown, Taken
from writes.actions.resend import NeedsReview
from writes.forms.reconcile import AgainForm, LinkForm, NotWrittenForm, WrittenForm
from writes.hints import gather
from writes.models import Batch, Write
from writes.requests import as_curl

State = Operation.State

# What was sent may be worked on for so long after everybody stopped waiting for it.
STILL_ARRIVES = timedelta(minutes=5)


@require_safe
@never_cache
@require_viewer
def page(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Show it; an operation whose outcome is known is shown on its own page."""
    batch = _batch(request, pk, Role.VIEWER)
    if batch.operation.state != State.UNKNOWN:
        return redirect(batch.operation)
    return _page(request, batch)


@require_POST
@require_operator
def link(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Watch an operation of Ampersand as what became of it."""
    batch = _batch(request, pk, Role.OPERATOR)
    form = LinkForm(request.POST)
    if not batch.operation.is_bulk:
        return _nothing(request, batch, "One record has no operation to link.")
    if not form.is_valid():
        return _page(request, batch, link_form=form, status=422)
    given = form.cleaned_data
    try:
        linked = reconcile.link(
            batch, given["remote_id"], Actor.of(request), is_sure=given["is_sure"]
        )
    except NotUnknown as error:
        return _nothing(request, batch, str(error))
    except Doubtful as error:
        return _page(request, batch, link_form=form, doubts=error.doubts, status=422)
    except Taken as error:
        return _page(request, batch, link_form=form, twin=error.twin, status=422)
    except NothingChanged as error:
        form.add_error("remote_id", str(error))
        return _page(request, batch, link_form=form, status=422)
    if linked == batch.operation:
        told = "Linked. It is watched like any other operation now."
    else:
        told = f"Resolved. Operation #{linked.pk} has its result."
    messages.success(request, told)
    return redirect(batch.operation)


@require_POST
@require_operator
def written(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Keep that its record was found in the customer's system."""
    batch = _batch(request, pk, Role.OPERATOR)
    form = WrittenForm(request.POST, expected=batch.write.record_id)
    if batch.operation.is_bulk:
        return _nothing(request, batch, "Link it to its operation instead.")
    if not form.is_valid():
        return _page(request, batch, written_form=form, status=422)
    try:
        reconcile.was_written(batch, form.cleaned_data["record_id"], Actor.of(request))
    except NotUnknown as error:
        return _nothing(request, batch, str(error))
    messages.success(request, "Resolved as written. Nothing was sent.")
    return redirect(batch.operation)


@require_POST
@require_operator
def not_written(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Keep that nothing of it arrived."""
    batch = _batch(request, pk, Role.OPERATOR)
    form = NotWrittenForm(request.POST)
    if not form.is_valid():
        return _page(request, batch, not_written_form=form, status=422)
    try:
        reconcile.was_not_written(
            batch, form.cleaned_data["looked_at"], Actor.of(request)
        )
    except NotUnknown as error:
        return _nothing(request, batch, str(error))
    messages.success(request, "Resolved as not written. Nothing was sent.")
    return redirect(batch.operation)


@require_POST
@require_operator
def send_again(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Send the same once more in a new write, and decide this one."""
    batch = _batch(request, pk, Role.OPERATOR)
    need_identity_to_send(request, batch.write.project.environment)
    form = AgainForm(request.POST, batch=batch)
    if not batch.operation.needs_person:
        return _nothing(request, batch, str(AlreadyDecided(batch.operation)))
    if not form.is_valid():
        return _page(request, batch, again_form=form, status=422)
    try:
        again = resend.send_again(batch, Actor.of(request), **form.said())
    except AlreadyDecided as error:
        return _nothing(request, batch, str(error))
    except RepeatFound as error:
        twin = f"write {error.earlier.pk} was sent with the same content just now."
        return _nothing(request, batch, f"Nothing was sent: {twin}")
    except NeedsReview as error:
        messages.warning(request, str(error))
        return redirect(error.draft)
    except FileNotFoundError:
        form.add_error(None, "The stored file no longer exists. Upload it again.")
        return _page(request, batch, again_form=form, status=422)
    except (NoActiveKey, UnreadableSecret, RequestInvalid) as error:
        form.add_error(None, str(error))
        return _page(request, batch, again_form=form, status=422)
    messages.success(request, f"Sent again: this is the new operation #{again.pk}.")
    return redirect(again)


def _batch(request: ConsoleRequest, pk: int, role: Role) -> Batch:
    """Return what an operation carried, or answer 404 for one that is not ours."""
    operation = find_operation(request, min(pk, LARGEST_ID), role)
    known = Batch.objects.select_related("write__integration__project")
    if operation.is_run:
        # Its requests are decided about one by one (`writes.views.run`).
        raise Http404
    batch = get_object_or_404(known, operation=operation)
    batch.operation = operation
    return batch


def _nothing(request: ConsoleRequest, batch: Batch, why: str) -> HttpResponse:
    messages.warning(request, why)
    return redirect(batch.operation)


def _page(
    request: ConsoleRequest, batch: Batch, *, status: int = 200, **told: Any
) -> HttpResponse:
    """Draw the page. `told` are forms that were refused, doubts, and a twin."""
    operation = batch.operation
    name_groups([operation])
    found = gather.gather(batch)
    shown = batch.request_shown()
    context: dict[str, Any] = {
        "operation": operation,
        "batch": batch,
        "write": batch.write,
        "project": batch.write.project,
        "risk": _risk(batch),
        "done": "deleted" if batch.write.action == Write.Action.DELETE else "written",
        "could_duplicate": resend.could_duplicate(batch),
        "answer": gather.answer_text(operation),
        "may_still_arrive": _may_still_arrive(operation),
        "hints": found,
        "shown": shown,
        "curl": as_curl(batch.write, shown),
        "link_form": LinkForm(),
        "written_form": WrittenForm(expected=batch.write.record_id),
        "not_written_form": NotWrittenForm(),
        "again_form": AgainForm(batch=batch),
        **told,
    }
    return render(request, "writes/reconcile.html", context, status=status)


def _may_still_arrive(operation: Operation) -> bool:
    sent_at = cast(datetime, operation.sent_at)
    return timezone.now() - sent_at < STILL_ARRIVES


def _risk(batch: Batch) -> str:
    """Say what a second sending would do, as exactly as is known of this one."""
    key = batch.write.primary_key
    if batch.write.action == Write.Action.DELETE:
        return again_risk(batch.operation)
    if batch.operation.is_bulk and not resend.could_duplicate(batch):
        return (
            f"Every row has its own {key}, so the same records get the same values. "
            "Changes made by others meanwhile are overwritten."
        )
    if batch.write.url:
        return (
            f"Ampersand would download the URL again. Rows with their {key} get the "
            "same values; a row without one would be created twice, and not every row "
            "was checked."
        )
    return again_risk(batch.operation)
