"""What was sent, by a fingerprint of its content: so that nobody sends it unawares."""

from datetime import datetime

from django.db import models
from django.db.models import Exists, OuterRef

from operations.models import Operation
from writes.models.write import Write


class SentContentQuerySet(models.QuerySet["SentContent"]):
    """Questions asked of what was sent."""

    def counting_since(self, since: datetime) -> "SentContentQuerySet":
        """Return what was confirmed after `since` and may have written something.

        A write all of whose operations are known to be without effect does not count.
        The newest comes first.
        """
        with_effect = Operation.objects.filter(
            batch__write=OuterRef("write_id")
        ).exclude(state__in=Operation.WITHOUT_EFFECT)
        found = self.filter(Exists(with_effect), write__confirmed_at__gt=since)
        return found.select_related("write").order_by("-number")


class SentContent(models.Model):
    """That a confirmed write had this content, and the how manieth it was.

    `number` counts 1, 2, 3 … per fingerprint. It is unique, so that of two people who
    confirm the same content at the same moment, in two drafts, only one adds the next.
    """

    fingerprint = models.CharField(max_length=64)
    number = models.PositiveIntegerField()
    write = models.OneToOneField(
        Write, on_delete=models.CASCADE, related_name="sent_content"
    )

    objects = SentContentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["fingerprint", "number"], name="sent_content_number_once"
            )
        ]

    def __str__(self) -> str:
        return f"Content of write {self.write_id}"
