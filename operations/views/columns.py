"""Which columns the list has for a person, and how it tells times."""

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from console.access.roles import require_viewer
from console.http import ConsoleRequest
from operations.filters import filter_of
from operations.models import ListSettings
from operations.models.list_settings import Column, usual_columns


@require_POST
@require_viewer
def columns(request: ConsoleRequest) -> HttpResponse:
    """Remember the columns of the list and go back to it."""
    ticked = request.POST.getlist("column")
    chosen = [name for name in Column.values if name in ticked]
    if "usual" in request.POST:
        chosen = usual_columns()
    shows_ago = request.POST.get("times") == "ago"
    ListSettings.objects.update_or_create(
        user=request.user, defaults={"columns": chosen, "shows_ago": shows_ago}
    )
    # The filters come along and are read as such, so that it leads nowhere else.
    query = filter_of(request.POST.get("query", ""), request.user).query()
    return redirect(f"{reverse('operations:list')}{'?' if query else ''}{query}")
