"""What older writes and operations still have to be counted and indexed by."""

from django.db import migrations, models


def ask(apps, schema_editor):
    """Have the clock go through all that there is; of nothing, nothing is left."""
    Backlog = apps.get_model("writes", "Backlog")
    confirmed = apps.get_model("writes", "Write").objects.filter(state="confirmed")
    if apps.get_model("operations", "Operation").objects.exists():
        Backlog.objects.create(kind="errors")
    if confirmed.exists():
        Backlog.objects.create(kind="search")
        Backlog.objects.create(kind="records")


class Migration(migrations.Migration):
    dependencies = [
        ("operations", "0014_one_failure"),
        ("writes", "0023_search"),
    ]

    operations = [
        migrations.CreateModel(
            name="Backlog",
            fields=[
                ("kind", models.CharField(choices=[("errors", "Errors of operations"), ("search", "Search"), ("records", "Records")], max_length=10, primary_key=True, serialize=False)),
                ("up_to", models.PositiveBigIntegerField(default=9223372036854775807)),
            ],
        ),
        migrations.AlterField(
            model_name="filejob",
            name="kind",
            field=models.CharField(choices=[("check", "Checking"), ("join", "Matching rows to results"), ("index", "Indexing the records")], max_length=10),
        ),
        migrations.RunPython(ask, migrations.RunPython.noop),
    ]
