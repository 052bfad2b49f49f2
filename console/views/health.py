"""Is the installation alive? For load balancers, supervisors and monitors.

/livez     this process answers: restart it where it does not
/healthz   pages can be shown and something stored: send people here
/readyz    all is there, clock and workers too: what is confirmed leaves
"""

import ipaddress
from collections.abc import Callable
from datetime import timedelta
from typing import ClassVar

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from console import VERSION
from console.health.workers import Background, background
from console.runtime.trouble import (
    AWAY,
    LOW,
    PENDING,
    READ_ONLY,
    disk_trouble,
    migrations_are_pending,
    pending_migrations,
    trouble_of,
)
from console.uploads import is_room_low


@require_safe
@never_cache
@login_not_required
def livez(request: HttpRequest) -> JsonResponse:
    """Answer 200: no database, no disk. A process that hangs answers nothing."""
    return JsonResponse({"version": VERSION})


@require_safe
@never_cache
@login_not_required
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 with a database that is migrated, a clock and a worker of each queue.

    503 says which of them is amiss.
    """
    body: dict[str, object] = {"version": VERSION, "database": "ok"}
    try:
        pending = pending_migrations()
        found = None if pending else background()
    except (DatabaseError, InterfaceError) as error:
        body["database"] = (trouble_of(error) or AWAY).name
        return JsonResponse(body, status=503)
    body |= {"migrations_pending": len(pending)}
    if found is None:
        body["database"] = PENDING.name
        return JsonResponse(body, status=503)
    body |= {"worker": _worker(found)}
    return JsonResponse(body, status=503 if found.state == "missing" else 200)


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
        is_read_only = connection.vendor == "postgresql" and _is_read_only()
    except (DatabaseError, InterfaceError) as error:
        body["database"] = (trouble_of(error) or AWAY).name
        return JsonResponse(body, status=503)
    if migrations_are_pending():
        body["database"] = PENDING.name
        return JsonResponse(body, status=503)
    body |= {"worker": _worker(found), "queue": _queue(found)}
    if is_read_only:
        body["database"] = READ_ONLY.name
        return JsonResponse(body, status=503)
    stores_nothing = disk is not None and connection.vendor == "sqlite"
    return JsonResponse(body, status=503 if stores_nothing else 200)


def _is_read_only() -> bool:
    """Tell whether PostgreSQL stores nothing, as a standby or where it is set so."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT CURRENT_SETTING('transaction_read_only')")
        return bool(cursor.fetchone() == ("on",))


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


class ProbesByAddress:
    """Answer probes that call this machine by its IP address, as supervisors do.

    Only these pages, which make no link of the name they are called by: for all others,
    and for other names, ALLOWED_HOSTS counts. It must come first, since what follows
    asks for the name.
    """

    PAGES: ClassVar = {"/livez": livez, "/readyz": readyz, "/healthz": healthz}

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        page = self.PAGES.get(request.path_info)
        if page is not None and _is_address(request.META.get("HTTP_HOST", "")):
            return page(request)
        return self.get_response(request)


def _is_address(host: str) -> bool:
    """Tell whether a Host header is an IP address, perhaps with a port."""
    name, _, port = host.rpartition(":")
    if not (name and port.isdecimal()):
        name = host
    try:
        ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True
