"""What is still to be gone through once, from the newest on: the clock does it."""

from django.db import models

from console.validators import LARGEST_ID


class Backlog(models.Model):
    """That all up to a number still have to be counted or indexed; no row: nothing.

    An upgrade and `manage.py rebuild` make a row, `writes.actions.catch_up` lowers its
    number and at last deletes it. What is made meanwhile is counted and indexed when it
    is made, so that the highest number is looked up once, at the beginning.
    """

    class Kind(models.TextChoices):
        # Why operations failed (`operations.models.Failure`).
        ERRORS = "errors", "Errors of operations"
        # What writes are found by (`SearchTerm`).
        SEARCH = "search", "Search"
        # Which writes carried a record (`writes.record_index`).
        RECORDS = "records", "Records"

    kind = models.CharField(max_length=10, choices=Kind, primary_key=True)
    # The highest number of an operation, or of a write, that was not gone through.
    up_to = models.PositiveBigIntegerField(default=LARGEST_ID)

    def __str__(self) -> str:
        return f"{self.get_kind_display()} up to {self.up_to}"

    @classmethod
    def ask(cls, kind: str) -> None:
        """Have all of a kind gone through, from the newest on."""
        cls.objects.update_or_create(kind=kind, defaults={"up_to": LARGEST_ID})

    @classmethod
    def waits_for(cls, kind: str) -> bool:
        """Tell whether something of this kind is still to be gone through."""
        return cls.objects.filter(kind=kind).exists()

    def go_on(self, up_to: int) -> bool:
        """Note that only what is up to `up_to` is left, 0 for nothing.

        Tells whether it was as it had been read: not where another clock was quicker,
        or somebody asked for all of it anew.
        """
        mine = Backlog.objects.filter(kind=self.kind, up_to=self.up_to)
        self.up_to = up_to
        if not up_to:
            return mine.delete()[0] == 1
        return mine.update(up_to=up_to) == 1

    go_on.alters_data = True  # type: ignore[attr-defined]
