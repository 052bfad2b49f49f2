"""What one HTTP request of a write carries."""

import json
from typing import Any, cast

from django.db import models

from ampersand import Action, Request
from files.splitting import Part, part_text
from operations.models import Operation
from writes.models.write import Write

# The address itself is never kept: whoever knows it can fetch the file.
SHOWN_ADDRESS = "(an address made for this request, and not kept)"


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
    # Whether a person let other parts go although this one did not end well.
    is_passed = models.BooleanField(default=False)
    # What the S3 store calls its text, while it is there.
    store_name = models.CharField(max_length=100, blank=True)
    # Whether its operation will tell nothing new, and its rows know how they fared.
    is_settled = models.BooleanField(default=True)

    class Meta:
        ordering = ["write_id", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["write", "number"], name="batch_number_once_per_write"
            )
        ]
        indexes = [
            # The clock: whose rows are to be joined?
            models.Index(
                fields=["is_settled"],
                condition=models.Q(is_settled=False),
                name="batch_unsettled",
            )
        ]

    def __str__(self) -> str:
        return f"Batch {self.number} of write {self.write_id}"

    @property
    def part(self) -> Part | None:
        """Which part of the write's file it carries, None where it has no file."""
        if self.first_row is None:
            return None
        return Part(
            number=self.number,
            first_row=self.first_row,
            last_row=cast(int, self.last_row),
            offset=cast(int, self.offset),
            length=cast(int, self.length),
        )

    def csv(self) -> bytes:
        """Return the exact text of its CSV. Raises `FileNotFoundError`."""
        part, path = self.part, self.write.path_of("as_sent")
        return part_text(path, part) if part else path.read_bytes()

    @property
    def is_shared(self) -> bool:
        """Whether Ampersand fetches its text from an address that we make."""
        body = json.loads(self.body)
        return "recordsURL" in body and body["recordsURL"] is None

    def request(self, *, url: str = "") -> Request:
        """Return the request as it was reviewed, with its text or with its address.

        Raises `FileNotFoundError` if the stored file is gone.
        """
        body = json.loads(self.body)
        if self.is_shared:
            body["recordsURL"] = url or SHOWN_ADDRESS
        if "recordsCSV" in body:
            body["recordsCSV"] = self.csv().decode()
        return self._request(body)

    def request_shown(self) -> Request:
        """Return the request with a few words in place of a long CSV."""
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
