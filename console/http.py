"""The request as views see it, for the type checker."""

from django.contrib.auth.models import User
from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails


class ConsoleRequest(HttpRequest):
    """A request with what the middlewares add to it; views behind a sign-in get it."""

    user: User
    htmx: HtmxDetails
    correlation_id: str
