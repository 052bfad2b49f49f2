"""Stopping all sending of an environment, letting it go on, asking for reasons.

Each is one conditional UPDATE with its audit event in the same transaction. Nothing
here knows of operations: who sends looks at the switch in the moment of sending.
"""

from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from console.actor import Actor
from console.models import AuditEvent, EnvironmentControl


def freeze(control: EnvironmentControl, actor: Actor, *, reason: str) -> bool:
    """Stop all sending. Returns False, with nothing changed, when it was frozen."""
    with transaction.atomic():
        done = control.change(
            Q(frozen_at=None),
            frozen_at=timezone.now(),
            frozen_by_name=actor.name,
            freeze_reason=reason,
        )
        if done:
            _audit("environment.frozen", control, actor, {"reason": reason})
    return done


def unfreeze(control: EnvironmentControl, actor: Actor) -> bool:
    """Let go what waits. Returns False, with nothing changed, when nothing was frozen.

    The audit event keeps the freeze that it ends.
    """
    ended = {
        "frozen_at": control.frozen_at and control.frozen_at.isoformat(),
        "frozen_by": control.frozen_by_name,
        "reason": control.freeze_reason,
    }
    with transaction.atomic():
        done = control.change(
            Q(frozen_at__isnull=False),
            frozen_at=None,
            frozen_by_name="",
            freeze_reason="",
            unfrozen_at=timezone.now(),
        )
        if done:
            _audit("environment.unfrozen", control, actor, ended)
    return done


def require_reasons(
    control: EnvironmentControl, actor: Actor, needs_reason: bool
) -> bool:
    """Say whether every write needs a reason. Returns False when it was so already."""
    with transaction.atomic():
        done = control.change(
            Q(needs_reason=not needs_reason), needs_reason=needs_reason
        )
        if done:
            detail = {"needs_reason": [not needs_reason, needs_reason]}
            _audit("environment.changed", control, actor, detail)
    return done


def _audit(
    action: str, control: EnvironmentControl, actor: Actor, detail: dict[str, Any]
) -> None:
    AuditEvent.record(
        action=action,
        subject=str(control),
        about=control,
        actor=actor,
        environment=control.environment,
        detail=detail,
    )
