"""What happened day by day, counted beforehand, so that plots cost little.

A day is that of `Operation.created_at` in TIME_ZONE, as in the filters of lists. Who
changes an operation leaves a `RollupMark` in the same transaction; the clock counts the
days of the marks again (`operations.worker.count_days`). Until then a page can tell as
of when it speaks.
"""

from datetime import date, datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from console.access.scoping import OfEnvironment
from console.models import Project


class RollupMark(models.Model):
    """An operation, or all of a day, has to be counted again.

    Only ever added and deleted: two who change operations of one day do not wait for
    each other.
    """

    # Of an operation that is gone only the moment is left, as of a whole day.
    operation_id = models.BigIntegerField(null=True)
    moment = models.DateTimeField(null=True)
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(operation_id=None) ^ models.Q(moment=None),
                name="rollup_mark_names_one",
            )
        ]

    def __str__(self) -> str:
        return f"{self.operation_id or self.moment} is to be counted again"

    @classmethod
    def add(cls, operation_id: int) -> None:
        """Have an operation counted again: call it in the transaction that changes it.

        A state or a count, that is, and whom or what it is about.
        """
        cls.objects.create(operation_id=operation_id)

    @classmethod
    def add_day(cls, moment: datetime) -> None:
        """Have all of the day of `moment` counted again."""
        cls.objects.create(moment=moment)


class RollupZone(models.Model):
    """The time zone in which days are counted: one row, none before the first time."""

    ONLY: ClassVar = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY)
    name = models.CharField(max_length=100)

    def __str__(self) -> str:
        return self.name


class OfDays[Row: models.Model](OfEnvironment[Row]):
    """Questions asked of what was counted by day."""

    def between(self, first: date, last: date) -> "OfDays[Row]":
        """Return what was counted of the days from `first` to `last`, both included."""
        return self.filter(day__gte=first, day__lte=last)


class DayCount(models.Model):
    """How many operations of one kind a day had, and how their rows fared."""

    day = models.DateField()
    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    object_name = models.CharField(max_length=200)
    group_ref = models.CharField(max_length=200)
    started_by_name = models.CharField(max_length=150)
    action = models.CharField(max_length=10)
    state = models.CharField(max_length=20)
    operations = models.PositiveBigIntegerField()
    rows_succeeded = models.PositiveBigIntegerField()
    rows_failed = models.PositiveBigIntegerField()
    rows_unknown = models.PositiveBigIntegerField()
    rows_running = models.PositiveBigIntegerField()

    objects = OfDays["DayCount"].as_manager()
    PROJECT = "project"
    # What tells one from another.
    KINDS: ClassVar = (
        "project_id",
        "object_name",
        "group_ref",
        "started_by_name",
        "action",
        "state",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "day",
                    "project",
                    "object_name",
                    "group_ref",
                    "started_by_name",
                    "action",
                    "state",
                ],
                name="day_count_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.operations} {self.state} on {self.day}"


class DayDuration(models.Model):
    """How many operations of one kind took how long: `bucket`, see `durations`.

    From when they were sent until they ended. `size` is the class of how many rows.
    """

    day = models.DateField()
    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    object_name = models.CharField(max_length=200)
    action = models.CharField(max_length=10)
    size = models.PositiveSmallIntegerField()
    bucket = models.PositiveSmallIntegerField()
    operations = models.PositiveBigIntegerField()

    objects = OfDays["DayDuration"].as_manager()
    PROJECT = "project"

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["day", "project", "object_name", "action", "size", "bucket"],
                name="day_duration_once",
            )
        ]
        indexes = [
            # The review: how long did the like take lately?
            models.Index(
                fields=["project", "object_name", "action", "day"],
                name="day_duration_of_kind",
            )
        ]

    def __str__(self) -> str:
        return f"{self.operations} in bucket {self.bucket} on {self.day}"


class DayError(models.Model):
    """In how many operations of a day, and for how many rows, an error came.

    Summed up over the `Failure`s of the operations that failed; `digest` tells errors
    apart, as there, and the words are a copy.
    """

    day = models.DateField()
    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    digest = models.CharField(max_length=16)
    code = models.CharField(max_length=100, blank=True)
    message = models.CharField(max_length=500, blank=True)
    fields = models.CharField(max_length=200, blank=True)
    operations = models.PositiveBigIntegerField()
    rows = models.PositiveBigIntegerField()

    objects = OfDays["DayError"].as_manager()
    PROJECT = "project"

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["day", "project", "digest"], name="day_error_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.message[:80]} on {self.day}"


def is_counted() -> bool:
    """Tell whether every day was counted, in the time zone of now.

    Not while whole days wait for it: what they had may be missing altogether.
    """
    if RollupMark.objects.filter(moment__isnull=False).exists():
        return False
    return RollupZone.objects.filter(name=settings.TIME_ZONE).exists()


def counted_until() -> datetime | None:
    """Return as of when the counts are, None where they lack nothing."""
    return RollupMark.objects.order_by("pk").values_list("made_at", flat=True).first()
