"""What is done for one customer from the page of the project."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from console.access.roles import Role, require_operator
from console.actor import Actor
from console.connections.ask import NotAnswered
from console.http import ConsoleRequest
from console.views.lookup import find_group
from writes.worker.import_operations import import_operations


@require_POST
@require_operator
def group_import(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Follow the operations of a customer that other programs started."""
    group = find_group(request, pk, Role.OPERATOR)
    try:
        found = import_operations(group, Actor.of(request))
    except NotAnswered as error:
        messages.error(request, f"Not all operations were imported. {error}")
        return redirect(group.project)
    more = (
        " There are more; only the first pages were imported." if found.has_more else ""
    )
    messages.success(
        request,
        f"Operations of {group}: {found.new:,} imported, {found.known:,} known.{more}",
    )
    return redirect("operations:list")
