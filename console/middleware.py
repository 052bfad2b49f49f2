"""What every request passes: a correlation id, its session, and what it stored."""

import logging
import re
import time
import uuid
from collections.abc import Callable
from typing import Any

from django.contrib.sessions import middleware as sessions
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.gzip import GZipMiddleware

from console.runtime.log_context import begin_request
from console.runtime.trouble import trouble_of
from console.web import request_counts

log = logging.getLogger(__name__)

CHANGES = ("INSERT", "UPDATE", "DELETE")
# What a browser has of the pages. Its cookies stay: the theme is one.
CLEARED = '"cache", "storage"'
SAFE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


class CountRequestsMiddleware:
    """Count what is answered, for /metrics; of what is streamed until it begins."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = time.monotonic()
        response = self.get_response(request)
        request_counts.count(response.status_code, time.monotonic() - began)
        return response


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
    """Give each request an id: audit trail, log and the answer's header carry it.

    It is always our own, so that nobody gives two requests the same; the one that the
    client gave is kept beside it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request.client_request_id = (  # type: ignore[attr-defined]
            given if SAFE_ID.fullmatch(given) else ""
        )
        request.correlation_id = uuid.uuid4().hex  # type: ignore[attr-defined]
        begin_request(request.correlation_id)  # type: ignore[attr-defined]
        response = self.get_response(request)
        response["X-Request-ID"] = request.correlation_id  # type: ignore[attr-defined]
        return response


class NoStoreMiddleware:
    """Have no browser keep what was shown, but for what a view says of its answer.

    Whoever sits down there next must not find it by Back, or on the disk. What a view
    lets be kept goes when somebody signs out: `request.signs_out`.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "private, no-store")
        if getattr(request, "signs_out", False):
            response["Clear-Site-Data"] = CLEARED
        return response


class CompressPagesMiddleware(GZipMiddleware):
    """Compress pages, but none that another site had a browser ask for.

    The length of a compressed page tells whether what stands in its address stands in
    the page as well. Whoever can see lengths must not be able to try guesses.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        is_page = response.get("Content-Type", "").startswith("text/html")
        if not is_page or response.streaming or may_be_of_another_site(request):
            return response
        return super().process_response(request, response)


def may_be_of_another_site(request: HttpRequest) -> bool:
    """Tell whether a page of another site may have led here; browsers say so by TLS."""
    asked_by = request.headers.get("Sec-Fetch-Site")
    if asked_by is None:
        return request.is_secure()
    return asked_by not in ("same-origin", "none")
