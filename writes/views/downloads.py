"""The files of a write, byte for byte; each download is an audit event."""

import hashlib
from pathlib import Path
from typing import Any

from django.http import (
    FileResponse,
    Http404,
    HttpResponse,
    HttpResponseBase,
)
from django.views.decorators.http import require_safe

from console.access.roles import Role, require_viewer
from console.http import ConsoleRequest, FileGone
from console.runtime.trouble import in_words
from console.ui.downloads import note_download
from console.validators import whole_number
from files.findings_file import COLUMNS, read_findings
from operations.csv_export import CSV, csv_lines, download
from writes.models import Batch, Write
from writes.storage import measure
from writes.views.lookup import find_write

_WHAT = {
    "original": "file as uploaded",
    "as_sent": "file as sent",
    "held_back": "excluded rows",
}
# What the pages call the levels of findings.
_LEVELS = {"blocks": "Error", "warns": "Warning", "notes": "Info"}


@require_safe
@require_viewer  # type: ignore[arg-type]  # it is for any response
def original(request: ConsoleRequest, pk: int) -> FileResponse:
    """Return the file as it was uploaded."""
    return _file(request, pk, "original")


@require_safe
@require_viewer  # type: ignore[arg-type]
def as_sent(request: ConsoleRequest, pk: int) -> FileResponse:
    """Return the file as it is or was sent."""
    return _file(request, pk, "as_sent")


@require_safe
@require_viewer  # type: ignore[arg-type]
def held_back(request: ConsoleRequest, pk: int) -> FileResponse:
    """Return the rows that were left out, with their header."""
    return _file(request, pk, "held_back")


@require_safe
@require_viewer  # type: ignore[arg-type]
def findings(request: ConsoleRequest, pk: int) -> HttpResponseBase:
    """Return every finding as CSV for spreadsheets; formulas are made harmless."""
    write = find_write(request, pk, Role.VIEWER)
    try:
        path = write.path_of("findings")
    except FileNotFoundError as error:
        raise FileGone(in_words(error)) from None
    note_download(
        request,
        "findings.downloaded",
        f"Write {write.pk}: check results",
        about=write,
        told=lambda: {"findings_sha256": measure(path)[1]},
    )
    rows = ([_LEVELS[level], *rest] for level, *rest in read_findings(path))
    lines = csv_lines(COLUMNS, rows)
    return download(lines, file_name=f"write-{write.pk}-findings.csv")


def _file(request: ConsoleRequest, pk: int, kind: str) -> FileResponse:
    write = find_write(request, pk, Role.VIEWER)
    try:
        path = write.path_of(kind)
        _note(request, write, _WHAT[kind], path)
        opened = path.open("rb")
    except FileNotFoundError as error:
        raise FileGone(in_words(error)) from None
    name = f"write-{write.pk}-{kind.replace('_', '-')}.csv"
    # Never inline: the content is a customer's, and a browser would try to show it.
    response = FileResponse(opened, as_attachment=True, filename=name)
    response["Content-Type"] = CSV
    return response


def _note(request: ConsoleRequest, write: Write, what: str, path: Path) -> None:
    def told() -> dict[str, Any]:
        size, sha256 = measure(path)
        return {"bytes": size, "sha256": sha256}

    subject = f"Write {write.pk}: {what}"
    note_download(request, "file.downloaded", subject, about=write, told=told)


@require_safe
@require_viewer
def body(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Return the exact body of the request that was confirmed."""
    write = find_write(request, pk, Role.VIEWER)
    number = whole_number(request.GET.get("part", "1")) or 0
    batch = Batch.objects.filter(write=write, number=number).first()
    if batch is None or batch.is_shared:
        # An address that was made for the request is kept nowhere.
        raise Http404
    try:
        content = batch.request().content()
    except FileNotFoundError as error:
        raise FileGone(in_words(error)) from None
    note_download(
        request,
        "file.downloaded",
        f"Write {write.pk}: body of request {batch.number}",
        about=write,
        told=lambda: {
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        },
    )
    response = HttpResponse(content, content_type="application/json")
    part = "" if batch.number == 1 else f"-part-{batch.number}"
    name = f"write-{pk}{part}-body.json"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
