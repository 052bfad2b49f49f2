"""Note of the operations of the last weeks since when their log is not stored."""

from datetime import timedelta

from django.db import migrations
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

# What is older is deleted by Ampersand, as far as anybody knows.
LATELY = timedelta(days=30)


def note(apps, schema_editor):
    operations = apps.get_model("operations", "Operation").objects
    known = operations.filter(
        ~Q(remote_id=""), kind="request", created_at__gt=timezone.now() - LATELY
    )
    ended = Q(state__in=("succeeded", "partly_failed", "failed", "completed"))
    never = ended & Q(log_digest="") & Q(log_entries=None)
    since = Coalesce(F("asked_at"), F("answered_at"), F("created_at"))
    known.filter(state="in_progress").update(log_since=since)
    known.filter(ended, due_at__isnull=False).update(log_since=since)
    pks = list(known.filter(never).values_list("pk", flat=True))
    for first in range(0, len(pks), 500):
        some = operations.filter(pk__in=pks[first : first + 500])
        some.update(log_since=Coalesce(F("answered_at"), F("created_at")))


class Migration(migrations.Migration):
    dependencies = [("operations", "0015_ends_of_values")]
    operations = [migrations.RunPython(note, migrations.RunPython.noop)]
