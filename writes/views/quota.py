"""Where a person keeps too much, an upload is refused before it is read."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpResponse
from django.urls import reverse

from console.http import ConsoleRequest
from console.uploads import body_size
from console.views.errors import too_large
from writes.actions.quota import QuotaReached, need_quota


def within_quota(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Answer 413 where the drafts of the person would keep too much with this one."""

    @wraps(view)
    def guarded(request: ConsoleRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            if body_size(request):
                need_quota(request.user, body_size(request))
        except QuotaReached as error:
            title, drafts = "Your drafts use too much space", reverse("writes:drafts")
            way_out = {"way_out": drafts, "way_out_label": "Your drafts"}
            return too_large(request, str(error), title=title, **way_out)
        return view(request, *args, **kwargs)

    return guarded
