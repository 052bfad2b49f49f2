"""Audit events by the id of the console's own request (`audit_by_request`).

Pages of errors and the header X-Request-ID name it.
"""

import re

from console.models import AuditEvent
from writes.search.found import Asked, Found, Kind

_ID = re.compile(r"[0-9a-f]{32}")


def find(asked: Asked) -> Found:
    """Return what was done by the request with this id, and the reader may read."""
    if not _ID.fullmatch(asked.text.casefold()):
        return Found()
    events = AuditEvent.objects.visible_to(asked.user)
    events = events.filter(correlation_id=asked.text.casefold())
    if asked.before:
        events = events.filter(pk__lt=asked.before)
    read = list(events.newest_first()[: asked.limit + 1])
    shown = read[: asked.limit]
    older = shown[-1].pk if len(read) > asked.limit else None
    return Found(events=shown, older=older, is_exact=bool(shown))


KIND = Kind("audit", "Request id in the audit", find)
