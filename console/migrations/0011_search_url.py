"""Where records are looked up; an API key goes there if it was given for it."""

from typing import Any

from django.db import migrations, models
from django.db.models import OuterRef, Q, Subquery

import console.validators

DEFAULT = "https://search.withampersand.com/v1"


def for_keys() -> Q:
    """Return the condition that an address is https, or of this machine itself."""
    begins = ["https://"]
    for host in ("127.0.0.1", "localhost", "[::1]"):
        begins += [f"http://{host}:", f"http://{host}/"]
    fits = Q()
    for begin in begins:
        fits |= Q(search_url__istartswith=begin)
    return (fits & ~Q(search_url__contains="@")) | Q(search_url="")


def keep_keys_where_they_were(apps: Any, schema_editor: Any) -> None:
    """Let no key go to Ampersand that was given for another host."""
    Project = apps.get_model("console", "Project")
    ApiKey = apps.get_model("console", "ApiKey")
    own = Q(write_url__startswith="https://write.withampersand.com/")
    Project.objects.exclude(own).update(search_url="")
    project = Project.objects.filter(pk=OuterRef("project_id"))
    ApiKey.objects.update(search_url=Subquery(project.values("search_url")[:1]))


class Migration(migrations.Migration):

    dependencies = [
        ("console", "0010_generation_b"),
    ]

    operations = [
        migrations.AddField(
            model_name="project",
            name="search_url",
            field=models.CharField(
                blank=True,
                default=DEFAULT, db_default=DEFAULT,
                help_text="Of today's API alone: where records are looked up by a key.",
                max_length=500,
                validators=[console.validators.validate_base_url],
                verbose_name="Search address",
            ),
        ),
        migrations.AddField(
            model_name="apikey",
            name="search_url",
            field=models.CharField(
                blank=True, default="", db_default="", editable=False, max_length=500
            ),
        ),
        migrations.RunPython(keep_keys_where_they_were, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="project",
            constraint=models.CheckConstraint(
                condition=for_keys(),
                name="project_search_url_for_keys",
                violation_error_message="An address must begin with https://, since "
                "the API key goes there.",
            ),
        ),
    ]
