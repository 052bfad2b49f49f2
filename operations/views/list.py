"""The list of operations, and its fragment that keeps itself up to date."""

import time
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from console.access.roles import require_viewer
from console.http import ConsoleRequest
from console.ui.periods import zone_in_words
from console.ui.polling import seconds_between_polls, seen
from operations import looking
from operations.filters import OperationFilter, SavedViewForm
from operations.models import ListSettings, Operation
from operations.models.list_settings import Column
from operations.views.chips import chips_of
from operations.views.lookup import name_groups
from operations.views.saved_views import linked_views

PAGE = 50
# Those that need a person stand above the first page too, up to so many.
MOST_PINNED = 5
# Counting stops here: the page says "100+".
MOST_COUNTED = 100

# It looks for news this often: with something young in sight, elsewhere, nowhere.
POLL_BUSY = 3
POLL_QUIET = 15
POLL_IDLE = 30


@require_safe
@never_cache
@require_viewer
def operation_list(request: ConsoleRequest) -> HttpResponse:
    """Show operations, newest first, narrowed by the filters in the address.

    400 when the filters make no sense. The folded filters are there when one of them
    is on, and with `more` in the address.
    """
    chosen = OperationFilter(request.GET, user=request.user)
    context: dict[str, Any] = {
        "filter": chosen,
        "query": chosen.query(),
        "views": linked_views(request),
        "view_form": SavedViewForm(
            user=request.user, initial={"query": chosen.query()}
        ),
        "zone": zone_in_words(),
    }
    valid = chosen.is_valid()
    if valid:
        context |= _lines(request, chosen)
        context["chips"] = chips_of(chosen)
        context["total"] = _total(request, chosen, context)
        context["now"] = timezone.now()
    # Drawing them takes longer than the rows do.
    context["opens"] = "more" in request.GET or not valid
    context["unfolds"] = context["opens"] or chosen.folded_on
    status = 200 if valid else 400
    return render(request, "operations/list.html", context, status=status)


@require_safe
@never_cache
@require_viewer
def rows(request: ConsoleRequest) -> HttpResponse:
    """Return the lines of the list alone; 204 when they are as `seen`."""
    chosen = OperationFilter(request.GET, user=request.user)
    if not chosen.is_valid():
        return HttpResponse(status=400)
    context = _lines(request, chosen)
    if request.GET.get("seen") == context["seen"]:
        return HttpResponse(status=204)
    context["is_fragment"] = True
    return render(request, "operations/list.html#operation-rows", context)


def _lines(request: ConsoleRequest, chosen: OperationFilter) -> dict[str, Any]:
    visible = Operation.objects.visible_to(request.user)
    before = chosen.cleaned_data["before"]
    user, listed = request.user, visible.for_list()
    unknown = visible.needing_attention().newest_first()[:MOST_COUNTED].count()
    pinned: list[Operation] = []
    if unknown and not before and not chosen.shows_unknown:
        needy = listed.needing_attention()
        pinned = looking.newest(chosen, needy, user, MOST_PINNED + 1).operations
    looked = looking.newest(chosen, listed, user, PAGE + 1)
    found, further = looked.operations, looked.further
    shown = found[:PAGE]
    more_pinned = len(pinned) > MOST_PINNED
    pinned = pinned[:MOST_PINNED]
    name_groups([*pinned, *shown])
    # In no order: SQLite may walk through all for one, and an index has the states.
    in_flight = visible.in_flight().order_by()[:MOST_COUNTED].count()
    seconds = _poll_seconds(shown, in_flight)
    looks = ListSettings.of(request.user)
    # Told to the minute, "5 min ago" is news once a minute.
    minute = int(time.time() // 60) if looks.shows_ago else 0
    versions = [(each.pk, each.version) for each in (*pinned, *shown)]
    return {
        "filter": chosen,
        "pinned": pinned,
        "all_unknown": chosen.query(status="unknown") if more_pinned else "",
        "operations": shown,
        "older": chosen.query(before=shown[-1].pk) if len(found) > PAGE else "",
        "further": chosen.query(before=further.pk) if further else "",
        "looked_back_to": further.created_at if further else None,
        "most_looked_at": looking.LOOK,
        "newest": chosen.query() if before else None,
        "poll_query": chosen.query(**{"before": before} if before else {}),
        "poll_seconds": seconds,
        "seen": seen(versions, in_flight, unknown, seconds, minute, looks.columns),
        "looks": looks,
        "columns": Column.choices,
        "in_flight": _capped(in_flight),
        "unknown": _capped(unknown),
    }


def _total(
    request: ConsoleRequest, chosen: OperationFilter, context: dict[str, Any]
) -> str:
    """Return how many operations the filters let through on all pages, in words.

    Told above the first page. A search in texts has no index to count by: it
    tells that there is more than a page.
    """
    if chosen.cleaned_data["before"]:
        return ""
    if context["further"]:
        # How many there are below nobody knows.
        return ""
    if not context["older"]:
        return str(len(context["operations"]))
    if chosen.cleaned_data["text"]:
        return f"{PAGE}+"
    visible = Operation.objects.visible_to(request.user)
    return looking.count(chosen, visible, request.user)


def _poll_seconds(shown: list[Operation], in_flight: int) -> int:
    moving = [operation.created_at for operation in shown if operation.is_in_flight]
    if moving:
        return seconds_between_polls(max(moving), quickest=POLL_BUSY)
    return POLL_QUIET if in_flight else POLL_IDLE


def _capped(count: int) -> str:
    if not count:
        return ""
    return f"{MOST_COUNTED}+" if count == MOST_COUNTED else str(count)
