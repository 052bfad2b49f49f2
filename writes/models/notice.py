"""What people and programs outside are told about a write."""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q

from console.models import Webhook
from writes.models.write import Write

# What is older is told to nobody: after a long downtime, or of a restored back-up.
OLDEST = timedelta(days=1)
KEPT = timedelta(days=30)


class NoticeQuerySet(models.QuerySet["Notice"]):
    """Questions asked of notices."""

    def due(self, now: datetime) -> "NoticeQuerySet":
        """Return those to be sent by `now`, the oldest first.

        Those of a webhook that is tried later wait for it.
        """
        open_ = Q(webhook=None) | Q(webhook__try_at=None) | Q(webhook__try_at__lte=now)
        return self.filter(open_, due_at__lte=now).order_by("pk")

    def given_up(self) -> "NoticeQuerySet":
        """Return those that were not taken in time, the newest first."""
        return self.filter(due_at=None, sent_at=None).order_by("-pk")


class Notice(models.Model):
    """One event of a write, to be told to one webhook or one person.

    `number` counts the events of the write, so that each is told once to each. It is
    made in the transaction that notes the event with the write, and sent later by a
    worker; `uid` stays the same where it is sent once more. `counts` are those of the
    rows at that time, by the names of `writes.display.result.Result`.
    """

    class Event(models.TextChoices):
        ENDED = "ended", "Ended"
        UNKNOWN = "unknown", "Outcome unknown"
        DECISION = "decision", "Waits for a decision"
        APPROVAL = "approval", "Waits for approval"
        APPROVED = "approved", "Approved"
        REFUSED = "refused", "Approval refused"
        EXPIRED = "expired", "Approval expired"

    uid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    write = models.ForeignKey(Write, on_delete=models.CASCADE, related_name="notices")
    number = models.PositiveIntegerField()
    event = models.CharField(max_length=10, choices=Event)
    at = models.DateTimeField()
    counts = models.JSONField(default=dict)
    webhook = models.ForeignKey(
        Webhook, null=True, on_delete=models.CASCADE, related_name="notices"
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.CASCADE,
        related_name="notices",
    )
    # None once it was sent or given up.
    due_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=200, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(webhook=None) ^ Q(person=None), name="notice_has_one_target"
            ),
            models.UniqueConstraint(
                fields=["write", "number", "webhook"], name="notice_once_per_webhook"
            ),
            models.UniqueConstraint(
                fields=["write", "number", "person"], name="notice_once_per_person"
            ),
            models.CheckConstraint(
                condition=Q(due_at=None) | Q(sent_at=None), name="notice_sent_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(due_at__isnull=False),
                name="notice_due",
            ),
        ]

    def __str__(self) -> str:
        return f"Notice {self.number} of write {self.write_id}"
