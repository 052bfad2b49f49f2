"""What was done about an operation and its write, on the page of the operation."""

from django.template.loader import render_to_string

from console.http import ConsoleRequest
from console.models import AuditEvent
from operations.display.audit_detail import told
from operations.models import Operation
from writes.views.panels import batch_of

SHOWN = 5


def audit_panel(request: ConsoleRequest, operation: Operation) -> str:
    """Draw the newest events about it, each with the request that did it."""
    batch = batch_of(operation)
    write = batch.write if batch else None
    visible = AuditEvent.objects.visible_to(request.user).newest_first()
    found = visible.about(operation=operation.pk, write=write.pk if write else None)[
        :SHOWN
    ]
    events = [told(event) for event in found]
    if not events:
        return ""
    context = {"told": events, "operation": operation, "write": write}
    return render_to_string("writes/audit_panel.html#panel", context, request)
