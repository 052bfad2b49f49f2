"""Two filters of the audit that are on together read no event that one leaves out."""

from django.db import migrations
from django.db.models import F, Index
from django.db.models.functions import Upper

NEWEST_FIRST = F("id").desc()
WIDENED = (
    Index(fields=["environment", "-id", "action"], name="audit_by_environment"),
    Index(
        Upper("actor_name"),
        NEWEST_FIRST,
        *("actor_name", "action", "environment"),
        name="audit_by_user",
    ),
    Index(
        Upper("project_name"),
        NEWEST_FIRST,
        *("project_name", "action"),
        name="audit_by_project",
    ),
)


class Migration(migrations.Migration):

    dependencies = [("console", "0023_heartbeat_pulse_seen")]

    operations = [
        operation
        for index in WIDENED
        for operation in (
            migrations.RemoveIndex("auditevent", index.name),
            migrations.AddIndex("auditevent", index),
        )
    ]
