"""What is kept of a project's pace: one row that all workers and machines share."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q

from console.models import Project

# What Ampersand may ask us to wait at most: more is not meant.
LONGEST_WAIT = timedelta(hours=1)


class GateQuerySet(models.QuerySet["Gate"]):
    """Questions asked of gates."""

    def with_open_breaker(self) -> "GateQuerySet":
        """Return those of projects to which nothing goes for now, the longest first."""
        return self.exclude(opened_at=None).order_by("opened_at")


class Gate(models.Model):
    """How fast requests go to a project now, and whether any does.

    Made on demand. Who lets a write through holds the row's lock meanwhile, so that
    many workers together keep the pace: see `operations.limits.rate_limit`. What stops
    everything while Ampersand does not answer is `operations.limits.circuit_breaker`.
    """

    project = models.OneToOneField(
        Project, primary_key=True, on_delete=models.CASCADE, related_name="gate"
    )
    # When the last writes began, in seconds since 1970: as many as fit into a second.
    write_starts = models.JSONField(default=list)
    # The turn that was given to the last write that was put off.
    turn_at = models.DateTimeField(null=True)
    # Until then Ampersand takes no write, as it said in these words.
    writes_closed_until = models.DateTimeField(null=True)
    writes_closed_why = models.TextField(blank=True)
    # When it last took one, since it began to ask us to wait.
    writes_accepted_at = models.DateTimeField(null=True)
    # The same for reads; and up to when their pace is used up.
    reads_closed_until = models.DateTimeField(null=True)
    reads_used_until = models.DateTimeField(null=True)
    # When the next searches may begin.
    search_turn_at = models.DateTimeField(null=True)

    # The breaker: how often in a row no answer came, and since when it is open.
    write_failures = models.PositiveIntegerField(default=0)
    read_failures = models.PositiveIntegerField(default=0)
    last_failure = models.TextField(blank=True)
    opened_at = models.DateTimeField(null=True)
    # When it is tried next, by one harmless read.
    try_at = models.DateTimeField(null=True)
    # How long it stays open at a time, in seconds; 0 until it opens.
    open_seconds = models.PositiveIntegerField(default=0)

    objects = GateQuerySet.as_manager()

    class Meta:
        constraints = [
            # What is open is always tried again.
            models.CheckConstraint(
                condition=Q(opened_at=None) | Q(try_at__isnull=False),
                name="gate_open_is_tried",
            )
        ]

    def __str__(self) -> str:
        return f"Gate of {self.project}"

    @classmethod
    def locked(cls, project_id: int) -> "Gate":
        """Return the gate of a project, locked until the transaction ends."""
        rows = cls.objects.select_for_update(of=("self",)).select_related("project")
        gate = rows.filter(pk=project_id).first()
        if gate is None:
            cls.objects.get_or_create(project_id=project_id)
            gate = rows.get(pk=project_id)
        return gate

    def closed_at(self, now: datetime) -> datetime | None:
        """Return until when Ampersand asked for no write, None if that is over."""
        closed = self.writes_closed_until
        # No wait is longer: one that seems to be was noted before the clock was set
        # back.
        if closed is not None and now < closed <= now + LONGEST_WAIT:
            return closed
        return None

    @property
    def is_open(self) -> bool:
        """Whether the breaker is open: nothing is sent and nothing asked."""
        return self.opened_at is not None
