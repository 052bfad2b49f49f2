"""The request as views see it, for the type checker; and an answer of its own."""

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest
from django_htmx.middleware import HtmxDetails


class ConsoleRequest(HttpRequest):
    """A request with what the middlewares add to it; views behind a sign-in get it."""

    user: User
    htmx: HtmxDetails
    correlation_id: str


class FileGone(Http404):
    """A file that should be there is not; unlike others, the text is for the reader."""
