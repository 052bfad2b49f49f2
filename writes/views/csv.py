"""The form for a file: uploaded, kept as a draft, and checked."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from console.access.roles import require_operator
from console.actor import Actor
from console.http import ConsoleRequest
from console.sign_in import kept_form
from console.sign_in.required import refuse_of_another
from console.uploads import LARGEST_FILE, takes_file
from files.mending.recipes import column_names
from writes.actions import kept_files
from writes.actions.destinations import recipe_for
from writes.actions.save_draft import NotYourDraft, save_draft
from writes.actions.tell_audit import audit_upload
from writes.forms.address import offered_to
from writes.forms.proposal import Proposal, chosen_object, propose
from writes.forms.salesforce_options import initial_options
from writes.forms.upsert import CsvForm
from writes.models import KeptFile, Write
from writes.storage import delete, linked, measure, stored
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
_CHOOSE_AGAIN = "Browsers do not keep a chosen file: choose it again."
_GONE = (
    "The file of this link no longer exists: it became a draft, or it is over a day "
    "old. Look in your drafts, or choose it again."
)


@require_http_methods(["GET", "HEAD", "POST"])
@require_operator
@back_is_asked
@within_quota
@takes_file(LARGEST_FILE)
def csv(request: ConsoleRequest) -> HttpResponse:
    """Show the form, which asks for the file first; Review makes a draft of it.

    A file is kept as soon as it is there, so that nothing of it is lost: its header
    tells where it may be meant to go. The button "file" asks for no more than that.
    """
    if request.method == "POST" and (refused := refuse_of_another(request)):
        return refused
    typed_before = kept_form.take(request)
    earlier = earlier_write(request, Write.Source.CSV, typed_before)
    if earlier and (_is_fixed(earlier, request.user) or is_over(request, earlier)):
        return go_to_taken(request, NotYourDraft(earlier))
    if request.method != "POST" or typed_before is not None:
        return _first_page(request, earlier, typed_before)
    kept = kept_files.find(request.POST.get("kept"), request.user)
    form = CsvForm(
        request.POST, request.FILES, earlier=earlier, kept=kept, user=request.user
    )
    form.too_big = request.upload_too_big  # type: ignore[attr-defined]
    is_valid = form.is_valid()
    if request.POST.get("do") == "file" and (answer := _took(request, form, earlier)):
        return answer
    if kept is None and (made := _made_before(request, form)):
        return go_to(request, made, draft=made)
    if not is_valid:
        form.kept = _kept(request, form)
        return _page(request, form, status=413 if form.too_big else 422)
    try:
        content = _content(request, form, earlier)
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
    if form.cleaned_data["file"]:
        _tell_upload(request, write)
    if form.kept is not None:
        kept_files.forget(form.kept)
    return go_to(request, check(write), draft=write)


def _tell_upload(request: ConsoleRequest, write: Write) -> None:
    size, sha256 = measure(write.path_of("original"))
    audit_upload(
        Actor.of(request),
        file_name=write.file_name,
        size=size,
        sha256=sha256,
        write=write,
    )


def _first_page(
    request: ConsoleRequest, earlier: Write | None, typed_before: QueryDict | None
) -> HttpResponse:
    """Show a form that nobody posted, with the file that its address names, if any."""
    if typed_before is not None:
        initial = typed_before.dict()
        kept = kept_files.find(typed_before.get("kept"), request.user)
        if kept is None:
            messages.warning(request, _CHOOSE_AGAIN)
    else:
        kept = kept_files.find(request.GET.get("kept"), request.user)
        initial = first_values(request, earlier, *TAKEN_OVER)
        initial |= initial_options(earlier.headers_json if earlier else {})
    form = CsvForm(initial=initial, earlier=earlier, kept=kept, user=request.user)
    if kept is None and "kept" in request.GET:
        messages.warning(request, _GONE)
    return _page(request, form, proposal=_propose(request, form))


def _took(
    request: ConsoleRequest, form: CsvForm, earlier: Write | None
) -> HttpResponse | None:
    """Show the form with the file that came, and where it may be meant to go.

    What was dropped on another page came without a form: it gets an address. None where
    no file came with the form, which tells that.
    """
    is_dropped = "token" not in request.POST
    if "file" in form.errors:
        if not is_dropped:
            return None
        messages.error(request, " ".join(map(str, form.errors["file"])))
        return redirect("writes:csv")
    kept = _kept(request, form)
    address = reverse("writes:csv")
    if kept is not None:
        address += f"?{urlencode({'kept': str(kept.token)})}"
    if is_dropped:
        return redirect(address)
    initial = request.POST.dict()
    begins_with = CsvForm.base_fields["action"].initial
    if not initial.get("primary_key") and initial.get("action") == begins_with:
        # Nobody chose it.
        del initial["action"]
    form = CsvForm(initial=initial, earlier=earlier, kept=kept, user=request.user)
    response = _page(request, form, proposal=_propose(request, form))
    if kept and earlier is None:
        response["HX-Replace-Url"] = address
    return response


def _made_before(request: ConsoleRequest, form: CsvForm) -> Write | None:
    """Return the draft that the kept file of this form became, for a second click."""
    if not request.POST.get("kept") or request.FILES:
        return None
    mine = Write.objects.filter(started_by=request.user, source=Write.Source.CSV)
    token = form.cleaned_data.get("token")
    return mine.filter(token=token).first() if token else None


def _propose(request: ConsoleRequest, form: CsvForm) -> Proposal:
    """Fill in where the file seems to go, in what nobody chose; return the proposal."""
    if form.kept is None:
        return Proposal()
    proposal = propose(form.kept, request.user, chosen_object(form))
    chosen = {name: value for name, value in form.initial.items() if value}
    form.initial = proposal.initial | chosen
    return proposal


def _kept(request: ConsoleRequest, form: CsvForm) -> KeptFile | None:
    """Return the file that the form has now; a new one takes the place of another."""
    file = form.cleaned_data.get("file")
    if not file:
        return form.kept
    if form.kept is not None:
        kept_files.forget(form.kept)
    return kept_files.keep(file, file.name or "", request.user, Actor.of(request))


def _is_fixed(earlier: Write, user: User) -> bool:
    """Tell whether this is a draft of `user` whose file has to stay as it is."""
    is_mine = earlier.is_draft and earlier.started_by_id == user.pk
    return is_mine and earlier.is_on_trial


def _content(
    request: ConsoleRequest, form: CsvForm, earlier: Write | None
) -> dict[str, Any]:
    """Return what a draft holds of its new file, or takes over from an earlier one.

    Raises `FileNotFoundError` if the earlier file is gone.
    """
    upload, kept = form.cleaned_data["file"], form.kept
    nothing: dict[str, Any] = {"inspection": {}, "reading": {}, "recipe_json": {}}
    # Of another file nobody knows whether its rows failed before.
    nothing["parent_rows"] = ""
    if upload:
        return nothing | {
            "file_name": upload.name,
            "original": stored(upload, "original"),
        }
    if kept is not None:
        said = form.target() | {"source": Write.Source.CSV}
        said |= {name: form.cleaned_data[name] for name in ("action", "primary_key")}
        columns = column_names(kept.columns)
        return nothing | {
            "file_name": kept.file_name,
            "original": linked(kept.file.name, "original"),
            "recipe_json": recipe_for(columns, request.user, said),
        }
    assert earlier is not None  # nosec B101 # noqa: S101 - the form asks for a file otherwise
    return {
        "file_name": earlier.file_name,
        "original": linked(earlier.original.name, "original"),
        "inspection": earlier.inspection,
        "reading": earlier.reading,
        "recipe_json": earlier.recipe_json,
    }


def _page(
    request: ConsoleRequest,
    form: CsvForm,
    *,
    proposal: Proposal | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "form": form,
        "kept": form.kept,
        "proposal": proposal,
        "is_complete": form.is_complete,
        "destinations": offered_to(request.user, Write.Source.CSV),
    }
    return render(request, "writes/csv.html", context, status=status)
