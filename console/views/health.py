"""Is the installation alive? For load balancers and monitors."""

from datetime import timedelta

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from console import VERSION
from console.health.workers import Background, background
from console.runtime.trouble import (
    AWAY,
    LOW,
    PENDING,
    disk_trouble,
    migrations_are_pending,
    trouble_of,
)
from console.uploads import is_room_low


@require_safe
@never_cache
@login_not_required
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 with version, database, disk, worker and queue.

    503 where nothing can be stored: without a database of this version, or with SQLite
    on a disk that is full. A worker that is missing does not make this 503, nor does a
    full disk beside PostgreSQL: the pages still work, and taking the web process out
    of service would hide what operators need to see.
    """
    disk = disk_trouble()
    body: dict[str, object] = {
        "version": VERSION,
        "database": "ok",
        "disk": disk.name if disk else (LOW.name if is_room_low() else "ok"),
    }
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        found = background()
    except (DatabaseError, InterfaceError) as error:
        body["database"] = (trouble_of(error) or AWAY).name
        return JsonResponse(body, status=503)
    if migrations_are_pending():
        body["database"] = PENDING.name
        return JsonResponse(body, status=503)
    body |= {"worker": _worker(found), "queue": _queue(found)}
    stores_nothing = disk is not None and connection.vendor == "sqlite"
    return JsonResponse(body, status=503 if stores_nothing else 200)


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
