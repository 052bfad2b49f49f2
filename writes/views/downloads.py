"""The files of a write, byte for byte."""

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from console.roles import require_viewer
from writes.models import Batch, Write
from writes.views.detail import _write


@require_safe
@require_viewer  # type: ignore[arg-type]  # it is for any response
def original(request: HttpRequest, pk: int) -> FileResponse:
    """Return the file as it was uploaded."""
    return _file(_write(request, pk), "original")


@require_safe
@require_viewer  # type: ignore[arg-type]
def as_sent(request: HttpRequest, pk: int) -> FileResponse:
    """Return the file as it is or was sent."""
    return _file(_write(request, pk), "as_sent")


def _file(write: Write, kind: str) -> FileResponse:
    stored = getattr(write, kind)
    if not stored:
        raise Http404
    try:
        opened = stored.open("rb")
    except FileNotFoundError:
        raise Http404 from None
    name = f"write-{write.pk}-{kind.replace('_', '-')}.csv"
    # Never inline: the content is a customer's, and a browser would try to show it.
    response = FileResponse(opened, as_attachment=True, filename=name)
    response["Content-Type"] = "text/csv; charset=utf-8"
    return response


@require_safe
@require_viewer
def body(request: HttpRequest, pk: int) -> HttpResponse:
    """Return the exact body of the request that was confirmed."""
    write = _write(request, pk)
    batch = Batch.objects.filter(write=write).first()
    if batch is None:
        raise Http404
    try:
        content = batch.request().content()
    except FileNotFoundError:
        raise Http404 from None
    response = HttpResponse(content, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="write-{pk}-body.json"'
    return response
