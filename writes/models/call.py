"""One HTTP request of a run: some rows of a file, sent at most once.

A run is a write of many requests (`Operation.kind`): its rows are created, updated or
deleted a hundred at a time. Its calls are light, since there may be 100,000 of them.

    planned ──claim──▶ sending ──┬─▶ answered
       ▲  │                      ├─▶ accepted ──▶ answered, unknown  its operation ends
       │  └─▶ cancelled          └─▶ unknown ──▶ answered, accepted  late, or a person
       └──── nothing left, or: come later (cancelled where the rest was)
"""

import json
import zlib
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from django.db import connections, models
from django.db.models import Case, F, Q, Sum, When
from django.db.models.functions import Coalesce

from files.records_json.cutting import Piece
from writes.models.batch import Batch

# With these Ampersand or the SaaS refuses what a request carries, and not its sender.
ABOUT_ROWS = (200, 400, 422)


class CallQuerySet(models.QuerySet["Call"]):
    """Questions asked of calls."""

    def rows(self) -> int:
        """Return how many rows they carry together."""
        each = F("last_row") - F("first_row") + 1
        total: int = self.aggregate(rows=Coalesce(Sum(each), 0))["rows"]
        return total

    def plan(self, batch: Batch, found: Iterable[Piece]) -> None:
        """Add the requests that a run is cut into, none of which has left.

        By one statement, since a run may have 100,000: to make an object of each takes
        ten times as long.
        """
        fresh = Call(batch=batch)
        names = [field.name for field in fields(Piece)]
        rest = {
            str(field.column): getattr(fresh, field.attname)
            for field in Call._meta.concrete_fields
            if not (field.primary_key or field.generated or field.name in names)
        }
        connection = connections[self.db]
        columns = ", ".join(map(connection.ops.quote_name, [*names, *rest]))
        marks = ", ".join(["%s"] * (len(names) + len(rest)))
        table = connection.ops.quote_name(Call._meta.db_table)
        same = tuple(rest.values())
        rows = [(*_columns_of(piece), *same) for piece in found]
        with connection.cursor() as cursor:
            # Nothing that anybody typed is part of the statement.
            insert = f"INSERT INTO {table} ({columns}) VALUES ({marks})"  # nosec B608 # noqa: S608 - names of our own columns
            cursor.executemany(insert, rows)

    def unverified(self) -> int:
        """Return how many rows were written by ids that nobody is sure of."""
        doubtful = self.filter(turn=1, trust=Call.Trust.UNVERIFIED)
        total: int = doubtful.aggregate(rows=Coalesce(Sum("succeeded"), 0))["rows"]
        return total

    def undecided(self) -> "CallQuerySet":
        """Return those of which nobody knows what became of them."""
        return self.filter(state=Call.State.UNKNOWN)

    def accepted(self) -> "CallQuerySet":
        """Return those that Ampersand took and works on: their operations are asked."""
        return self.filter(state=Call.State.ACCEPTED)


class Call(models.Model):
    """One request of a run: which rows it carries, and what became of it.

    `first_row` to `last_row` are rows of the file as sent (its header is row 1), which
    lie at `offset` and are `length` bytes long. `outcome` is what became of each row,
    compressed: see `rows_told`. `trust` says how that is known: by position, with or
    without the ids of new records, by their ids, by the counts, by a person, or not.
    With "sums" it is known how many succeeded and failed, and of no row which.
    """

    class State(models.IntegerChoices):
        PLANNED = 1, "Not sent yet"
        SENDING = 2, "Sending"
        ANSWERED = 3, "Answered"
        UNKNOWN = 4, "Outcome unknown"
        CANCELLED = 5, "Cancelled"
        ACCEPTED = 6, "Accepted"

    class Trust(models.TextChoices):
        POSITION = "position", "Row by row"
        UNVERIFIED = "unverified", "Row by row; ids of new records are not verified"
        IDS = "ids", "By record id"
        COUNTS = "counts", "By counts"
        SUMS = "sums", "Counts only, not which rows"
        PERSON = "person", "By a user"
        NONE = "", "Unknown"

    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="calls")
    number = models.PositiveIntegerField()
    # What is done with its records, "" for what the write says.
    type = models.CharField(max_length=10, blank=True)
    first_row = models.PositiveIntegerField()
    last_row = models.PositiveIntegerField()
    offset = models.PositiveBigIntegerField()
    length = models.PositiveBigIntegerField()
    # SHA-256 and length of the exact body.
    sha256 = models.BinaryField(max_length=32)
    size = models.PositiveIntegerField()
    state = models.PositiveSmallIntegerField(choices=State, default=State.PLANNED)
    attempts = models.PositiveSmallIntegerField(default=0)
    # Of a planned one not before then; of one being sent its worker is gone after it;
    # an accepted one is asked about then.
    due_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    http_status = models.PositiveSmallIntegerField(null=True)
    remote_id = models.CharField(max_length=64, blank=True)
    succeeded = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    trust = models.CharField(max_length=10, choices=Trust, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    outcome = models.BinaryField(null=True)
    # In which order a person should look at them: what is unknown comes first, then
    # what is being sent or did not succeed in full.
    turn = models.GeneratedField(
        expression=Case(
            When(state=4, then=0),
            When(Q(state=2) | Q(failed__gt=0), then=1),
            # All was written, and yet there is something to say of it.
            When(Q(state=3) & ~Q(reason=""), then=1),
            default=2,
        ),
        output_field=models.PositiveSmallIntegerField(),
        db_persist=True,
    )
    # The beginning of an answer that was no full success, compressed.
    answer = models.BinaryField(null=True)

    objects = CallQuerySet.as_manager()

    class Meta:
        ordering = ["batch_id", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "number"], name="call_number_once_per_batch"
            ),
            models.UniqueConstraint(
                # In this order it tells, too, whose operation Ampersand names.
                fields=["remote_id", "batch"],
                condition=~Q(remote_id=""),
                name="call_remote_id_once",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[1, 2, 3, 4, 5, 6]), name="call_state_known"
            ),
            # What was accepted can be asked about, and is.
            models.CheckConstraint(
                condition=~Q(state=6)
                | Q(due_at__isnull=False, sent_at__isnull=False) & ~Q(remote_id=""),
                name="call_accepted_is_watched",
            ),
            # What is being sent is called unknown once its worker is gone.
            models.CheckConstraint(
                condition=~Q(state=2) | Q(due_at__isnull=False, sent_at__isnull=False),
                name="call_sending_is_due",
            ),
            models.CheckConstraint(
                condition=Q(last_row__gte=F("first_row")), name="call_has_rows"
            ),
        ]
        indexes = [
            models.Index(fields=["batch", "state", "number"], name="call_by_state"),
            models.Index(fields=["batch", "turn", "number"], name="call_by_turn"),
            models.Index(
                fields=["due_at"],
                condition=Q(due_at__isnull=False),
                name="call_due",
            ),
        ]

    def __str__(self) -> str:
        return f"Request {self.number} of {self.batch}"

    @property
    def action(self) -> str:
        """What is done with its records."""
        return self.type or self.batch.write.action

    @property
    def row_count(self) -> int:
        """How many rows it carries."""
        return self.last_row - self.first_row + 1

    @property
    def is_told(self) -> bool:
        """Whether an answer or a person told what became of its rows."""
        return self.state == self.State.ANSWERED or bool(self.succeeded or self.failed)

    @property
    def unknown(self) -> int:
        """How many of its rows are neither known as written nor as failed."""
        return self.row_count - self.succeeded - self.failed

    @property
    def has_hidden_fault(self) -> bool:
        """Whether all of its rows failed for a reason that names none of them.

        Nothing of it was written then, and one row may be at fault for all.
        """
        return (
            self.state == self.State.ANSWERED
            and self.trust == self.Trust.COUNTS
            and self.http_status in ABOUT_ROWS
            and self.failed == self.row_count > 1
        )

    def rows_told(self) -> list[list[Any]]:
        """Return for each row its state, record id and reason; [] where none is known.

        States are "succeeded", "failed" and "unknown".
        """
        if self.outcome is None:
            return []
        rows: list[list[Any]] = json.loads(zlib.decompress(self.outcome))
        return rows

    def answer_text(self) -> str:
        """Return the answer as it was kept, "" where none was."""
        return zlib.decompress(self.answer).decode() if self.answer else ""


def _columns_of(piece: Piece) -> tuple[Any, ...]:
    return (
        piece.number,
        piece.type,
        piece.first_row,
        piece.last_row,
        piece.offset,
        piece.length,
        piece.size,
        bytes.fromhex(piece.sha256),
    )


def packed(text: str) -> bytes:
    """Return a text as the compressed columns keep it."""
    return zlib.compress(text.encode(errors="replace"))
