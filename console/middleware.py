"""What every request passes first: a correlation id for all its traces."""

import re
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

SAFE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


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
