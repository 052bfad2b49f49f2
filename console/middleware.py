"""What every request passes: sign-in, and a correlation id for all its traces."""

import logging
import re
import uuid
from collections.abc import Callable
from typing import Any

from django.contrib.auth import middleware as auth_middleware
from django.contrib.auth.views import redirect_to_login
from django.contrib.sessions import middleware as sessions
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django_htmx.http import HttpResponseClientRedirect

from console.access.referrer import referring_page
from console.runtime.trouble import trouble_of

log = logging.getLogger(__name__)

CHANGES = ("INSERT", "UPDATE", "DELETE")
SAFE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


class LoginRequiredMiddleware(auth_middleware.LoginRequiredMiddleware):
    """Send people who are not signed in to the login page, and back afterwards.

    An htmx request is told to take the whole page there: a login form swapped into a
    table cell would be lost on the reader. A page that asks for news by itself (X-Poll)
    is told 401 alone, and stays as it is until somebody looks at it.
    """

    def handle_no_permission(  # type: ignore[override]
        self, request: HttpRequest, view_func: Callable[..., Any]
    ) -> HttpResponse:
        if "X-Poll" in request.headers:
            return HttpResponse(status=401)
        if not request.htmx:  # type: ignore[attr-defined]
            if request.method in ("GET", "HEAD"):
                return super().handle_no_permission(request, view_func)
            # What was to be done is not done; the page with its button is shown again.
            return redirect_to_login(referring_page(request) or "/")
        page = request.htmx.current_url_abs_path or "/"  # type: ignore[attr-defined]
        login = redirect_to_login(page, self.get_login_url(view_func))
        return HttpResponseClientRedirect(login.url)


class SessionMiddleware(sessions.SessionMiddleware):
    """Sessions that keep no page from being shown while nothing can be stored.

    When somebody was last seen is not kept then. Signing in needs more than this, and
    fails where it stores.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponse
    ) -> HttpResponse:
        try:
            return super().process_response(request, response)
        except DatabaseError as error:
            if trouble_of(error) is None:
                raise
            log.warning("A session was not stored: %s", error)
            return response


class StoredMiddleware:
    """Note on each request whether it stored something: `request.has_stored`.

    The page of an error says so. What is stored in a transaction counts once that has
    ended well.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.has_stored = False  # type: ignore[attr-defined]

        def note() -> None:
            request.has_stored = True  # type: ignore[attr-defined]

        def run(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
            result = execute(sql, params, many, context)
            if str(sql).lstrip()[:6].upper() in CHANGES:
                transaction.on_commit(note)
            return result

        with connection.execute_wrapper(run):
            return self.get_response(request)


class CorrelationMiddleware:
    """Give each request an id: the audit trail and the answer's header carry it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request.correlation_id = (  # type: ignore[attr-defined]
            given if SAFE_ID.fullmatch(given) else uuid.uuid4().hex
        )
        response = self.get_response(request)
        response["X-Request-ID"] = request.correlation_id  # type: ignore[attr-defined]
        return response
