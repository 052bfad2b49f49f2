"""Buttons that make a write from another one."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from console.access.roles import Role, require_operator
from console.actor import Actor
from console.http import ConsoleRequest
from console.validators import whole_number
from writes.actions import derive
from writes.actions.derive import NoChild
from writes.views.drafting import check
from writes.views.lookup import find_call, find_write


@require_POST
@require_operator
def retry(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Make a draft of the rows that failed."""
    write = find_write(request, pk, Role.OPERATOR)
    try:
        child = derive.retry_failed(write, Actor.of(request))
    except NoChild as error:
        messages.warning(request, f"Nothing was created. {error}")
        return redirect(write)
    except FileNotFoundError:
        messages.error(
            request, "Nothing was created. The files of this write no longer exist."
        )
        return redirect(write)
    for other in derive.retries_of(write).exclude(pk=child.pk):
        messages.warning(
            request,
            f"Write {other.pk} is already a retry of these rows. What it wrote is "
            "written again if you send this one as well.",
        )
    page = child if child.jobs.exists() else check(child)
    if request.POST.get("to") == "grid":
        return redirect("writes:grid", child.pk)
    return redirect(page)


@require_POST
@require_operator
def halves(request: ConsoleRequest, pk: int, number: int) -> HttpResponse:
    """Make a draft of the rows of a request that failed as a whole, in two requests."""
    call = find_call(request, pk, number, Role.OPERATOR)
    try:
        child = derive.halve(call, Actor.of(request))
    except NoChild as error:
        messages.warning(request, f"Nothing was created. {error}")
        return redirect("writes:call", pk, number)
    except FileNotFoundError:
        messages.error(
            request, "Nothing was created. The files of this write no longer exist."
        )
        return redirect("writes:call", pk, number)
    return redirect(check(child))


@require_POST
@require_operator
def trial(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Make a draft of the first rows; those of this one are the rest from now on."""
    write = find_write(request, pk, Role.OPERATOR)
    rows = whole_number(request.POST.get("rows", "").strip())
    try:
        if rows is None:
            raise NoChild("Enter the number of rows to try.")
        child = derive.try_first(write, Actor.of(request), rows)
    except NoChild as error:
        messages.warning(request, f"Nothing was changed. {error}")
        return redirect(write)
    except FileNotFoundError:
        messages.error(request, "The stored file no longer exists. Upload it again.")
        return redirect(write)
    check(write)
    return redirect(check(child))
