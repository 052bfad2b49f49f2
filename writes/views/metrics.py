"""/metrics: the state of the installation for Prometheus, with a token of its own."""

import hmac

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from writes.metrics import text

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@require_safe
@never_cache
@login_not_required
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with all metrics; 401 without the token, 404 where none is set.

    A session counts for nothing here: monitoring is no person.
    """
    token: str = settings.METRICS_TOKEN
    if not token:
        raise Http404
    given = request.headers.get("Authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        problem = "Nothing was read. Send “Authorization: Bearer …” with METRICS_TOKEN."
        headers = {"WWW-Authenticate": "Bearer"}
        kind = "text/plain; charset=utf-8"
        return HttpResponse(problem, content_type=kind, status=401, headers=headers)
    return HttpResponse(text(), content_type=CONTENT_TYPE)
