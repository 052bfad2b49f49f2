"""A draft: shown for review, confirmed by its button, or put away."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from ampersand import RequestInvalid
from console.access.roles import Role, require_operator, require_viewer
from console.actor import Actor
from console.fields import UnreadableSecret
from console.http import ConsoleRequest
from console.models import EnvironmentControl, NoActiveKey
from console.runtime import db_clock
from console.sign_in import kept_form
from console.sign_in.identity_check import need_identity_to_send
from operations.display.sentence import sentence
from writes import delivery, requests
from writes.actions import approve, derive
from writes.actions.confirm import confirm, review_token
from writes.actions.duplicates import RepeatFound, earlier_of
from writes.actions.fetch import NotFetched, can_be_fetched
from writes.actions.fetch import fetch as fetch_into_console
from writes.actions.hold_restored import restored_since
from writes.actions.need_approval import rules_for
from writes.actions.tell_audit import audit_draft
from writes.display.installation import installation_of
from writes.display.progress import progress_of
from writes.display.result import result_of
from writes.display.usual_time import usual_time_of
from writes.forms.confirm import ConfirmForm
from writes.forms.record_fields import names_with_lines
from writes.models import Approval, Write, query_of
from writes.models.key_lookup import STALE_AFTER, is_stale
from writes.views.drafting import GO_ON
from writes.views.lookup import find_write
from writes.views.preserve import evidence_context
from writes.views.sent import sent_context

# The names of more people help nobody.
MOST_NAMED = 5


@require_POST
@require_operator
def send(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Confirm a draft and go to its operation; a second time finds the first.

    422 with the review where something is missing or wrong, 409 with a page of its own
    where the same content was sent not long ago.
    """
    return _act(request, pk, confirm, "writes:send")


@require_POST
@require_operator
def ask_approval(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Ask that another person approves of sending a draft; answers as `send` does."""
    return _act(request, pk, approve.ask, "writes:ask_approval")


def _act(
    request: ConsoleRequest, pk: int, act: Callable[..., object], address: str
) -> HttpResponse:
    """Do what the button of a review says, at `address`, with what was typed there."""
    write = find_write(request, pk, Role.OPERATOR)
    need_identity_to_send(request, write.project.environment)
    form = ConfirmForm(request.POST, write=write, is_repeat="repeats" in request.POST)
    is_answered = form.is_valid()
    try:
        if problem := _not_reviewed(write, request.POST.get("reviewed", "")):
            return review(request, write, form=form, problem=problem, status=422)
        if write.is_draft and not is_answered:
            return _ask_again(request, write, form, address)
        act(write, Actor.of(request), **form.said())
    except RepeatFound as found:
        return _stop(request, write, found.earlier, form, address)
    except FileNotFoundError:
        problem = "The stored file no longer exists. Upload it again."
        return review(request, write, form=form, problem=problem, status=422)
    except (NoActiveKey, UnreadableSecret, RequestInvalid) as error:
        if Write.objects.filter(pk=write.pk, state=Write.State.CONFIRMED).exists():
            # As an approval does meanwhile. A review would say that nothing was sent.
            messages.warning(request, "It was queued before. Nothing more was done.")
            return _go_to_sent(write)
        if write.source == Write.Source.CSV and not write.is_ready:
            messages.error(request, f"Nothing was sent. {error}")
            return redirect("writes:file", write.pk)
        return review(request, write, form=form, problem=str(error), status=422)
    return _go_to_sent(write)


def _not_reviewed(write: Write, reviewed: str) -> str:
    """Say why a draft is not what somebody looked at; "" where it is, or is none.

    `reviewed` is the digest that its review has in the form.
    """
    if not write.is_draft or not write.is_ready:
        return ""
    if not reviewed:
        return "Nothing was sent: review the exact request here first, then send it."
    if reviewed != review_token(write, requests.prepare_shown(write)):
        return "It was changed after you opened this page. Review it again."
    return ""


def _ask_again(
    request: ConsoleRequest, write: Write, form: ConfirmForm, address: str
) -> HttpResponse:
    """Show the page that the form came from, with what is wrong at its fields."""
    if not form.is_repeat:
        return review(request, write, form=form, status=422)
    if earlier := earlier_of(write, timezone.now()):
        return _stop_page(request, write, earlier, form, address, status=422)
    # What it would have repeated came to nothing meanwhile.
    form = ConfirmForm(request.POST, write=write)
    return review(request, write, form=form, status=422)


def _stop(
    request: ConsoleRequest,
    write: Write,
    earlier: Write,
    form: ConfirmForm,
    address: str,
) -> HttpResponse:
    """Ask why the same is sent once more; what was typed so far stays."""
    typed = {**form.cleaned_data, "repeats": earlier.pk}
    asked = ConfirmForm(write=write, is_repeat=True, initial=typed)
    return _stop_page(request, write, earlier, asked, address, status=409)


def _stop_page(
    request: ConsoleRequest,
    write: Write,
    earlier: Write,
    form: ConfirmForm,
    address: str,
    status: int,
) -> HttpResponse:
    batches = list(earlier.batches.select_related("operation__project"))
    context = {
        "write": write,
        "project": write.project,
        "reviewed": request.POST.get("reviewed", ""),
        "form": form,
        "address": reverse(address, args=[write.pk]),
        "needs_approval": address == "writes:ask_approval",
        "earlier": earlier,
        "operations": [batch.operation for batch in batches],
        "progress": progress_of(batches),
        "what": sentence(batches[0].operation).what,
    }
    return render(request, "writes/repeat.html", context, status=status)


def _go_to_sent(write: Write) -> HttpResponse:
    """Go to what was queued; to the draft where it waits for approval."""
    batches = write.batches.select_related("operation")[:2]
    return redirect(batches[0].operation if len(batches) == 1 else write)


@require_safe
@never_cache
@require_viewer
def detail(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Show a draft for review, and what was sent in parts by its parts.

    A write of one part is shown by its operation, a draft with faults by its file.
    """
    write = find_write(request, pk, Role.VIEWER)
    batches = list(write.batches.select_related("operation"))
    if len(batches) == 1:
        return redirect(batches[0].operation)
    if batches:
        context = sent_context(request, write) | evidence_context(request, write)
        return render(request, "writes/sent.html", context)
    if write.source == Write.Source.CSV and write.is_draft and not write.is_ready:
        return redirect("writes:file", write.pk)
    kept = kept_form.take(request)
    return review(request, write, reason=kept.get("reason", "") if kept else "")


def review(
    request: ConsoleRequest,
    write: Write,
    *,
    form: ConfirmForm | None = None,
    reason: str = "",
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    """Show a draft with all that is asked before it is sent.

    `form` came back so; a new one begins with `reason`.
    """
    context: dict[str, Any] = {
        "write": write,
        "project": write.project,
        "form": form,
        "control": EnvironmentControl.objects.of(write.project.environment),
        "installation": installation_of(write),
        "can_be_fetched": can_be_fetched(write),
        **evidence_context(request, write),
        "link_to_form": request.build_absolute_uri(
            f"{reverse(f'writes:{write.source}')}?{query_of(write)}"
        ),
    }
    is_unchecked = write.source == Write.Source.CSV and not write.check_report
    if is_unchecked or not write.has_content:
        # It was put away: there is no request to show.
        context["form"] = form or ConfirmForm(write=write)
        return render(request, "writes/detail.html", context, status=status)
    context |= request_context(write)
    context |= _approval_context(request, write)
    asked = context.get("approval")
    reason = reason or (asked.reason if asked else "")
    context["form"] = form or _confirm_form(write, context.get("earlier"), reason)
    context["problem"] = problem or context.get("problem", "")
    context["restored_at"] = restored_since(write.created_at)
    return render(request, "writes/detail.html", context, status=status)


def request_context(write: Write) -> dict[str, Any]:
    """Return what pages show of the request of a draft, or what keeps it from going."""
    context: dict[str, Any] = {}
    try:
        shown = requests.prepare_shown(write)
        context |= {"shown": shown, "curl": requests.as_curl(write, shown)}
        context["reviewed"] = review_token(write, shown)
        context["earlier"] = earlier_of(write, timezone.now())
    except (
        NoActiveKey,
        UnreadableSecret,
        RequestInvalid,
        FileNotFoundError,
    ) as error:
        context["problem"] = str(error)
    if write.source == Write.Source.CSV:
        context |= _file_context(write)
    if write.source == Write.Source.RECORD:
        context["with_lines"] = names_with_lines(write.record_fields())
    return context


def _approval_context(request: ConsoleRequest, write: Write) -> dict[str, Any]:
    """Return whether a draft needs approval, from whom, and what came of asking."""
    if not write.is_draft:
        return {}
    last = write.approvals.order_by("-pk").first()
    waiting = Approval.objects.open(db_clock.now()).filter(write=write).first()
    rules = rules_for(write)
    approvers: list[User] = []
    if waiting:
        approvers = approve.approvers_of(waiting)
    elif rules:
        approvers = approve.may_approve(write, request.user)
    return {
        "rules": rules,
        "waiting": waiting,
        "approval": last,
        "approvers": approvers[:MOST_NAMED],
        "approvers_left": max(0, len(approvers) - MOST_NAMED),
    }


def _confirm_form(write: Write, earlier: Write | None, reason: str) -> ConfirmForm:
    initial = {"reason": reason, "repeats": earlier and earlier.pk}
    return ConfirmForm(write=write, is_repeat=earlier is not None, initial=initial)


def _file_context(write: Write) -> dict[str, Any]:
    return {
        "report": write.check_report,
        "inspection": write.inspected,
        "deliveries": [] if write.is_run else _deliveries(write),
        "run_seconds": _run_time(write),
        "usual_time": usual_time_of(write),
        **_lookup_context(write),
        **_trial_context(write),
    }


def _run_time(write: Write) -> timedelta | None:
    """Return how long the requests of a run take at the project's pace, at least."""
    calls = write.check_report.get("run", {}).get("calls")
    seconds = (calls or 0) / write.project.max_per_second
    return timedelta(seconds=seconds) if seconds >= 1 else None


def _lookup_context(write: Write) -> dict[str, Any]:
    """Return how long the lookups of the keys of a draft still hold, if it has any."""
    if write.looked_up_at is None:
        return {}
    now = db_clock.now()
    holds = write.looked_up_at + STALE_AFTER - now
    return {"keys_are_stale": is_stale(write, now), "keys_hold": holds}


def _trial_context(write: Write) -> dict[str, Any]:
    """Return what became of the first rows of a draft, where they are on trial."""
    trial = write.trial
    if trial is None:
        return {"trial": None}
    return {"trial": trial, "trial_result": result_of(trial)}


def _deliveries(write: Write) -> list[dict[str, str]]:
    """Return the ways in which this file can go, when there is a choice."""
    if write.delivery == Write.Delivery.TEXT:
        return []
    labels = dict(Write.Delivery.choices)
    ways = delivery.deliveries(write, write.check_report["as_sent_size"])
    return [{"value": way, "label": labels[way]} for way in ways]


@require_POST
@require_operator
def deliver(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Choose how a file that takes several requests reaches Ampersand."""
    write = find_write(request, pk, Role.OPERATOR)
    values = _way(write, request.POST)
    # Another edition, so that what is confirmed just now is not sent another way.
    if values is None or not _deliver(write, Actor.of(request), values):
        messages.warning(request, "Nothing was changed: this choice does not exist.")
    return redirect(write)


def _deliver(write: Write, actor: Actor, values: dict[str, Any]) -> bool:
    before = {name: getattr(write, name) for name in values}
    with transaction.atomic():
        if not write.revise(by=actor, **values):
            return False
        changed = {name: [before[name], values[name]] for name in values}
        audit_draft(write, actor, "write.changed", "how its file is sent", **changed)
    return True


def _way(write: Write, post: QueryDict) -> dict[str, Any] | None:
    """Return what a person chose, None where the file has no such choice."""
    together = "is_parallel" in post
    if not write.is_ready:
        return None
    if write.is_run:
        return {"is_parallel": together}
    way, size = post.get("delivery", ""), write.check_report.get("as_sent_size", 0)
    is_open = write.delivery != Write.Delivery.TEXT
    if not is_open or way not in delivery.deliveries(write, size):
        return None
    cut = (Write.Delivery.PARTS, Write.Delivery.UPLOAD)
    return {"delivery": way, "is_parallel": together and way in cut}


@require_POST
@require_operator
def discard(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Put a draft away. What was sent cannot be discarded."""
    write = find_write(request, pk, Role.OPERATOR)
    if not derive.discard(write, actor=Actor.of(request)):
        messages.warning(request, "This is no longer a draft; nothing was changed.")
        return redirect(write)
    messages.success(request, "The draft was discarded. Nothing was sent.")
    return redirect("home")


@require_POST
@require_operator
def fetch(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Have the file at a refused address fetched, to be fixed here; send nothing."""
    write = find_write(request, pk, Role.OPERATOR)
    try:
        fetched = fetch_into_console(write, Actor.of(request))
    except NotFetched as error:
        messages.warning(request, f"Nothing was fetched. {error}")
        return redirect(write)
    return redirect(f"{reverse('writes:file', args=[fetched.pk])}?{GO_ON}")


@require_safe
@require_operator
def again(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Open the form that this write came from, filled in with its content."""
    write = find_write(request, pk, Role.OPERATOR)
    try:
        write.need_content()
    except FileNotFoundError as error:
        messages.error(request, f"Nothing can be sent again. {error}")
        return redirect(write)
    form = reverse(f"writes:{write.source}")
    return redirect(f"{form}?{urlencode({'again': write.pk})}")
