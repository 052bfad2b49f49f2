"""How a person wants the list of operations to look."""

from typing import cast

from django.conf import settings
from django.db import models

from console.access.roles import Person


class Column(models.TextChoices):
    """What can be shown of an operation beside its time, its state and what it is."""

    CUSTOMER = "customer", "Customer"
    PROJECT = "project", "Project"
    USER = "user", "User"
    SOURCE = "source", "Source"
    WRITE = "write", "Write"
    REASON = "reason", "Reason or ticket"
    RECORD = "record", "Record id"
    REMOTE = "remote", "Operation id in Ampersand"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    ROWS = "rows", "Rows"
    DURATION = "duration", "Duration"
    ID = "id", "Id"


USUAL = (
    Column.CUSTOMER,
    Column.PROJECT,
    Column.USER,
    Column.SUCCEEDED,
    Column.FAILED,
    Column.ROWS,
    Column.DURATION,
    Column.ID,
)


def usual_columns() -> list[str]:
    """Return the columns that are shown until somebody chooses others."""
    return [column.value for column in USUAL]


class ListSettings(models.Model):
    """The columns that a person chose, and how times are written for them."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="list_settings",
    )
    # Values of `Column`.
    columns = models.JSONField(default=usual_columns)
    # Whether times are told as how long ago that was.
    shows_ago = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"List settings of {self.user_id}"

    @classmethod
    def of(cls, user: Person) -> "ListSettings":
        """Return those of `user`: the usual ones, unsaved, until they choose."""
        found = cls.objects.filter(user_id=user.pk).first()
        return found or cls(user_id=cast(int, user.pk))
