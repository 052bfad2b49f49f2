"""The writes that the console holds, some of which can be resumed together."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from console.access.roles import require_operator
from console.actor import Actor
from console.http import ConsoleRequest
from console.models import EnvironmentControl
from console.sign_in.identity_check import need_identity_to_send
from console.validators import LARGEST_ID, whole_number
from writes.actions.resume_held import LEFT, doubtful, held_for, resume_held
from writes.models import WriteQuerySet

SHOWN = 200


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@require_operator
def held(request: ConsoleRequest) -> HttpResponse:
    """List what the console holds; POST resumes the ticked, once it was asked about.

    Numbers are posted: what is held later is not meant.
    """
    if request.method == "POST":
        return _resume(request)
    all_held = _held(request)
    in_doubt = doubtful(all_held)
    unsafe = list(in_doubt[: SHOWN + 1])
    safe = list(all_held.exclude(pk__in=in_doubt.values("pk"))[: SHOWN + 1])
    context = {
        "safe": safe[:SHOWN],
        "doubtful": unsafe[:SHOWN],
        "is_more": len(safe) > SHOWN or len(unsafe) > SHOWN,
        "most": SHOWN,
    }
    return render(request, "writes/held.html", context)


def _held(request: ConsoleRequest) -> WriteQuerySet:
    return held_for(request.user).select_related("integration__project")


def _resume(request: ConsoleRequest) -> HttpResponse:
    given = request.POST.getlist("write")[:SHOWN]
    ticked = [pk for text in given if (pk := whole_number(text, most=LARGEST_ID))]
    chosen = list(_held(request).filter(pk__in=ticked))
    if not chosen:
        messages.warning(request, "Nothing was changed: select writes first.")
        return redirect("writes:held")
    for environment in {write.project.environment for write in chosen}:
        need_identity_to_send(request, environment)
    if is_done := "confirmed" in request.POST:
        actor = Actor.of(request)
        told = [(write, resume_held(write, actor)) for write in chosen]
    else:
        in_doubt = set(doubtful(held_for(request.user)).values_list("pk", flat=True))
        told = [(write, LEFT if write.pk in in_doubt else "") for write in chosen]
    places = {write.project.environment for write in chosen}
    context = {
        "is_done": is_done,
        "those": [write for write, why in told if not why],
        "others": [(write, why) for write, why in told if why],
        "frozen_there": EnvironmentControl.objects.frozen().filter(
            environment__in=places
        ),
    }
    return render(request, "writes/held_resume.html", context)
