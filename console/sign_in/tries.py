"""A try to show who one is, in a request: counted, and refused after too many."""

from math import ceil
from typing import Any

from django.http import HttpRequest, HttpResponse

from console.access.client_address import client_address
from console.models import SignInAttempt
from console.sign_in.audit import record_lock
from console.sign_in.throttle import Locked, begin


def begin_try(request: HttpRequest, name: str) -> SignInAttempt:
    """Count a try and return it. Raises `Locked`, recorded once, after too many."""
    try:
        return begin(name, client_address(request))
    except Locked as lock:
        for attempt in lock.last:
            if attempt.claim_audit():
                record_lock(request, attempt.name, lock)
        raise


def told(lock: Locked) -> dict[str, Any]:
    """Return what a page says of a lock."""
    return {"locked_minutes": ceil(lock.seconds / 60)}


def refused(response: HttpResponse, lock: Locked) -> HttpResponse:
    """Make `response` the answer to somebody who is locked out."""
    response.status_code = 429
    response["Retry-After"] = str(lock.seconds)
    return response
