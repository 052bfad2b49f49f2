"""The API and /metrics take tokens alone: no cookie of a browser reaches them."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from console.api.problems import is_api

# For monitors; writes/urls.py has it.
METRICS = "/metrics"


class NoCookiesMiddleware:
    """Take the cookies off a request to these, before anything looks at them.

    So no session is read, kept alive or ended there, and no page is sent in place of
    an answer.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if is_api(request) or request.path_info == METRICS:
            request.META.pop("HTTP_COOKIE", None)
        return self.get_response(request)
