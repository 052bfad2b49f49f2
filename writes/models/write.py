"""What an operator asks to have written: Write 1-N Batch, Batch 1-1 Operation."""

import json
import uuid
from typing import Any, cast

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from ampersand import Action, Request
from console.models import Integration, Project
from console.roles import Role, role_of
from operations.models import Operation


def _stored_path(write: "Write", kind: str) -> str:
    return f"writes/{timezone.now():%Y/%m}/{uuid.uuid4().hex}.{kind}.csv"


def original_path(write: "Write", file_name: str) -> str:
    """Where an upload is kept. Never under its own name: that is the sender's text."""
    return _stored_path(write, "original")


def as_sent_path(write: "Write", file_name: str) -> str:
    """Where the exact text that will be sent is kept."""
    return _stored_path(write, "as-sent")


class WriteQuerySet(models.QuerySet["Write"]):
    """Questions asked of writes."""

    def drafts(self) -> "WriteQuerySet":
        """Return those that were reviewed and not sent, newest first."""
        return self.filter(state=Write.State.DRAFT).order_by("-pk")

    def visible_to(self, user: Any) -> "WriteQuerySet":
        """Return what `user` may see: what was confirmed, and their own."""
        if role_of(user) >= Role.ADMIN:
            return self
        return self.filter(Q(state=Write.State.CONFIRMED) | Q(started_by=user))


class Write(models.Model):
    """What an operator asked for: a record, a CSV or an address, and where it goes.

    A draft is what is being reviewed. Confirming it is one conditional UPDATE, so that
    of two clicks, tabs or people only one sends.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        CONFIRMED = "confirmed", "Confirmed"
        DISCARDED = "discarded", "Discarded"

    class Source(models.TextChoices):
        RECORD = "record", "Record"
        CSV = "csv", "CSV file"
        URL = "url", "URL"

    class Action(models.TextChoices):
        CREATE = "create", "Create"
        UPDATE = "update", "Update"
        UPSERT = "upsert", "Upsert"

    # Made when the form is shown: the same form posted twice is the same write.
    token = models.UUIDField(unique=True, default=uuid.uuid4)
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    source = models.CharField(max_length=10, choices=Source)
    action = models.CharField(max_length=10, choices=Action)
    integration = models.ForeignKey(
        Integration, on_delete=models.PROTECT, related_name="writes"
    )
    object_name = models.CharField(max_length=200)
    group_ref = models.CharField(max_length=200)
    group_name = models.CharField(max_length=100, blank=True)

    # Source record.
    record_id = models.CharField(max_length=100, blank=True)
    # JSON text, since a JSON column would forget the order of the fields.
    record = models.TextField(default="{}", blank=True)
    # Sources csv and url.
    primary_key = models.CharField(max_length=200, blank=True)
    url = models.TextField(blank=True)
    file_name = models.CharField(max_length=255, blank=True)
    original = models.FileField(upload_to=original_path, blank=True)
    as_sent = models.FileField(upload_to=as_sent_path, blank=True)
    # What checking the file found: the shape is `writes.files.Check.as_json()`.
    check_report = models.JSONField(default=dict, blank=True)
    row_count = models.PositiveIntegerField(null=True)

    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="writes",
    )
    started_by_name = models.CharField(max_length=150)
    # The write whose content this one took over by "Send again".
    again_of = models.ForeignKey(
        "self", null=True, on_delete=models.SET_NULL, related_name="sent_again_as"
    )
    created_at = models.DateTimeField(default=timezone.now)
    confirmed_at = models.DateTimeField(null=True)

    objects = WriteQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["draft", "confirmed", "discarded"]),
                name="write_state_known",
            ),
            models.CheckConstraint(
                condition=Q(source="record", action__in=["create", "update"])
                | Q(source__in=["csv", "url"], action="upsert"),
                name="write_action_fits_source",
            ),
            models.CheckConstraint(
                condition=~Q(action="update") | ~Q(record_id=""),
                name="write_update_names_record",
            ),
            models.CheckConstraint(
                condition=~Q(action="upsert") | ~Q(primary_key=""),
                name="write_upsert_has_key",
            ),
            models.CheckConstraint(
                condition=~Q(state="confirmed") | Q(confirmed_at__isnull=False),
                name="write_confirmed_has_time",
            ),
        ]
        indexes = [
            # Home: which drafts are mine? Not partial: SQLite does not see that a
            # bound value fits the condition.
            models.Index(fields=["started_by", "state", "-id"], name="write_drafts"),
        ]

    def __str__(self) -> str:
        return f"Write {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("writes:detail", args=[self.pk])

    @property
    def is_draft(self) -> bool:
        """Whether it may still be sent or changed."""
        return self.state == self.State.DRAFT

    @property
    def project(self) -> Project:
        """The project that the integration belongs to."""
        return self.integration.project

    @property
    def group_label(self) -> str:
        """The customer in words, with the groupRef that Ampersand knows."""
        if self.group_name:
            return f"{self.group_name} ({self.group_ref})"
        return self.group_ref

    @property
    def count_label(self) -> str:
        """How many records of which object, as "3,000 opportunity records"."""
        if self.source == self.Source.RECORD:
            return f"1 {self.object_name} record"
        if self.row_count is None:
            return f"{self.object_name} records from a URL"
        noun = "record" if self.row_count == 1 else "records"
        return f"{self.row_count:,} {self.object_name} {noun}"

    def record_fields(self) -> dict[str, Any]:
        """Return the record to write, field by field, in the order typed."""
        fields: dict[str, Any] = json.loads(self.record)
        return fields

    def csv_text(self) -> str:
        """Return the exact text of the CSV that is sent."""
        with self.as_sent.open("rb") as file:
            text: str = file.read().decode()
        return text

    def csv_in_words(self) -> str:
        """Stand in for the text of the CSV where it would be too long to show."""
        size, digest = (
            self.check_report["as_sent_size"],
            self.check_report["as_sent_sha256"],
        )
        return f"(the file as sent: {size:,} bytes, SHA-256 {digest})"

    def change(self, *, only_from: str, **values: Any) -> bool:
        """Set `values` if the state is still `only_from`; tell whether it was."""
        rows = Write.objects.filter(pk=self.pk, state=only_from)
        changed = rows.update(**values) == 1
        self.refresh_from_db()
        return changed

    change.alters_data = True  # type: ignore[attr-defined]


class Batch(models.Model):
    """What one HTTP request carries, exactly as it was reviewed.

    The project's settings may change between confirming and sending; this does not.
    The text of a CSV is not repeated here: it is the write's `as_sent` file.
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
    # SHA-256 and length in bytes of the exact body.
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()

    class Meta:
        ordering = ["write_id", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["write", "number"], name="batch_number_once_per_write"
            )
        ]

    def __str__(self) -> str:
        return f"Batch {self.number} of write {self.write_id}"

    def request(self) -> Request:
        """Return the request as it was reviewed, with the text of its CSV.

        Raises `FileNotFoundError` if the stored file is gone.
        """
        body = json.loads(self.body)
        if "recordsCSV" in body:
            body["recordsCSV"] = self.write.csv_text()
        return self._request(body)

    def request_shown(self) -> Request:
        """Return the request with a few words in place of a long CSV."""
        body = json.loads(self.body)
        if "recordsCSV" in body:
            body["recordsCSV"] = self.write.csv_in_words()
        return self._request(body)

    def _request(self, body: dict[str, Any]) -> Request:
        return Request(
            action=cast(Action, self.write.action),
            method=self.method,
            url=self.url,
            body=body,
            masked_key=self.masked_key,
        )
