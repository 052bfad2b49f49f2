"""Outcomes that somebody decided are not read to count those that nobody did.

SQLite took the index of states for it. The index of a foreign key that another index
begins with goes: SQLite took it where the other reads no row.
"""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("operations", "0018_filters_together")]

    operations = [
        migrations.AlterField(
            model_name="operation",
            name="project",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="operations",
                to="console.project",
            ),
        ),
        migrations.AddIndex(
            model_name="operation",
            index=models.Index(
                condition=models.Q(("resolved_at", None), ("state", "unknown")),
                fields=["state", "-id", "environment", "sent_at"],
                name="operation_undecided",
            ),
        ),
    ]
