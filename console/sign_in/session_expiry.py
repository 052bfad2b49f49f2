"""How long a sign-in lasts: SESSION_HOURS at most, SESSION_IDLE_MINUTES unused."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from console.access.client_address import client_address

SIGNED_IN_AT = "signed_in_at"
SEEN_AT = "seen_at"
# Where from and with what somebody signed in: for the list of their sessions.
ADDRESS = "address"
BROWSER = "browser"
LONGEST_BROWSER = 300
# Seeing somebody is noted no more often than this, in seconds.
NOTED_EVERY = 60


class SessionLimitsMiddleware:
    """Sign people out whose time is over, before it is asked who they are.

    What a page asks for by itself (`X-Poll`) is no sign that somebody is there.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> None:
        """Here messages and the request's id are there already."""
        if not request.user.is_authenticated:
            return
        now = timezone.now()
        if over := why_over(request.session, now):
            # The audit trail tells it: see `console.sign_in.audit.signed_out`.
            request.signed_out_because = over  # type: ignore[attr-defined]
            logout(request)
            messages.info(
                request,
                f"You were signed out: {over}. Nothing was changed just now; writes "
                "that you confirmed before continue.",
            )
        elif "X-Poll" not in request.headers:
            note_seen(request.session, now)


def why_over(session: SessionBase | Mapping[str, Any], now: datetime) -> str:
    """Return in words why a session has ended, or nothing."""
    hours, minutes = settings.SESSION_HOURS, settings.SESSION_IDLE_MINUTES
    since = now.timestamp()
    if since - session.get(SIGNED_IN_AT, 0) >= hours * 3600:
        return f"a session lasts {hours:,} hour{'' if hours == 1 else 's'}"
    if since - session.get(SEEN_AT, 0) >= minutes * 60:
        times = f"{minutes:,} minute{'' if minutes == 1 else 's'}"
        return f"nobody used the console for {times}"
    return ""


def begin_session(request: HttpRequest, now: datetime) -> None:
    """Note when somebody signed in, where from and with what."""
    session = request.session
    # It may have been one that was to end soon: see `console.views.oidc`.
    session.set_expiry(None)
    session[SIGNED_IN_AT] = session[SEEN_AT] = int(now.timestamp())
    session[ADDRESS] = client_address(request)
    session[BROWSER] = request.headers.get("User-Agent", "")[:LONGEST_BROWSER]


def note_seen(session: SessionBase, now: datetime) -> None:
    """Note that somebody is there."""
    if abs(now.timestamp() - session[SEEN_AT]) >= NOTED_EVERY:
        session[SEEN_AT] = int(now.timestamp())
