"""Holding a write that something keeps from leaving, until a person has it go on.

What was confirmed is good, so nothing is cancelled. Nothing goes by itself either: it
may be late by then.
"""

from dataclasses import replace

from django.db import transaction

from console.actor import Actor
from console.models import AuditEvent
from operations.models import Operation

CONSOLE = Actor(name="the console")
NEXT = "Once that is fixed, resume or cancel this write."
# What the column of the reason takes.
LONGEST_REASON = 500


def hold_for_a_person(operation: Operation, why: str) -> None:
    """Pause the write of a waiting operation, for a reason in whole sentences.

    Its other parts are held by the clock. Where somebody cancelled the operation
    meanwhile, nothing is changed.
    """
    write = operation.batch.write
    reason = f"{why[: LONGEST_REASON - len(NEXT) - 1]} {NEXT}"
    with transaction.atomic():
        is_new = write.pause(by=CONSOLE.name, reason=reason)
        is_held = operation.change(
            only_from=(Operation.State.WAITING,),
            by=CONSOLE.name,
            state=Operation.State.HELD,
            due_at=None,
            reason=reason,
        )
        if not is_held:
            transaction.set_rollback(True)
        elif is_new:
            AuditEvent.record(
                action="write.paused",
                subject=f"Write {write.pk}, until somebody resumes it",
                about=write,
                actor=replace(
                    CONSOLE, correlation_id=AuditEvent.objects.request_of(write.pk)
                ),
                detail={"write": write.pk, "reason": reason},
            )
