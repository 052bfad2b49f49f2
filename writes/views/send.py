"""The Send button: a draft is confirmed, or the page says what is to be said first."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from ampersand import RequestInvalid
from console.access.roles import Role, require_operator
from console.fields import UnreadableSecret
from console.models import NoActiveKey
from operations.display.sentence import sentence
from writes import drafts
from writes.confirm_form import ConfirmForm
from writes.confirming import confirm
from writes.models import Write
from writes.parts_progress import progress_of
from writes.repeats import RepeatFound, earlier_of
from writes.views.detail import digest, review
from writes.views.lookup import find_write


@require_POST
@require_operator
def send(request: HttpRequest, pk: int) -> HttpResponse:
    """Confirm a draft and go to its operation; a second time finds the first.

    422 with the review where something is missing or wrong, 409 with a page of its own
    where the same content was sent not long ago.
    """
    write = find_write(request, pk, Role.OPERATOR)
    form = ConfirmForm(request.POST, write=write, is_repeat="repeats" in request.POST)
    is_answered = form.is_valid()
    try:
        if _is_stale(write, request.POST.get("reviewed")):
            problem = "It was changed after you opened this page. Look at it again."
            return review(request, write, form=form, problem=problem, status=422)
        if write.is_draft and not is_answered:
            return _ask_again(request, write, form)
        confirm(write, request, **form.said())
    except RepeatFound as found:
        return _stop(request, write, found.earlier, form)
    except FileNotFoundError:
        problem = "The stored file is gone. Upload it again."
        return review(request, write, form=form, problem=problem, status=422)
    except (NoActiveKey, UnreadableSecret, RequestInvalid) as error:
        if write.source == Write.Source.CSV and not write.is_ready:
            messages.error(request, f"Nothing was sent. {error}")
            return redirect("writes:file", write.pk)
        return review(request, write, form=form, problem=str(error), status=422)
    return _go_to_sent(write)


def _is_stale(write: Write, reviewed: str | None) -> bool:
    """Tell whether the draft was reviewed anew, in another tab, since it was shown."""
    if not reviewed or not write.is_draft or not write.is_ready:
        return False
    return reviewed != digest(write, drafts.prepare_shown(write))


def _ask_again(request: HttpRequest, write: Write, form: ConfirmForm) -> HttpResponse:
    """Show the page that the form came from, with what is wrong at its fields."""
    if form.is_repeat and (earlier := earlier_of(write, timezone.now())):
        return _stop_page(request, write, earlier, form, status=422)
    return review(request, write, form=form, status=422)


def _stop(
    request: HttpRequest, write: Write, earlier: Write, form: ConfirmForm
) -> HttpResponse:
    """Ask why the same is sent once more; what was typed so far stays."""
    typed = {**form.cleaned_data, "repeats": earlier.pk}
    asked = ConfirmForm(write=write, is_repeat=True, initial=typed)
    return _stop_page(request, write, earlier, asked, status=409)


def _stop_page(
    request: HttpRequest, write: Write, earlier: Write, form: ConfirmForm, status: int
) -> HttpResponse:
    batches = list(earlier.batches.select_related("operation__project"))
    context = {
        "write": write,
        "project": write.project,
        "reviewed": request.POST.get("reviewed", ""),
        "form": form,
        "earlier": earlier,
        "operations": [batch.operation for batch in batches],
        "progress": progress_of(batches),
        "what": sentence(batches[0].operation).what,
    }
    return render(request, "writes/repeat.html", context, status=status)


def _go_to_sent(write: Write) -> HttpResponse:
    batches = write.batches.select_related("operation")[:2]
    return redirect(batches[0].operation if len(batches) == 1 else write)
