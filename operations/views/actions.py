"""What people may do to an operation: ask again, cancel, follow."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from console.access.roles import Role, require_operator
from console.actor import Actor
from console.http import ConsoleRequest
from console.models import AuditEvent
from console.views.pages import posted
from operations.actions import follow as actions
from operations.actions import selection
from operations.display.sentence import not_written
from operations.filters import FollowForm
from operations.models import Operation
from operations.views.lookup import find_operation


@require_POST
@require_operator
def ask_now(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Have Ampersand asked at once, without waiting for the next turn."""
    operation = find_operation(request, pk, Role.OPERATOR)
    if actions.ask_now(operation):
        messages.info(request, "Refreshing from Ampersand.")
    else:
        messages.info(request, "Nothing to refresh: this operation has ended.")
    return redirect(operation)


@require_POST
@require_operator
def cancel(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Stop an operation from being sent, if it is not on its way."""
    operation = find_operation(request, pk, Role.OPERATOR)
    if selection.cancel(operation, Actor.of(request)):
        messages.success(request, f"Cancelled. {not_written(operation)}")
    else:
        messages.error(request, "It was not cancelled: it is no longer waiting.")
    return redirect(operation)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@require_operator
def follow(request: ConsoleRequest) -> HttpResponse:
    """Ask which operation that somebody else started to watch, and begin."""
    form = FollowForm(posted(request), user=request.user)
    operation = _followed(request, form) if form.is_valid() else None
    if operation is not None:
        return redirect(operation)
    status = 422 if form.errors else 200
    return render(request, "operations/follow.html", {"form": form}, status=status)


def _followed(request: ConsoleRequest, form: FollowForm) -> Operation | None:
    """Return the operation that is watched now; None where the form says why not."""
    project, remote_id = form.cleaned_data["project"], form.cleaned_data["remote_id"]
    try:
        operation, is_new = actions.follow(
            project=project, remote_id=remote_id, actor=Actor.of(request)
        )
    except ValidationError as error:
        form.add_error("remote_id", error)
        return None
    if not is_new:
        messages.info(request, "This operation is in the console already.")
        return operation
    AuditEvent.record(
        action="operation.followed",
        subject=f"Operation {operation.pk}",
        actor=Actor.of(request),
        about=operation,
    )
    return operation
