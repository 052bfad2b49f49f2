"""The three roles, as groups of Django's."""

from django.db import migrations

NAMES = ("viewer", "operator", "admin")


def create_roles(apps, schema_editor):
    """Create what is missing; a group somebody made before keeps its members."""
    group = apps.get_model("auth", "Group")
    for name in NAMES:
        group.objects.using(schema_editor.connection.alias).get_or_create(name=name)


class Migration(migrations.Migration):
    dependencies = [
        ("console", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [migrations.RunPython(create_roles, migrations.RunPython.noop)]
