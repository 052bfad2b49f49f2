"""A file that came before anybody said where it goes."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone


class KeptFile(models.Model):
    """A file that waits for its destination: of one person, and for a day.

    `columns` is its header as a first look told it, [] where that tells nothing, as of
    a workbook.
    """

    token = models.UUIDField(primary_key=True, default=uuid.uuid4)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="kept_files"
    )
    file = models.FileField()
    file_name = models.CharField(max_length=255)
    size = models.PositiveBigIntegerField()
    columns = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.file_name
