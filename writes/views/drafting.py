"""What the three forms of a write share: where they start and how they end."""

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, resolve_url
from django.urls import reverse
from django.utils.cache import add_never_cache_headers, patch_cache_control
from django_htmx.http import HttpResponseClientRedirect

from console.access.roles import Role
from console.http import ConsoleRequest
from console.validators import LARGEST_ID, whole_number
from writes.actions import begin_job
from writes.actions.save_draft import NotYourDraft
from writes.display.known_record import known_record
from writes.forms.address import asked, last_of
from writes.forms.target import initial_target
from writes.models import FileJob, Write


def earlier_write(
    request: ConsoleRequest, source: str, kept: QueryDict | None = None
) -> Write | None:
    """Return the write whose content the form takes over, from `?again=`.

    Only what the user might send: others read its files where they may see it.
    """
    typed = request.POST if kept is None else kept
    given = typed.get("again") or request.GET.get("again") or ""
    return _may_be_taken_over(request, source, given)


def write_to_update(request: ConsoleRequest) -> tuple[Write, str] | None:
    """Return the write from `?update=`, and the id of the record that it is about.

    None where the user might not send it, or no such record is known.
    """
    given = request.GET.get("update", "")
    write = _may_be_taken_over(request, Write.Source.RECORD, given)
    batch = write.batches.select_related("operation").first() if write else None
    record = known_record(batch.operation) if batch else ""
    return (write, record) if write and record else None


def _may_be_taken_over(
    request: ConsoleRequest, source: str, given: str
) -> Write | None:
    pk = whole_number(given, most=LARGEST_ID)
    if pk is None:
        return None
    return (
        Write.objects.visible_to(request.user)
        .for_role(request.user, Role.OPERATOR)
        .select_related("integration__project")
        .filter(pk=pk, source=source)
        .first()
    )


def first_values(
    request: ConsoleRequest, write: Write | None, *taken_over: str, last: str = ""
) -> dict[str, Any]:
    """Return what an empty form starts with; a new token makes it a new write.

    `taken_over` are the columns of an earlier `write` that the form has fields for.
    Going back to a draft keeps its token, so that it stays one draft. An admin who
    takes over somebody else's draft makes one of their own. A new form leads where its
    address says, else where the person wrote last from the source `last`.
    """
    mine = write is not None and write.started_by_id == request.user.pk
    return {
        "token": write.token if write and mine and write.is_draft else uuid.uuid4(),
        "again": write.pk if write is not None else None,
        **(initial_target(write, request.user) if write else _target(request, last)),
        **{name: getattr(write, name) for name in taken_over if write is not None},
    }


def _target(request: ConsoleRequest, last: str) -> dict[str, Any]:
    found = asked(request.GET, request.user)
    if found.note:
        messages.warning(request, found.note)
    only = initial_target(None, request.user)
    if found.initial or found.unknown:
        return only | found.initial
    return only | (last_of(request.user, last) if last else {})


def back_is_asked(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Have Back ask for the form of a draft anew: it may be none any more.

    Any other form is the one page that a browser may keep, though for nobody else: what
    is typed into it is only there, and so is the token that makes it one draft.
    """

    @wraps(view)
    def asked(request: ConsoleRequest) -> HttpResponse:
        response = view(request)
        if "draft" in request.GET:
            add_never_cache_headers(response)
        else:
            patch_cache_control(response, private=True, no_cache=True)
        return response

    return asked


def is_over(request: ConsoleRequest, earlier: Write | None) -> bool:
    """Tell whether Back led to the form of a draft that is none any more.

    It was sent or discarded since: its form must not become another write unawares.
    """
    if earlier is None or "draft" not in request.GET or request.method == "POST":
        return False
    return not (earlier.is_draft and earlier.started_by_id == request.user.pk)


def parent_of(write: Write | None) -> dict[str, Any]:
    """Return what the new write is sent again from: a draft only passes its own on."""
    if write is None:
        return {}
    if write.is_draft and write.relation == Write.Relation.TRIAL:
        # An admin's copy of it: of a write there is one trial at a time.
        return {}
    if write.is_draft:
        return {"parent": write.parent, "relation": write.relation}
    return {"parent": write, "relation": Write.Relation.AGAIN}


# The page of a file goes on to the review by itself once nothing is wrong with it.
GO_ON = "then=review"


def is_clean(write: Write) -> bool:
    """Tell whether there is nothing to look at before a file is reviewed."""
    return write.is_draft and write.is_ready and not write.has_warnings


def check(write: Write) -> Write | str:
    """Have the file of a draft checked; return the page that shows what came of it."""
    try:
        size = write.path_of("original").stat().st_size
    except FileNotFoundError:
        # The check tells so, on the page of the file.
        size = 0
    job = begin_job.begin(write, FileJob.Kind.CHECK, size=size)
    write.refresh_from_db()
    if is_clean(write):
        return write
    page = reverse("writes:file", args=[write.pk])
    return f"{page}?{GO_ON}" if job.is_open else page


def go_to(
    request: ConsoleRequest, page: Write | str, *, draft: Write | None = None
) -> HttpResponse:
    """Send the browser to the page of a write or of a name, whichever way it asked.

    Back then leads to the form with what became the `draft`: the page as the server
    once sent it lacks the rows that were added since (console.js, X-Back-To).
    """
    if not request.htmx:
        return redirect(page)
    response = HttpResponseClientRedirect(resolve_url(page))
    if draft is not None:
        response["X-Back-To"] = f"{request.path}?again={draft.pk}&draft="
    return response


_TAKEN = {
    Write.State.CONFIRMED: "This form was already sent, and nothing was sent now. This "
    "is its result. Start a new write to send something else.",
    Write.State.DISCARDED: "This form was discarded, and nothing was saved now. Start "
    "a new write.",
    Write.State.DRAFT: "This form is another user's draft, and nothing was changed. "
    "Start a new write.",
}

_ON_TRIAL = (
    "Nothing was changed: this draft has a trial, and another file could overlap with "
    "it. Discard the trial first, or start a new write."
)


def go_to_taken(request: ConsoleRequest, error: NotYourDraft) -> HttpResponse:
    """Show the write that this form became already, instead of making a second."""
    write = error.write
    is_on_trial = write.is_draft and write.started_by_id == request.user.pk
    words = _ON_TRIAL if is_on_trial else _TAKEN[Write.State(write.state)]
    messages.warning(request, words)
    seen = Write.objects.visible_to(request.user).filter(pk=error.write.pk)
    return go_to(request, seen.first() or "home")
