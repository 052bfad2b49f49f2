"""The evidence pack of a write that was sent, and the program that verifies it."""

from collections.abc import Iterator
from pathlib import Path

from django.http import (
    Http404,
    HttpResponse,
    HttpResponseBase,
    StreamingHttpResponse,
)
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from console.access.roles import Role, require_viewer
from console.actor import Actor
from console.http import ConsoleRequest
from console.models import AuditEvent
from console.ui.downloads import note_download
from writes.evidence import verify
from writes.evidence.pack import Pack, asked_by
from writes.models import Write
from writes.views.lookup import find_write


@require_safe
@never_cache
@require_viewer  # type: ignore[arg-type]  # it is for any response
def evidence(request: ConsoleRequest, pk: int) -> HttpResponseBase:
    """Send the pack while it is made; with `?all=1` whatever the size of its files.

    That it was begun is an audit event, and in the pack. Its digest is known when all
    of it is made: it is noted before the last piece leaves, so that nobody has a whole
    pack whose digest the trail does not tell.
    """
    write = find_write(request, pk, Role.VIEWER)
    if write.state != Write.State.CONFIRMED:
        raise Http404
    everything = request.GET.get("all") == "1"
    headers = {
        "Content-Disposition": f'attachment; filename="write-{pk}-evidence.zip"',
        "X-Content-Type-Options": "nosniff",
    }
    if request.method == "HEAD":
        return HttpResponse(content_type="application/zip", headers=headers)
    subject = f"Write {write.pk}: evidence pack"
    note_download(
        request,
        "evidence.begun",
        subject,
        about=write,
        told=lambda: {"write": write.pk, "everything": everything},
    )
    pack = Pack(write, asked_by(request.user, everything=everything))
    made = _noted(pack, subject, Actor.of(request))
    return StreamingHttpResponse(made, content_type="application/zip", headers=headers)


def _noted(pack: Pack, subject: str, actor: Actor) -> Iterator[bytes]:
    """Yield the pack, and note its digest before the last piece."""
    held = b""
    for piece in pack.stream():
        if held:
            yield held
        held = piece
    archive = pack.archive
    AuditEvent.record(
        action="evidence.downloaded",
        subject=subject,
        about=pack.write,
        actor=actor,
        detail={
            "write": pack.write.pk,
            "bytes": archive.size,
            "sha256": archive.sha256,
            "manifest_sha256": archive.files[verify.MANIFEST]["sha256"],
            "public_key": archive.public_key,
        },
    )
    yield held


@require_safe
@require_viewer
def verifier(request: ConsoleRequest) -> HttpResponse:
    """Return the program that verifies a pack, from a place that people trust."""
    response = HttpResponse(
        Path(verify.__file__).read_bytes(), content_type="text/x-python; charset=utf-8"
    )
    response["Content-Disposition"] = 'attachment; filename="verify.py"'
    response["X-Content-Type-Options"] = "nosniff"
    return response
