"""How the columns of the files for an object are named."""

from django.db import models
from django.utils import timezone

from console.models import Integration


class SavedMapping(models.Model):
    """What the columns of earlier files were sent as: kept per integration and object.

    `columns` maps a column's name in the file to its name as sent, "" to leave it out.
    """

    integration = models.ForeignKey(
        Integration, on_delete=models.CASCADE, related_name="saved_mappings"
    )
    object_name = models.CharField(max_length=200)
    columns = models.JSONField(default=dict)
    changed_by_name = models.CharField(max_length=150)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["integration", "object_name"], name="saved_mapping_once"
            )
        ]

    def __str__(self) -> str:
        return f"Mapping of {self.object_name}"
