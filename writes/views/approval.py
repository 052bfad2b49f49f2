"""A write that waits for approval: shown to who decides, approved, refused."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from ampersand import RequestInvalid
from console.access.roles import Role, require_operator
from console.access.scoping import find
from console.actor import Actor
from console.fields import UnreadableSecret
from console.http import ConsoleRequest
from console.models import EnvironmentControl, NoActiveKey
from console.runtime import db_clock
from console.sign_in import kept_form
from console.sign_in.identity_check import need_identity_to_send
from writes.actions import approve as approving
from writes.actions.approve import MayNotDecide, NothingToDecide
from writes.actions.hold_restored import restored_since
from writes.display.finding_titles import title_of
from writes.forms.approval import ApproveForm, RefuseForm
from writes.models import Approval
from writes.views.lookup import find_write
from writes.views.review import request_context


def find_approval(request: ConsoleRequest, pk: int) -> Approval:
    """Return the approval, for operators of its environment; others get 404 or 403."""
    names = ("write__parent__integration__project", "repeats")
    rows = Approval.objects.select_related(*names)
    return find(request, rows, pk, Role.OPERATOR)


def is_open(approval: Approval) -> bool:
    """Whether somebody can still decide: as long its draft is there to be read."""
    return Approval.objects.open(db_clock.now()).filter(pk=approval.pk).exists()


@require_safe
@never_cache
@require_operator
def approval(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Show what waits, a sample of its rows and its findings; and what was decided."""
    found = find_approval(request, pk)
    kept = kept_form.take(request)
    note = kept.get("note", "") if kept else ""
    return _page(request, found, note=note)


def _page(
    request: ConsoleRequest,
    approval: Approval,
    *,
    note: str = "",
    problem: str = "",
    status: int = 200,
    **forms: Any,
) -> HttpResponse:
    """Draw the page; `forms` are those that came back."""
    write = approval.write
    waits = is_open(approval)
    if not waits and approval.is_waiting:
        # Somebody may have decided since it was read.
        approval.refresh_from_db()
        write = approval.write
    context: dict[str, Any] = {
        "approval": approval,
        "write": write,
        "project": write.project,
        "control": EnvironmentControl.objects.of(write.project.environment),
        "is_open": waits,
        "problem": problem,
        "became": "" if waits else approving.became(approval),
    }
    if waits:
        context["may_not"] = may_not(request, approval)
    if waits and may_read(request, approval):
        context["is_shown"] = True
        context |= request_context(write)
        # The values of a draft are for who decides, and only as long.
        context["findings"] = _findings(write.check_report)
        context["restored_at"] = restored_since(write.created_at)
        context["problem"] = problem or context.get("problem", "")
        context["form"] = ApproveForm(write=write, initial={"note": note})
        context["refuse_form"] = RefuseForm(initial={"note": note})
    context |= forms
    return render(request, "writes/approval.html", context, status=status)


def may_read(request: ConsoleRequest, approval: Approval) -> bool:
    """Whether the reader may see the draft: who may decide, or sees it anyway."""
    return approval.write.may_be_seen_by(request.user) or not may_not(request, approval)


def may_not(request: ConsoleRequest, approval: Approval) -> str:
    """Say why the reader may not decide, "" where they may."""
    try:
        approving.need_may_decide(approval, request.user)
    except MayNotDecide as error:
        return str(error)
    return ""


def _findings(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what the check found, with its rules in words."""
    return [
        group | {"title": title_of(group["rule"]).title}
        for group in report.get("groups", [])
    ]


@require_POST
@require_operator
def approve(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Approve, which queues the write, and go to it."""
    found = find_approval(request, pk)
    need_identity_to_send(request, found.write.project.environment)
    form = ApproveForm(request.POST, write=found.write)
    if found.is_waiting and not form.is_valid():
        return _page(request, found, form=form, status=422)
    note = form.cleaned_data.get("note", "") if form.is_valid() else ""
    try:
        operation = approving.approve(found, Actor.of(request), note=note)
    except MayNotDecide as error:
        raise PermissionDenied(str(error)) from None
    except NothingToDecide as error:
        messages.warning(request, str(error))
        return redirect(found)
    except FileNotFoundError:
        problem = "The stored file no longer exists."
        return _page(request, found, form=form, problem=problem, status=422)
    except (NoActiveKey, UnreadableSecret, RequestInvalid) as error:
        return _page(request, found, form=form, problem=str(error), status=422)
    messages.success(request, "You approved it. It was queued.")
    return redirect(operation)


@require_POST
@require_operator
def refuse(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Refuse, with a note; the draft stays with who asked."""
    found = find_approval(request, pk)
    form = RefuseForm(request.POST)
    if found.is_waiting and not form.is_valid():
        return _page(request, found, refuse_form=form, status=422)
    note = form.cleaned_data.get("note", "") if form.is_valid() else ""
    try:
        approving.refuse(found, Actor.of(request), note=note)
    except MayNotDecide as error:
        raise PermissionDenied(str(error)) from None
    except NothingToDecide as error:
        messages.warning(request, str(error))
        return redirect(found)
    messages.success(request, "You refused it. Nothing was sent.")
    return redirect(found)


@require_POST
@require_operator
def withdraw(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Take back what was asked about a draft."""
    write = find_write(request, pk, Role.OPERATOR)
    try:
        approving.withdraw(write, Actor.of(request))
    except NothingToDecide as error:
        messages.warning(request, str(error))
    else:
        messages.success(request, "Withdrawn. Nothing was sent.")
    return redirect(write)
