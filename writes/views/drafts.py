"""The drafts of the reader, many of which can be put away at once."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from console.access.roles import Role, require_operator
from console.actor import Actor
from console.http import ConsoleRequest
from console.validators import LARGEST_ID, whole_number
from writes.actions import derive
from writes.models import Write, WriteQuerySet

SHOWN = 200


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@require_operator
def drafts(request: ConsoleRequest) -> HttpResponse:
    """List the reader's own drafts, newest first; POST discards the ticked ones."""
    mine = Write.objects.for_role(request.user, Role.OPERATOR).drafts()
    mine = mine.filter(started_by=request.user).select_related("integration__project")
    if request.method == "POST":
        _discard(request, mine)
        return redirect("writes:drafts")
    found = list(mine[: SHOWN + 1])
    context = {"drafts": found[:SHOWN], "is_more": len(found) > SHOWN}
    return render(request, "writes/drafts.html", context)


def _discard(request: ConsoleRequest, mine: WriteQuerySet) -> None:
    given = request.POST.getlist("draft")[:SHOWN]
    ticked = [pk for text in given if (pk := whole_number(text, most=LARGEST_ID))]
    # The rest of a file before its trial: no rows go back to what is discarded next.
    chosen = mine.filter(pk__in=ticked).order_by("pk")
    actor = Actor.of(request)
    count = sum(derive.discard(write, wait=False, actor=actor) for write in chosen)
    if not count:
        messages.warning(request, "Nothing was discarded: select drafts first.")
        return
    noun = "draft was" if count == 1 else "drafts were"
    messages.success(request, f"{count:,} {noun} discarded. Nothing was sent.")
