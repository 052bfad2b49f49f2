"""The form for a URL that Ampersand fetches."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from console.access.roles import require_operator
from console.actor import Actor
from console.http import ConsoleRequest
from console.sign_in import kept_form
from files.remote.looking import NotLooked, RemoteFile
from writes import url_check
from writes.actions.save_draft import NotYourDraft, save_draft
from writes.forms.upsert import UrlForm
from writes.models import Write
from writes.views.drafting import (
    back_is_asked,
    earlier_write,
    first_values,
    go_to,
    go_to_taken,
    is_over,
    parent_of,
)


@require_http_methods(["GET", "HEAD", "POST"])
@require_operator
@back_is_asked
def url(request: ConsoleRequest) -> HttpResponse:
    """Show the form; Review makes a draft."""
    kept = kept_form.take(request)
    earlier = earlier_write(request, Write.Source.URL, kept)
    if earlier and is_over(request, earlier):
        return go_to_taken(request, NotYourDraft(earlier))
    if request.method != "POST":
        initial = first_values(request, earlier, "primary_key", "url", last="url")
        if kept is not None:
            initial = kept.dict()
        form = UrlForm(initial=initial, user=request.user)
        return render(request, "writes/url.html", {"form": form})
    form = UrlForm(request.POST, user=request.user)
    if not form.is_valid():
        return render(request, "writes/url.html", {"form": form}, status=422)
    values = {
        "integration": form.cleaned_data["integration"],
        "primary_key": form.cleaned_data["primary_key"],
        "url": form.cleaned_data["url"],
    }
    found = _look(request, Write(source=Write.Source.URL, **values))
    try:
        write = save_draft(
            token=form.cleaned_data["token"],
            actor=Actor.of(request),
            source=Write.Source.URL,
            action=Write.Action.UPSERT,
            remote_file=found.as_json() if found else {},
            is_ready=found is None or not found.blocks,
            **parent_of(earlier),
            **form.target() | values,
        )
    except NotYourDraft as error:
        return go_to_taken(request, error)
    return go_to(request, write, draft=write)


def _look(request: ConsoleRequest, write: Write) -> RemoteFile | None:
    """Look at the address; None if that is not possible, which the next page says."""
    try:
        return url_check.look(write)
    except NotLooked as error:
        messages.warning(request, f"The console could not check the URL. {error}")
        return None
