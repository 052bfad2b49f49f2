"""What one HTTP request of a write carries, and which part of a write may go.

One after the other, a part's turn comes when the one before it ended well. In a
parallel write all may go at once, until one does not end well: then what has not left
is held. So it is in both once as many rows failed, over all parts, as the operator set.
A person may let them go past such parts; that is noted on their batches, and their rows
count no more. While a write is paused no part's turn comes.
"""

import json
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, cast

from django.db import models
from django.db.models import Exists, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce

from ampersand import Action, Envelope, Request, RequestInvalid
from files.splitting import Part, part_digest, part_text
from operations.models import Operation
from writes.models.write import Write

State = Operation.State

# After these the next part goes by itself: Ampersand worked on the rows, and what it
# refused is known row by row.
ENDED_WELL = (State.SUCCEEDED, State.PARTLY_FAILED)
# Nothing is decided yet in these; in all others it did not end well.
_OPEN = (*Operation.IN_FLIGHT, State.HELD)

# The address itself is never kept: whoever knows it can fetch the file.
SHOWN_ADDRESS = "(an address made for this request, and not kept)"


def _ended_badly() -> Q:
    return ~Q(operation__state__in=(*_OPEN, *ENDED_WELL))


def _failed_rows() -> Coalesce:
    """Return how many rows failed of the write of a batch, unless they were passed."""
    parts = Batch.objects.filter(write_id=OuterRef("write_id"), is_passed=False)
    by_write = parts.order_by().values("write_id")
    failed = by_write.annotate(failed=Sum("operation__rows_failed")).values("failed")
    return Coalesce(Subquery(failed), 0)


class BatchQuerySet(models.QuerySet["Batch"]):
    """Questions asked of batches."""

    def too_many_failed(self) -> "BatchQuerySet":
        """Return those of writes of which as many rows failed as may."""
        counted = self.filter(write__stop_after__isnull=False)
        return counted.filter(write__stop_after__lte=_failed_rows())

    def due_for_release(self) -> "BatchQuerySet":
        """Return the held ones whose turn has come."""
        others = Batch.objects.filter(write_id=OuterRef("write_id"))
        done = Q(operation__state__in=ENDED_WELL) | (_ended_badly() & Q(is_passed=True))
        before = others.filter(done, number=OuterRef("number") - 1)
        bad = others.filter(_ended_badly(), is_passed=False)
        in_order = Q(write__is_parallel=False) & (Q(number=1) | Q(Exists(before)))
        together = Q(write__is_parallel=True) & ~Q(Exists(bad))
        held = self.filter(operation__state=State.HELD, write__paused_at=None)
        enough = others.too_many_failed()
        return held.filter(in_order | together).exclude(Exists(enough))


class Batch(models.Model):
    """What one HTTP request carries, exactly as it was reviewed.

    The project's settings may change between confirming and sending; this does not.
    The text of a CSV is not repeated here: it is the write's `as_sent` file, or the
    part of it that `part` tells.
    """

    write = models.ForeignKey(Write, on_delete=models.PROTECT, related_name="batches")
    number = models.PositiveIntegerField(default=1)
    operation = models.OneToOneField(
        Operation, on_delete=models.PROTECT, related_name="batch"
    )
    # What the project spoke when it was confirmed: never is it sent to another API.
    generation = models.CharField(max_length=1, default="A", db_default="A")
    method = models.CharField(max_length=10)
    url = models.TextField()
    # JSON text; `recordsCSV` is null where the text of the file goes.
    body = models.TextField()
    masked_key = models.CharField(max_length=20)
    # Rows `first_row` to `last_row` of the file as sent (its header is row 1), which
    # lie at `offset` and are `length` bytes long. None where there is no file.
    first_row = models.PositiveIntegerField(null=True)
    last_row = models.PositiveIntegerField(null=True)
    offset = models.PositiveBigIntegerField(null=True)
    length = models.PositiveBigIntegerField(null=True)
    # SHA-256 of the CSV text that goes into the body or is fetched; "" without one.
    csv_sha256 = models.CharField(max_length=64, blank=True)
    # SHA-256 and length in bytes of the exact body; "" and 0 until a part is sent.
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.PositiveBigIntegerField(default=0)
    # Of a run: how many requests it has, how many are over, and when a worker should
    # turn to it, None when none will by itself. What stopped it, "" while nothing did.
    calls_total = models.PositiveIntegerField(default=0, db_default=0)
    calls_over = models.PositiveIntegerField(default=0, db_default=0)
    calls_due_at = models.DateTimeField(null=True)
    stopped_why = models.CharField(
        max_length=500, blank=True, default="", db_default=""
    )
    # When a person last let it go on: what failed before that stops it no more.
    went_on_at = models.DateTimeField(null=True)
    # Whether a person let other parts go although this one did not end well.
    is_passed = models.BooleanField(default=False)
    # What the S3 store calls its text, while it is there.
    store_name = models.CharField(max_length=100, blank=True)
    # Whether its operation will tell nothing new, and its rows know how they fared.
    is_settled = models.BooleanField(default=True)

    objects = BatchQuerySet.as_manager()

    class Meta:
        ordering = ["write_id", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["write", "number"], name="batch_number_once_per_write"
            )
        ]
        indexes = [
            # The clock: which run goes on?
            models.Index(
                fields=["calls_due_at"],
                condition=models.Q(calls_due_at__isnull=False),
                name="batch_calls_due",
            ),
            # The clock: whose rows are to be joined?
            models.Index(
                fields=["is_settled"],
                condition=models.Q(is_settled=False),
                name="batch_unsettled",
            ),
        ]

    def __str__(self) -> str:
        return f"Batch {self.number} of write {self.write_id}"

    @property
    def part(self) -> Part | None:
        """Which part of the write's file it carries, None where it has no file."""
        if self.first_row is None:
            return None
        return Part(**{each.name: getattr(self, each.name) for each in fields(Part)})

    def csv(self) -> bytes:
        """Return the exact text of its CSV. Raises `FileNotFoundError`."""
        return part_text(self.write.path_of("as_sent"), cast(Part, self.part))

    @property
    def is_shared(self) -> bool:
        """Whether Ampersand fetches its text from an address that we make."""
        body = json.loads(self.body)
        return "recordsURL" in body and body["recordsURL"] is None

    def envelopes(self) -> dict[str, Envelope]:
        """Return what stands around the records of each request of a run, by type."""
        around = json.loads(self.body)
        if "before" in around:
            # As it was kept before a run could have two types.
            around = {self.write.action: around}
        return {
            type_: Envelope(action=cast(Action, type_), url=self.url, **each)
            for type_, each in around.items()
        }

    def request(self, *, url: str = "") -> Request:
        """Return the request as it was reviewed, with its text or with its address.

        Raises `FileNotFoundError` if the stored file or the values are gone.
        """
        self.write.need_content()
        body = json.loads(self.body)
        if self.is_shared:
            body["recordsURL"] = url or SHOWN_ADDRESS
        if "recordsCSV" in body:
            body["recordsCSV"] = self.csv().decode()
        return self._request(body)

    def need_same_generation(self) -> None:
        """Raise `RequestInvalid` where the project speaks another API by now."""
        project = self.write.project
        if project.generation != self.generation:
            raise RequestInvalid(
                "Nothing was sent: this write was made for another API than "
                f"{project.name} uses now ({project.get_generation_display()}). Create "
                "it again."
            )

    def need_same_text(self) -> None:
        """Raise `RequestInvalid` unless the text of a CSV is what was confirmed."""
        if not self.csv_sha256:
            return
        path, part = self.write.path_of("as_sent"), cast(Part, self.part)
        if part_digest(path, part) != self.csv_sha256:
            raise RequestInvalid("The stored file is not the one that was confirmed.")

    def request_shown(self) -> Request:
        """Return the request with a few words in place of a long CSV."""
        if self.write.is_run:
            envelope = next(iter(self.envelopes().values()))
            record = "null" if envelope.is_single else ""
            return self._request(json.loads(envelope.before + record + envelope.after))
        body = json.loads(self.body)
        if self.is_shared:
            body["recordsURL"] = SHOWN_ADDRESS
        if "recordsCSV" in body:
            body["recordsCSV"] = self.csv_in_words()
        return self._request(body)

    def csv_in_words(self) -> str:
        """Stand in for the text of the CSV where it would be too long to show."""
        rows = f"rows {self.first_row:,} to {self.last_row:,} of the file as sent"
        return f"({rows}, with its header; SHA-256 {self.csv_sha256})"

    def _request(self, body: dict[str, Any]) -> Request:
        return Request(
            action=cast(Action, self.write.action),
            method=self.method,
            url=self.url,
            body=body,
            masked_key=self.masked_key,
        )


def paused_condition() -> Q:
    """Return the condition that the write of an operation is paused."""
    paused = Batch.objects.filter(write__paused_at__isnull=False)
    return Q(Exists(paused.filter(operation=OuterRef("pk"))))


def stopped_condition() -> Q:
    """Return the condition that other parts stopped the write of an operation."""
    bad = Batch.objects.filter(
        _ended_badly(), write_id=OuterRef("write_id"), is_passed=False
    )
    stopped = Batch.objects.filter(Q(Exists(bad)), write__is_parallel=True)
    return (
        Q(Exists(stopped.filter(operation=OuterRef("pk"))))
        | too_many_failed_condition()
    )


def too_many_failed_condition() -> Q:
    """Return the condition that as many rows failed of its write as may."""
    enough = Batch.objects.too_many_failed()
    return Q(Exists(enough.filter(operation=OuterRef("pk"))))


def failed_rows(batches: Sequence[Batch]) -> int:
    """Return how many rows failed that count towards the number that stops a write."""
    return sum(b.operation.rows_failed or 0 for b in batches if not b.is_passed)


def has_failed_enough(write: Write, batches: Sequence[Batch]) -> bool:
    """Tell whether so many rows failed that no further part goes by itself."""
    return write.stop_after is not None and failed_rows(batches) >= write.stop_after


def stopped_at(write: Write, batches: Sequence[Batch]) -> list[Batch]:
    """Return the parts whose end holds others back; none if they go by themselves.

    `batches` are those of `write` in their order, with their operations.
    """
    if all(batch.operation.state != State.HELD for batch in batches):
        return []
    if has_failed_enough(write, batches):
        return [
            batch
            for batch in batches
            if _is_in_the_way(batch)
            or (batch.operation.rows_failed and not batch.is_passed)
        ]
    if write.is_parallel:
        return [batch for batch in batches if _is_in_the_way(batch)]
    last: list[Batch] = []
    for batch in batches:
        if batch.operation.state == State.HELD:
            break
        if batch.operation.is_in_flight:
            # Also where a later one was cancelled by hand: they go one by one.
            return []
        last = [batch]
    return [batch for batch in last if _is_in_the_way(batch)]


def _is_in_the_way(batch: Batch) -> bool:
    state = batch.operation.state
    return not batch.is_passed and state not in (*_OPEN, *ENDED_WELL)


def goes_on(write: Write, batches: Sequence[Batch]) -> bool:
    """Tell whether held parts will be let go without anybody doing anything."""
    if write.paused_at is not None:
        return False
    is_held = any(batch.operation.state == State.HELD for batch in batches)
    return is_held and not stopped_at(write, batches)
