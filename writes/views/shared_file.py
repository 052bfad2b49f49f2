"""The one address without a sign-in that gives a customer's file: to Ampersand.

And the button that ends it before its time.
"""

from dataclasses import replace

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.db.models import F
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from console.access.roles import Role, require_operator
from console.actor import Actor
from console.http import ConsoleRequest
from console.models import AuditEvent
from writes.models import SharedAddress
from writes.views.lookup import find_write
from writes.views.range_response import respond

LONGEST_TOKEN = 100


@login_not_required
@require_safe
def served(request: ConsoleRequest, token: str) -> HttpResponseBase:
    """Give the file of a shared address, or 404 for every other token.

    What ended is told from what never was by nothing.
    """
    address = _open_address(token)
    if address is None:
        raise Http404
    batch = address.batch
    try:
        path = batch.write.path_of("as_sent")
    except FileNotFoundError:
        raise Http404 from None
    response = respond(
        request, path, etag=batch.csv_sha256, name=f"write-{batch.write_id}.csv"
    )
    _note(request, address, response.status_code)
    return response


def _open_address(token: str) -> SharedAddress | None:
    if len(token) > LONGEST_TOKEN:
        return None
    opened = SharedAddress.objects.open(timezone.now())
    return (
        opened.select_related("batch__operation__project", "batch__write")
        .filter(token_sha256=SharedAddress.digest(token))
        .first()
    )


def _note(request: ConsoleRequest, address: SharedAddress, status: int) -> None:
    """Keep that it was fetched, by whom and how much; never the token."""
    mine = SharedAddress.objects.filter(pk=address.pk)
    batch = address.batch
    # On a full disk neither is kept, and nothing is fetched.
    with transaction.atomic():
        mine.update(fetched_count=F("fetched_count") + 1, fetched_at=timezone.now())
        AuditEvent.record(
            action="file.fetched",
            subject=f"File of write {batch.write_id}, by its shared URL",
            about=batch.operation,
            actor=replace(Actor.of(request), name="shared address"),
            detail={
                "method": request.method,
                "range": request.headers.get("Range", ""),
                "status": status,
            },
        )


@require_POST
@require_operator
def revoke(request: ConsoleRequest, pk: int) -> HttpResponse:
    """End the shared addresses of a write now."""
    write = find_write(request, pk, Role.OPERATOR)
    ended = [a for a in SharedAddress.objects.filter(batch__write=write) if a.revoke()]
    if not ended:
        messages.warning(request, "There is no URL to revoke.")
        return redirect(write)
    AuditEvent.record(
        action="file.revoked",
        subject=f"Shared URL of write {write.pk}",
        about=write,
        actor=Actor.of(request),
    )
    messages.success(request, "The URL no longer works.")
    return redirect(write)
