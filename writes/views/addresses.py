"""Ending a shared address before its time."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from console.access.roles import Role, require_operator
from console.models import AuditEvent
from writes.models import SharedAddress
from writes.views.lookup import find_write


@require_POST
@require_operator
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """End the shared addresses of a write now."""
    write = find_write(request, pk, Role.OPERATOR)
    ended = [a for a in SharedAddress.objects.filter(batch__write=write) if a.revoke()]
    if not ended:
        messages.warning(request, "There is no address to revoke.")
        return redirect(write)
    AuditEvent.record(
        action="file.revoked",
        subject=f"Shared address of write {write.pk}",
        subject_url=write.get_absolute_url(),
        request=request,
        project=write.project,
    )
    messages.success(request, "The address gives nothing any more.")
    return redirect(write)
