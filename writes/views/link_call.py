"""Linking a request of a run, of unknown outcome, to an operation of Ampersand's."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from console.access.roles import Role, require_operator
from console.actor import Actor
from console.connections.ask import NotAnswered
from console.http import ConsoleRequest
from writes.actions import link_call as actions
from writes.actions.run import NothingToDecide
from writes.models import Call
from writes.views.lookup import find_call
from writes.views.run import DecideForm, call_page


@require_POST
@require_operator
def operations(request: ConsoleRequest, pk: int, number: int) -> HttpResponse:
    """Ask Ampersand which of its operations the request may have become."""
    call = find_call(request, pk, number, Role.OPERATOR)
    try:
        found = actions.find_operations(call)
    except NotAnswered as error:
        messages.error(request, f"Nothing was changed. {error}")
        return redirect(_address(call))
    return call_page(request, call, DecideForm(), found=found)


@require_POST
@require_operator
def link(request: ConsoleRequest, pk: int, number: int) -> HttpResponse:
    """Take an operation for that of the request: its end tells the rows."""
    call = find_call(request, pk, number, Role.OPERATOR)
    try:
        actions.link(call, Actor.of(request), request.POST.get("operation", ""))
    except NothingToDecide as error:
        messages.warning(request, f"Nothing was changed. {error}")
    else:
        messages.success(
            request, "Linked. The result of its rows follows when it ends."
        )
    return redirect(_address(call))


def _address(call: Call) -> str:
    return reverse("writes:call", args=[call.batch.write_id, call.number])
