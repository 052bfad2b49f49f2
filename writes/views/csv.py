"""The form for a CSV file: uploaded, checked, and kept as a draft when it is sound."""

from typing import Any, cast

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from console.roles import require_operator
from writes import files
from writes.drafts import NotYourDraft, save_draft, stored
from writes.files import Check
from writes.forms import CsvForm
from writes.models import Write
from writes.uploads import limit_upload
from writes.views.starting import (
    earlier_write,
    first_values,
    go_to,
    go_to_taken,
    parent_of,
)


@require_http_methods(["GET", "HEAD", "POST"])
@require_operator
@limit_upload
def csv(request: HttpRequest) -> HttpResponse:
    """Show the form; Review checks the file and makes a draft if nothing blocks it."""
    earlier = earlier_write(request, Write.Source.CSV)
    if request.method != "POST":
        return _page(
            request, CsvForm(initial=_initial(request, earlier), earlier=earlier)
        )
    form = CsvForm(request.POST, request.FILES, earlier=earlier)
    form.too_big = request.upload_too_big  # type: ignore[attr-defined]
    if not form.is_valid():
        return _page(request, form, status=413 if form.too_big else 422)
    try:
        data, name = _content(form, earlier)
    except FileNotFoundError:
        form.add_error("file", "The stored file is gone. Choose it again.")
        return _page(request, form, status=422)
    check = files.check(data, primary_key=form.cleaned_data["primary_key"])
    if check.blocks:
        status = 413 if "too-big" in check.totals else 422
        return _page(request, form, check=check, file_name=name, status=status)
    try:
        write = save_draft(
            token=form.cleaned_data["token"],
            user=cast(User, request.user),
            source=Write.Source.CSV,
            action=Write.Action.UPSERT,
            primary_key=check.key,
            file_name=name,
            original=stored(data, "original"),
            as_sent=stored(check.as_sent, "as_sent"),
            check_report=check.as_json(),
            row_count=check.rows,
            again_of=parent_of(earlier),
            **form.target(),
        )
    except NotYourDraft as error:
        return go_to_taken(request, error)
    return go_to(request, write)


def _content(form: CsvForm, earlier: Write | None) -> tuple[bytes, str]:
    """Return the bytes and the name of the new file, or of the earlier write's."""
    upload = form.cleaned_data["file"]
    if upload:
        return upload.read(), upload.name
    assert earlier is not None  # noqa: S101 - the form asks for a file otherwise
    with earlier.original.open("rb") as file:
        return file.read(), earlier.file_name


def _initial(request: HttpRequest, earlier: Write | None) -> dict[str, Any]:
    values = first_values(request, earlier)
    if earlier is not None:
        values["primary_key"] = earlier.primary_key
    return values


def _page(
    request: HttpRequest,
    form: CsvForm,
    *,
    check: Check | None = None,
    file_name: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {"form": form, "check": check, "file_name": file_name}
    return render(request, "writes/csv.html", context, status=status)
