"""All rows of a file that waits for approval, to be read by who decides."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from console.access.roles import require_operator
from console.http import ConsoleRequest
from writes.models import Approval, Write
from writes.views.approval import find_approval, is_open, may_not, may_read
from writes.views.grid import draft_page, draft_row_page


def _while_it_waits(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Give a view the approval; once it ended, only what became of it is shown."""

    @wraps(view)
    def shown(request: ConsoleRequest, pk: int, **names: Any) -> HttpResponse:
        found = find_approval(request, pk)
        if found.write.source != Write.Source.CSV:
            raise Http404
        if not is_open(found):
            return redirect(found)
        if not may_read(request, found):
            raise PermissionDenied(may_not(request, found))
        return view(request, found, **names)

    return shown


@require_safe
@never_cache
@require_operator
@_while_it_waits
def approval_rows(request: ConsoleRequest, found: Approval) -> HttpResponse:
    """Show a page of the rows as they would go out, or for htmx the table alone."""
    return draft_page(request, found.write, is_editable=False, approval=found)


@require_safe
@never_cache
@require_operator
@_while_it_waits
def approval_row(request: ConsoleRequest, found: Approval, number: int) -> HttpResponse:
    """Show one row with the whole of its cells."""
    page = reverse("writes:approval_rows", args=[found.pk])
    return draft_row_page(
        request, found.write, number, rows_url=page, is_editable=False
    )
