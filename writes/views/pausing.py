"""Pausing a write that was sent, and letting it go on."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from console.access.roles import Role, require_operator
from writes import pausing
from writes.views.lookup import find_write


@require_POST
@require_operator
def pause(request: HttpRequest, pk: int) -> HttpResponse:
    """Hold what has not left yet."""
    write = find_write(request, pk, Role.OPERATOR)
    try:
        pausing.pause(write, request)
    except pausing.NothingToPause:
        messages.warning(
            request, "Nothing was paused: what has left cannot be called back."
        )
    return redirect(write)


@require_POST
@require_operator
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    """Let it go on as before."""
    write = find_write(request, pk, Role.OPERATOR)
    if not pausing.resume(write, request):
        messages.warning(request, "It was not paused: nothing was changed.")
    return redirect(write)
