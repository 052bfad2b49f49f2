"""A heartbeat for each process; those of before are worth nothing a minute later."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("console", "0008_pace")]

    operations = [
        migrations.DeleteModel(name="Heartbeat"),
        migrations.CreateModel(
            name="Heartbeat",
            fields=[
                ("process", models.CharField(max_length=150, primary_key=True, serialize=False)),
                ("host", models.CharField(max_length=255)),
                ("queue", models.CharField(blank=True, max_length=32)),
                ("seen_at", models.DateTimeField()),
            ],
        ),
    ]
