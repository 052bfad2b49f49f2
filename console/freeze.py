"""Stopping all sending of an environment, letting it go on, asking for reasons.

Each is one conditional UPDATE with its audit event in the same transaction. Nothing
here knows of operations: who sends looks at the switch in the moment of sending.
"""

from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse

from console.models import AuditEvent, EnvironmentControl


def freeze(
    control: EnvironmentControl,
    *,
    by: str,
    reason: str,
    request: HttpRequest | None = None,
) -> bool:
    """Stop all sending. Returns False, with nothing changed, when it was frozen."""
    with transaction.atomic():
        done = control.freeze(by=by, reason=reason)
        if done:
            _audit("environment.frozen", control, by, request, {"reason": reason})
    return done


def unfreeze(
    control: EnvironmentControl, *, by: str, request: HttpRequest | None = None
) -> bool:
    """Let go what waits. Returns False, with nothing changed, when nothing was frozen.

    The audit event keeps the freeze that it ends.
    """
    ended = {
        "frozen_at": control.frozen_at and control.frozen_at.isoformat(),
        "frozen_by": control.frozen_by_name,
        "reason": control.freeze_reason,
    }
    with transaction.atomic():
        done = control.unfreeze()
        if done:
            _audit("environment.unfrozen", control, by, request, ended)
    return done


def require_reasons(
    control: EnvironmentControl, needs_reason: bool, *, by: str, request: HttpRequest
) -> bool:
    """Say whether every write needs a reason. Returns False when it was so already."""
    with transaction.atomic():
        done = control.require_reasons(needs_reason)
        if done:
            detail = {"needs_reason": [not needs_reason, needs_reason]}
            _audit("environment.changed", control, by, request, detail)
    return done


def _audit(
    action: str,
    control: EnvironmentControl,
    by: str,
    request: HttpRequest | None,
    detail: dict[str, Any],
) -> None:
    AuditEvent.record(
        action=action,
        subject=str(control),
        subject_url=reverse("connections:environments"),
        request=request,
        actor_name=by,
        environment=control.environment,
        detail=detail,
    )
