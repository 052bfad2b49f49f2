"""Holding what waits in a database that may be a restored back-up.

It may not know what was sent after the back-up was made, and would send it once more.
So a person has to look, and resumes or cancels each write. Where it is certain that the
database went back, all environments are frozen as well: a draft may have been sent,
too, and whoever sends something now should know.
"""

import logging
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from console import freeze
from console.actor import Actor
from console.environments import Environment
from console.health import pulse
from console.health.pulse import Doubt
from console.models import AuditEvent, EnvironmentControl
from operations.models import Operation
from writes.actions import approve
from writes.actions.pause import NothingToPause, pause
from writes.models import Call, Notice, Write, WriteQuerySet
from writes.worker.hold import CONSOLE, LONGEST_REASON

log = logging.getLogger(__name__)

State = Operation.State

NEXT = "Check Ampersand and the customer's system, then resume or cancel this write."
FREEZE_REASON = (
    "A back-up was restored: what was done since it was made is not known here. Look "
    "at what is held, at drafts and unknown outcomes, then unfreeze."
)
NOT_APPROVED = "It may have been approved and sent. Check Ampersand, then ask again."
NOT_TOLD = "Not told again after a back-up was restored."


@dataclass(frozen=True)
class Held:
    """What was done: which environments are frozen now that were not, and counts."""

    environments: list[str]
    writes: int
    notices: int


def hold_restored(now: datetime) -> int:
    """Hold what waits, if there is any doubt about the database; return how many.

    After this the database counts as in use.
    """
    doubt = pulse.doubt(now)
    held = 0
    if doubt:
        done = hold_for(doubt, CONSOLE)
        held = done.writes
        log.warning("%s Writes held: %s", doubt.text, held)
    pulse.beat(now, over=doubt)
    return held


def restored_since(moment: datetime) -> datetime | None:
    """Return when a back-up was restored last, if that was after `moment`.

    What is as old as `moment` may have been sent by the database that came to an end.
    """
    told = AuditEvent.objects.filter(action="database.restored", at__gt=moment)
    return told.order_by("-pk").values_list("at", flat=True).first()


def hold_for(doubt: Doubt, actor: Actor) -> Held:
    """Let nothing leave by itself that may have left before; `actor` says so.

    Done twice it is done once. Call it outside a transaction: it is one for each write,
    and each of them ends in a state that is safe.
    """
    environments = _freeze_all(actor) if doubt.is_certain else []
    # Before it is news that something is held.
    notices = _drop_notices() if doubt.is_certain else 0
    held = sum(_hold(write, doubt) for write in _to_hold(doubt))
    if doubt.may_have_left:
        approve.end_restored(f"{doubt.text} {NOT_APPROVED}")
    if doubt.is_certain:
        AuditEvent.record(
            action="database.restored",
            subject=f"Restored back-up: {held} writes held"[:200],
            actor=actor,
            detail={"why": doubt.text, "frozen": environments, "held": held},
        )
    return Held(environments, held, notices)


def _freeze_all(actor: Actor) -> list[str]:
    controls = [EnvironmentControl.objects.of(word) for word in Environment.values]
    return [
        control.environment
        for control in controls
        if freeze.freeze(control, actor, reason=FREEZE_REASON)
    ]


def unsent() -> WriteQuerySet:
    """Return the writes of which something has not left, once each."""
    return Write.objects.filter(
        Q(batches__operation__state__in=Operation.UNSENT)
        | Q(batches__calls__state=Call.State.PLANNED)
    ).distinct()


def _to_hold(doubt: Doubt) -> list[Write]:
    """Return the writes of which something has not left.

    Where it is certain that the database went back, also those that somebody had
    paused: they may have been resumed since.
    """
    found = unsent()
    if not doubt.is_certain:
        found = found.filter(paused_at=None)
    return list(found)


def _hold(write: Write, doubt: Doubt) -> bool:
    reason = f"{doubt.text} {NEXT}"
    if write.paused_at and write.paused_by_name != CONSOLE.name:
        reason = f"{reason} {write.paused_by_name} had paused it."[:LONGEST_REASON]
    try:
        with transaction.atomic():
            pause(write, CONSOLE, reason=reason)
            Write.objects.filter(pk=write.pk).update(
                paused_by_name=CONSOLE.name, pause_reason=reason
            )
            _mark(write, doubt)
    except NothingToPause:
        return False
    return True


def _mark(write: Write, doubt: Doubt) -> None:
    """Note that what is cancelled of it now may have been sent all the same."""
    if not doubt.may_have_left:
        return
    mine = Operation.objects.filter(batch__write=write)
    under_way = Q(kind=Operation.Kind.RUN, state__in=(State.IN_PROGRESS, State.UNKNOWN))
    mine.filter(Q(state=State.HELD) | under_way).update(may_have_left=True)


def _drop_notices() -> int:
    """Give up what was still to be told: it has been, most likely."""
    Operation.objects.filter(has_news=True).update(has_news=False)
    return Notice.objects.filter(due_at__isnull=False).update(
        due_at=None, problem=NOT_TOLD
    )
