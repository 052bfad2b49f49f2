"""The search of every page: what was written, by whatever somebody has of it."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from console.access.roles import is_admin_everywhere, require_viewer
from console.http import ConsoleRequest
from console.validators import LARGEST_ID, whole_number
from operations.views.lookup import name_groups
from writes.search import everywhere, terms


@require_safe
@never_cache
@require_viewer
def search(request: ConsoleRequest) -> HttpResponse:
    """Show what `q` finds: a few of each kind, or a page of the one in `kind`.

    400 for a kind or a page that does not exist.
    """
    text = everywhere.cleaned(request.GET.get("q", ""))
    context: dict[str, Any] = {"searched": text}
    if not text:
        return render(request, "writes/search.html", context)
    name, before = request.GET.get("kind", ""), request.GET.get("before", "")
    kind = everywhere.BY_NAME.get(name)
    page = whole_number(before, most=LARGEST_ID)
    if (name and kind is None) or (before and page is None):
        context["is_wrong"] = True
        return render(request, "writes/search.html", context, status=400)
    if kind:
        results = [everywhere.search_kind(kind, text, request.user, page)]
    else:
        results = everywhere.search(text, request.user)
    lines = [line for _, found in results for line in found.lines]
    name_groups([line.operation for line in lines if line.operation])
    context |= {
        "results": results,
        "kind": kind,
        "is_page": kind is not None,
        "before": page,
        "count": sum(len(found) for _, found in results),
        "is_incomplete": not terms.is_complete(),
        "is_admin": is_admin_everywhere(request.user),
    }
    return render(request, "writes/search.html", context)
