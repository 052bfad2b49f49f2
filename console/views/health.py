"""Is the installation alive? For load balancers and monitors."""

from datetime import timedelta

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from console import VERSION
from console.health.workers import Background, background


@require_safe
@never_cache
@login_not_required
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 with version, database, worker and queue; 503 without a database.

    A worker that is missing does not make this 503: the pages still work, and taking
    the web process out of service would hide what operators need to see.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        found = background()
    except DatabaseError:
        body = {"version": VERSION, "database": "unreachable"}
        return JsonResponse(body, status=503)
    return JsonResponse(
        {
            "version": VERSION,
            "database": "ok",
            "worker": _worker(found),
            "queue": _queue(found),
        }
    )


def _worker(found: Background) -> dict[str, object]:
    return {
        "state": found.state,
        "clock_seen_seconds_ago": _seconds(found.clock_seen),
        "queues_without_worker": found.unattended,
    }


def _queue(found: Background) -> dict[str, object]:
    return {"waiting": found.waiting, "oldest_seconds": _seconds(found.oldest)}


def _seconds(age: timedelta | None) -> int | None:
    return None if age is None else round(age.total_seconds())
