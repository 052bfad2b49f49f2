"""The form for a file: uploaded, kept as a draft, and checked."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from console.access.roles import require_operator
from console.actor import Actor
from console.http import ConsoleRequest
from console.sign_in import kept_form
from console.sign_in.required import refuse_of_another
from console.uploads import LARGEST_FILE, takes_file
from writes.actions.save_draft import NotYourDraft, save_draft
from writes.forms.salesforce_options import initial_options
from writes.forms.upsert import CsvForm
from writes.models import Write
from writes.storage import delete, linked, stored
from writes.views.drafting import (
    back_is_asked,
    check,
    earlier_write,
    first_values,
    go_to,
    go_to_taken,
    is_over,
    parent_of,
)
from writes.views.quota import within_quota

# What a form has of an earlier write.
TAKEN_OVER = ("primary_key", "action", "all_or_none", "mode", "deadline_hours")


@require_http_methods(["GET", "HEAD", "POST"])
@require_operator
@back_is_asked
@within_quota
@takes_file(LARGEST_FILE)
def csv(request: ConsoleRequest) -> HttpResponse:
    """Show the form; Review keeps the file as a draft and has it checked."""
    if request.method == "POST" and (refused := refuse_of_another(request)):
        return refused
    kept = kept_form.take(request)
    earlier = earlier_write(request, Write.Source.CSV, kept)
    if earlier and (_is_fixed(earlier, request.user) or is_over(request, earlier)):
        return go_to_taken(request, NotYourDraft(earlier))
    if kept is not None:
        messages.warning(
            request, "Browsers do not keep a chosen file: choose it again."
        )
        form = CsvForm(initial=kept.dict(), earlier=earlier, user=request.user)
        return _page(request, form)
    if request.method != "POST":
        initial = first_values(request, earlier, *TAKEN_OVER)
        initial |= initial_options(earlier.headers_json if earlier else {})
        form = CsvForm(initial=initial, earlier=earlier, user=request.user)
        return _page(request, form)
    form = CsvForm(request.POST, request.FILES, earlier=earlier, user=request.user)
    form.too_big = request.upload_too_big  # type: ignore[attr-defined]
    if not form.is_valid():
        return _page(request, form, status=413 if form.too_big else 422)
    try:
        content = _content(form, earlier)
    except FileNotFoundError:
        form.add_error("file", "The stored file no longer exists. Choose it again.")
        return _page(request, form, status=422)
    try:
        write = save_draft(
            token=form.cleaned_data["token"],
            actor=Actor.of(request),
            source=Write.Source.CSV,
            action=form.cleaned_data["action"],
            all_or_none=form.cleaned_data["all_or_none"],
            headers_json=form.headers(),
            deadline_hours=form.cleaned_data["deadline_hours"],
            primary_key=form.cleaned_data["primary_key"],
            is_ready=False,
            **content,
            **parent_of(earlier),
            **form.target(),
        )
    except NotYourDraft as error:
        delete(content["original"])
        return go_to_taken(request, error)
    return go_to(request, check(write), draft=write)


def _is_fixed(earlier: Write, user: User) -> bool:
    """Tell whether this is a draft of `user` whose file has to stay as it is."""
    is_mine = earlier.is_draft and earlier.started_by_id == user.pk
    return is_mine and earlier.is_on_trial


def _content(form: CsvForm, earlier: Write | None) -> dict[str, Any]:
    """Return what a draft holds of its new file, or takes over from an earlier one.

    Raises `FileNotFoundError` if the earlier file is gone.
    """
    upload = form.cleaned_data["file"]
    if upload:
        return {
            "file_name": upload.name,
            "original": stored(upload, "original"),
            "inspection": {},
            "reading": {},
            "recipe_json": {},
        }
    assert earlier is not None  # nosec B101 # noqa: S101 - the form asks for a file otherwise
    return {
        "file_name": earlier.file_name,
        "original": linked(earlier.original.name, "original"),
        "inspection": earlier.inspection,
        "reading": earlier.reading,
        "recipe_json": earlier.recipe_json,
    }


def _page(request: ConsoleRequest, form: CsvForm, *, status: int = 200) -> HttpResponse:
    return render(request, "writes/csv.html", {"form": form}, status=status)
