"""Work on the file of a write that takes longer than a page may."""

from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from writes.models.write import Write


class FileJobQuerySet(models.QuerySet["FileJob"]):
    """Questions asked of file jobs."""

    def last_of(self, write: Write, kind: str) -> "FileJob | None":
        """Return the newest job of this kind, None if there never was one."""
        return self.filter(write=write, kind=kind).order_by("-pk").first()

    def last_with(self, write: Write, kind: str) -> "FileJob | None":
        """Return the newest job; if it has ended, `write` has what came of it.

        It may have ended after `write` was read, and the two would contradict.
        """
        job = self.last_of(write, kind)
        if job is not None and not job.is_open:
            write.read_anew()
        return job


class FileJob(models.Model):
    """Work on one file: to check a draft, join its rows to their outcome, index them.

    A worker that works on it renews `due_at` with its progress; one that is late was
    killed, and the job is done anew. It may be: nothing of it leaves this machine.
    """

    class Kind(models.TextChoices):
        CHECK = "check", "Checking"
        JOIN = "join", "Matching rows to results"
        INDEX = "index", "Indexing the records"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    OPEN = (State.WAITING, State.RUNNING)
    LEASE = timedelta(seconds=60)

    write = models.ForeignKey(Write, on_delete=models.CASCADE, related_name="jobs")
    kind = models.CharField(max_length=10, choices=Kind)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    # The edition of the write that it was begun for.
    edition = models.PositiveIntegerField()
    total_bytes = models.PositiveBigIntegerField(default=0)
    done_bytes = models.PositiveBigIntegerField(default=0)
    done_rows = models.PositiveBigIntegerField(default=0)
    # What it is at, in words: "Reading", "Checking".
    step = models.CharField(max_length=50, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(null=True, default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)
    problem = models.TextField(blank=True)

    objects = FileJobQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["write", "kind"],
                condition=Q(state__in=["waiting", "running"]),
                name="file_job_one_open",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["waiting", "running"])
                | Q(due_at__isnull=False),
                name="file_job_open_is_due",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(due_at__isnull=False),
                name="file_job_due",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} write {self.write_id}"

    @property
    def is_open(self) -> bool:
        """Whether it is still to be done."""
        return self.state in self.OPEN

    @property
    def percent(self) -> int:
        """How much of its bytes is done, 0 to 100."""
        if not self.total_bytes:
            return 0
        return min(100, 100 * self.done_bytes // self.total_bytes)

    def change(self, *, only_from: tuple[str, ...], **values: Any) -> bool:
        """Set `values` if the state is still one of `only_from`; tell whether so."""
        rows = FileJob.objects.filter(pk=self.pk, state__in=only_from)
        changed = rows.update(**values) == 1
        if changed:
            for name, value in values.items():
                setattr(self, name, value)
        return changed

    change.alters_data = True  # type: ignore[attr-defined]
