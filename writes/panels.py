"""What the page of an operation shows of the write behind it."""

from django.http import HttpRequest
from django.template.loader import render_to_string

from operations.models import Operation
from writes.drafts import as_curl
from writes.models import Batch


def request_panel(request: HttpRequest, operation: Operation) -> str:
    """Draw the request as it was sent, or nothing for somebody else's operation."""
    batch = (
        Batch.objects.select_related("write__integration__project", "write__again_of")
        .filter(operation=operation)
        .first()
    )
    if batch is None:
        return ""
    shown = batch.request_shown()
    context = {
        "batch": batch,
        "write": batch.write,
        "operation": operation,
        "shown": shown,
        "curl": as_curl(batch.write, shown),
    }
    return render_to_string("writes/request_panel.html", context, request)
