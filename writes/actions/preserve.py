"""Keeping files and values of a write from retention, and giving them back to it."""

from django.db import IntegrityError, transaction
from django.utils import timezone

from console.actor import Actor
from console.models import AuditEvent
from writes.models import Preservation, Write

Kind = Preservation.Kind
_VERBS = {
    Kind.HOLD: ("write.held", "write.hold_released"),
    Kind.PIN: ("write.pinned", "write.unpinned"),
}


def preserve(write: Write, kind: Kind, actor: Actor, *, reason: str = "") -> bool:
    """Keep the files and values of a write; tell whether they were not kept so yet.

    A draft, too: it stays although nobody comes back to it. A legal hold needs a
    `reason`. Where the values are gone already it keeps what is left: the logs.
    """
    try:
        with transaction.atomic():
            # A sweep that empties it at this moment comes before or after this.
            Write.objects.select_for_update().get(pk=write.pk)
            Preservation.objects.create(
                write=write, kind=kind, reason=reason, begun_by_name=actor.name
            )
            _audit(write, _VERBS[kind][0], actor, reason)
    except IntegrityError:
        if write.preservations.open().filter(kind=kind).exists():
            return False
        raise
    return True


def release(write: Write, kind: Kind, actor: Actor) -> bool:
    """Give the files back to retention; tell whether they were kept so."""
    with transaction.atomic():
        kept = write.preservations.open().filter(kind=kind).first()
        if kept is None:
            return False
        ended = Preservation.objects.open().filter(pk=kept.pk)
        if not ended.update(ended_at=timezone.now(), ended_by_name=actor.name):
            return False
        _audit(write, _VERBS[kind][1], actor, kept.reason)
    return True


def _audit(write: Write, action: str, actor: Actor, reason: str) -> None:
    AuditEvent.record(
        action=action,
        subject=f"Write {write.pk}",
        about=write,
        actor=actor,
        detail={"write": write.pk, "reason": reason},
    )
