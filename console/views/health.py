"""Is the installation alive? For load balancers and monitors."""

from datetime import timedelta

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.db.models import Min
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_tasks_db.models import DBTaskResult

from console.models import Heartbeat

# The clock beats every second or so; after this it is called missing.
MISSING_AFTER = timedelta(seconds=30)


@require_safe
@never_cache
@login_not_required
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 with the state of database, worker and queue; 503 without a database.

    A worker that is missing does not make this 503: the pages still work, and taking
    the web process out of service would hide what operators need to see.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        body = {"database": "ok", "worker": _worker(), "queue": _queue()}
    except DatabaseError:
        return JsonResponse({"database": "unreachable"}, status=503)
    return JsonResponse(body)


def _worker() -> dict[str, object]:
    now = timezone.now()
    return {
        beat.name: {
            "state": "ok" if now - beat.seen_at < MISSING_AFTER else "missing",
            "seen_seconds_ago": round((now - beat.seen_at).total_seconds()),
        }
        for beat in Heartbeat.objects.order_by("name")
    } or {"state": "never seen"}


def _queue() -> dict[str, object]:
    ready = DBTaskResult.objects.ready()
    oldest = ready.aggregate(oldest=Min("enqueued_at"))["oldest"]
    age = (timezone.now() - oldest).total_seconds() if oldest else 0
    return {"waiting": ready.count(), "oldest_seconds": round(age)}
