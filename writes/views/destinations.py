"""Where the reader wrote before: to go there again, to name it, or to forget it."""

from typing import Any

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from console.access.roles import Role, require_operator
from console.actor import Actor
from console.http import ConsoleRequest
from console.models import AuditEvent
from console.validators import LARGEST_ID, whole_number
from writes.forms.address import with_groups
from writes.models import Destination, DestinationQuerySet

LONGEST_NAME = 100


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@require_operator
def destinations(request: ConsoleRequest) -> HttpResponse:
    """List the reader's own destinations; a button named `do` names or removes one."""
    mine = Destination.objects.for_role(request.user, Role.OPERATOR)
    mine = mine.filter(user=request.user)
    if request.method == "POST":
        _change(request, mine)
        return redirect("writes:destinations")
    found = with_groups(list(mine.select_related("integration__project").offered()))
    context = {"destinations": found, "origin": request.build_absolute_uri("/")[:-1]}
    return render(request, "writes/destinations.html", context)


def _change(request: ConsoleRequest, mine: DestinationQuerySet) -> None:
    pk = whole_number(request.POST.get("destination", ""), most=LARGEST_ID) or 0
    one = mine.filter(pk=pk).first()
    if one is None:
        messages.warning(request, "Nothing was changed: it is not there any more.")
    elif request.POST.get("do") == "remove":
        with transaction.atomic():
            _audit(request, one, "destination.removed")
            one.delete()
        messages.success(request, f"{one} was removed. What was sent there stays.")
    else:
        _rename(request, one)


def _rename(request: ConsoleRequest, one: Destination) -> None:
    """Make a preset of it, or none where the name is taken away."""
    typed, before = request.POST.get("name", ""), one.name
    one.name = "".join(c for c in typed if c.isprintable()).strip()[:LONGEST_NAME]
    try:
        with transaction.atomic():
            one.save(update_fields=["name"])
            _audit(request, one, "destination.changed", name=[before, one.name])
    except IntegrityError:
        text = f"You have a preset “{one.name}” already. Choose another name."
        messages.error(request, text)
        return
    said = f"Saved as “{one.name}”." if one.name else f"{one} is no preset any more."
    messages.success(request, said)


def _audit(
    request: ConsoleRequest, one: Destination, action: str, **detail: Any
) -> None:
    AuditEvent.record(
        action=action,
        subject=str(one),
        actor=Actor.of(request),
        environment=one.integration.project.environment,
        detail=detail,
    )
