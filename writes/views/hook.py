"""The one address that takes what Ampersand tells by itself; it needs no sign-in.

Whoever has no right signature learns nothing, not even whether the address is one.
"""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from ampersand.notifications import NotGenuine, genuine, key_of
from console.fields import UnreadableSecret
from console.models import Hook
from console.runtime import db_clock
from writes.actions.notified import TooMany, take

# "Up to 300 KB", and some room.
LARGEST = 350 * 1024
# What is compared with where there is no such address.
NOBODY = bytes(32)


@login_not_required
@csrf_exempt
@require_POST
def hook(request: HttpRequest, token: str) -> HttpResponse:
    """Take a notification: 204, or 401 without any trace but the line in the log."""
    now = db_clock.now()
    found, key = _opened(token)
    try:
        told = genuine(key, request.headers, request.body, now=now)
    except NotGenuine:
        return HttpResponse(status=401)
    if found is None:
        return HttpResponse(status=401)
    try:
        take(found, told, now)
    except TooMany:
        return HttpResponse(status=429, headers={"Retry-After": "60"})
    return HttpResponse(status=204)


hook.largest_body = LARGEST  # type: ignore[attr-defined]


def _opened(token: str) -> tuple[Hook | None, bytes]:
    """Return the hook of an address, with what its messages are signed by."""
    hooks = Hook.objects.select_related("project")
    if not token.isprintable():
        return None, NOBODY
    try:
        found = hooks.filter(token=token[:100]).first()
        return found, key_of(found.secret) if found else NOBODY
    except (UnreadableSecret, ValueError):
        return None, NOBODY
