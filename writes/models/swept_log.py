"""What is told of a log after its time."""

from django.db import models

from operations.models import Operation


class SweptLog(models.Model):
    """The log of an operation whose entries were deleted: how many, and their digest.

    `sha256` is that of the lines of this operation in `logs.ndjson` of an evidence
    pack, so that a pack that was made before can be compared.
    """

    operation = models.OneToOneField(
        Operation, on_delete=models.CASCADE, related_name="swept_log"
    )
    entries = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    swept_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Log of {self.operation}"
