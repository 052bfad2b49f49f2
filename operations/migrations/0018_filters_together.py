"""Two filters of the list that are on together read no row for what they leave out."""

from django.db import migrations
from django.db.models import F, Index
from django.db.models.functions import Upper

NEWEST_FIRST = F("id").desc()
WIDENED = (
    Index(fields=["state", "-id", "rows_sent"], name="operation_by_state"),
    Index(fields=["project", "-id", "state", "action"], name="operation_by_project"),
    Index(
        fields=["integration", "-id", "state", "action"],
        name="operation_by_integration",
    ),
    Index(
        Upper("group_ref"),
        NEWEST_FIRST,
        *("group_ref", "state", "action", "rows_failed", "environment"),
        name="operation_by_group",
    ),
    Index(
        Upper("object_name"),
        NEWEST_FIRST,
        *("object_name", "state", "action"),
        name="operation_by_object",
    ),
    Index(
        Upper("started_by_name"),
        NEWEST_FIRST,
        *("started_by_name", "state"),
        name="operation_by_user",
    ),
    Index(fields=["source", "-id", "state", "rows_failed"], name="operation_by_source"),
    Index(fields=["action", "-id", "state"], name="operation_by_action"),
)


class Migration(migrations.Migration):

    dependencies = [("operations", "0017_found_by_index")]

    operations = [
        operation
        for index in WIDENED
        for operation in (
            migrations.RemoveIndex("operation", index.name),
            migrations.AddIndex("operation", index),
        )
    ]
