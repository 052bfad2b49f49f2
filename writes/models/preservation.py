"""What keeps the files and values of a write although their time is over."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from console.access.scoping import OfEnvironment
from operations.models import Operation
from writes.models.batch import Batch
from writes.models.write import Write

# Nothing goes without having been in the list of what goes soon for so long: not even
# what is past its time when it is released.
WARNED = timedelta(days=7)
# Drafts that nobody comes back to.
DRAFTS_KEPT = timedelta(days=1)


class PreservationQuerySet(OfEnvironment["Preservation"]):
    """Questions asked of holds and pins."""

    def open(self) -> "PreservationQuerySet":
        """Return those that keep files now."""
        return self.filter(ended_at=None)


class Preservation(models.Model):
    """A legal hold of an admin, or a pin of an operator: retention leaves it alone.

    While one is open the files, row outcomes, values and logs of the write stay, also
    of a draft. Rows are never taken away: who kept what, and for how long, is told
    later as well.
    """

    class Kind(models.TextChoices):
        HOLD = "hold", "Legal hold"
        PIN = "pin", "Pin"

    write = models.ForeignKey(
        Write, on_delete=models.PROTECT, related_name="preservations"
    )
    kind = models.CharField(max_length=4, choices=Kind)
    reason = models.CharField(max_length=200, blank=True)
    begun_at = models.DateTimeField(default=timezone.now)
    begun_by_name = models.CharField(max_length=150)
    ended_at = models.DateTimeField(null=True)
    ended_by_name = models.CharField(max_length=150, blank=True)

    objects = PreservationQuerySet.as_manager()
    PROJECT = "write__integration__project"

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["write", "kind"],
                condition=Q(ended_at=None),
                name="preservation_one_open",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["hold", "pin"]), name="preservation_kind_known"
            ),
            models.CheckConstraint(
                condition=~Q(kind="hold") | ~Q(reason=""),
                name="preservation_hold_has_reason",
            ),
        ]
        indexes = [
            models.Index(
                fields=["-id"], condition=Q(ended_at=None), name="preservation_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.write}"


def is_preserved() -> Exists:
    """Return the condition that somebody keeps a write."""
    kept = Preservation.objects.open()
    return Exists(kept.filter(write=OuterRef("pk")))


def is_warned_of(now: datetime) -> Q:
    """Return the condition that nobody keeps a write, nor did until a few days ago."""
    lately = Q(ended_at=None) | Q(ended_at__gt=now - WARNED)
    return Q(~Exists(Preservation.objects.filter(lately, write=OuterRef("pk"))))


def is_busy() -> Exists:
    """Return the condition that an operation of a write may still need its values."""
    moves = (*Operation.IN_FLIGHT, *Operation.UNSENT)
    unknown = Q(operation__state=Operation.State.UNKNOWN, operation__resolved_at=None)
    moving = Q(operation__state__in=moves) | Q(is_settled=False)
    return Exists(Batch.objects.filter(moving | unknown, write=OuterRef("pk")))


def kept_until(write: Write) -> datetime | None:
    """Return when the values of a write may go, None while somebody keeps them."""
    until = write.changed_at + DRAFTS_KEPT
    if write.confirmed_at:
        days = settings.KEEP_DAYS[write.project.environment]
        until = write.confirmed_at + timedelta(days=days)
    for each in write.preservations.all():
        if each.ended_at is None:
            return None
        until = max(until, each.ended_at + WARNED)
    return until
