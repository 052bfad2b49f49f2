"""Errors are counted by day from the failures of operations, and nowhere else."""

import django.db.models.deletion
from django.db import migrations, models


def count_all_anew(apps, schema_editor):
    """Have the clock count every day: it does where no time zone is noted."""
    apps.get_model("operations", "RollupZone").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [
        ("operations", "0013_search"),
    ]

    operations = [
        migrations.DeleteModel(name="OperationError"),
        migrations.DeleteModel(name="DayError"),
        migrations.CreateModel(
            name="DayError",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("digest", models.CharField(max_length=16)),
                ("code", models.CharField(blank=True, max_length=100)),
                ("message", models.CharField(blank=True, max_length=500)),
                ("fields", models.CharField(blank=True, max_length=200)),
                ("operations", models.PositiveBigIntegerField()),
                ("rows", models.PositiveBigIntegerField()),
                ("project", models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="console.project")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("day", "project", "digest"), name="day_error_once")],
            },
        ),
        migrations.RunPython(count_all_anew, migrations.RunPython.noop),
    ]
