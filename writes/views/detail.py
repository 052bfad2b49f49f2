"""One write: reviewed while it is a draft, afterwards the way to its operation."""

import hashlib
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from ampersand import Request, RequestInvalid
from console.fields import UnreadableSecret
from console.models import NoActiveKey
from console.roles import require_operator, require_viewer
from writes import drafts, sending
from writes.models import Write
from writes.views.starting import LARGEST_ID


def _write(request: HttpRequest, pk: int) -> Write:
    if pk > LARGEST_ID:
        pk = 0
    visible = Write.objects.visible_to(request.user)
    return get_object_or_404(visible.select_related("integration__project"), pk=pk)


@require_safe
@require_viewer
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a draft for review; a write that was sent is shown by its operation."""
    write = _write(request, pk)
    batch = write.batches.select_related("operation").first()
    if batch is not None:
        return redirect(batch.operation)
    return _review(request, write)


def _review(
    request: HttpRequest, write: Write, *, problem: str = "", status: int = 200
) -> HttpResponse:
    context: dict[str, Any] = {"write": write, "project": write.project}
    try:
        shown = drafts.prepare_shown(write)
        context |= {"shown": shown, "curl": drafts.as_curl(write, shown)}
        context["reviewed"] = _digest(shown)
    except (NoActiveKey, UnreadableSecret, RequestInvalid) as error:
        problem = problem or str(error)
    context["problem"] = problem
    return render(request, "writes/detail.html", context, status=status)


def _digest(shown: Request) -> str:
    """Return what tells one request from another, for the button that sends it."""
    said = f"{shown.method} {shown.url}\n".encode() + shown.content()
    return hashlib.sha256(said).hexdigest()


def _is_stale(write: Write, reviewed: str | None) -> bool:
    """Tell whether the draft was reviewed anew, in another tab, since it was shown."""
    if not reviewed or not write.is_draft:
        return False
    return reviewed != _digest(drafts.prepare_shown(write))


@require_POST
@require_operator
def send(request: HttpRequest, pk: int) -> HttpResponse:
    """Confirm a draft and go to its operation; a second time finds the first."""
    write = _write(request, pk)
    try:
        if _is_stale(write, request.POST.get("reviewed")):
            problem = "It was changed after you opened this page. Look at it again."
            return _review(request, write, problem=problem, status=422)
        operation = sending.confirm(write, request)
    except FileNotFoundError:
        problem = "The stored file is gone. Upload it again."
        return _review(request, write, problem=problem, status=422)
    except (NoActiveKey, UnreadableSecret, RequestInvalid) as error:
        return _review(request, write, problem=str(error), status=422)
    return redirect(operation)


@require_POST
@require_operator
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a draft away. What was sent cannot be discarded."""
    write = _write(request, pk)
    if not write.change(only_from=Write.State.DRAFT, state=Write.State.DISCARDED):
        messages.warning(request, "This is no draft any more; nothing was changed.")
        return redirect(write)
    messages.success(request, "The draft was discarded. Nothing was sent.")
    return redirect("home")


@require_safe
@require_operator
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """Open the form that this write came from, filled in with its content."""
    write = _write(request, pk)
    form = reverse(f"writes:{write.source}")
    return redirect(f"{form}?{urlencode({'again': write.pk})}")
