"""Resuming several writes at once that the console itself held.

Only those of which it is certain that nothing left before. The others may have been
sent by the database that came to an end: somebody compares each with Ampersand, and
resumes it on its own page.
"""

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from console.access.roles import Person, Role
from console.actor import Actor
from console.models import Pulse
from operations.models import Operation
from writes.actions.hold_restored import unsent
from writes.actions.pause import resume
from writes.models import Write, WriteQuerySet
from writes.worker.hold import CONSOLE

LEFT = (
    "It may have been sent already: compare with Ampersand and the customer's system, "
    "then resume or cancel it on its page."
)
GOES = "It is not on hold any more."


def held_for(user: Person) -> WriteQuerySet:
    """Return what the console holds and `user` may resume, first held first."""
    held = Write.objects.for_role(user, Role.OPERATOR).filter(
        paused_at__isnull=False,
        paused_by_name=CONSOLE.name,
        pk__in=unsent().values("pk"),
    )
    return held.order_by("paused_at", "pk")


def doubtful(held: WriteQuerySet) -> WriteQuerySet:
    """Return those of which something that waits may have left before.

    Also what was held for another reason before the newest doubt about the database:
    somebody may have resumed it since.
    """
    parts = Operation.objects.filter(batch__write=OuterRef("pk"))
    is_doubtful = Q(Exists(parts.filter(may_have_left=True)))
    pulse = Pulse.objects.exclude(doubted_at=None).first()
    if pulse is not None:
        is_older = Q(paused_at__lt=pulse.doubted_at)
        is_doubtful |= is_older & ~Q(pause_reason__startswith=pulse.doubt)
    return held.filter(is_doubtful)


def resume_held(write: Write, actor: Actor) -> str:
    """Let a write go on as its own button does; return why not, "" where it goes.

    It is looked at anew: what was marked or paused meanwhile stays as it is.
    """
    with transaction.atomic():
        now = Write.objects.select_for_update().get(pk=write.pk)
        if now.paused_at is None:
            return GOES
        if now.paused_by_name != CONSOLE.name:
            return f"{now.paused_by_name} paused it."
        if doubtful(Write.objects.filter(pk=now.pk)).exists():
            return LEFT
        return "" if resume(now, actor) else GOES
