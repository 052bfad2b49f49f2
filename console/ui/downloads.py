"""What is taken away from here leaves a trace."""

from collections.abc import Callable
from typing import Any

from console.actor import Actor
from console.http import ConsoleRequest
from console.models import AuditEvent
from console.models.audit_event import HasPage


def note_download(
    request: ConsoleRequest,
    action: str,
    subject: str,
    *,
    about: HasPage | None = None,
    environment: str = "",
    told: Callable[[], dict[str, Any]],
) -> None:
    """Keep who takes what away, before the first byte of it leaves.

    `told` says which content it is, by a digest. HEAD takes nothing, so nothing is
    kept of it.
    """
    if request.method == "HEAD":
        return
    AuditEvent.record(
        action=action,
        subject=subject,
        about=about,
        environment=environment,
        actor=Actor.of(request),
        detail=told(),
    )
