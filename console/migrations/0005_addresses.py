"""An API key goes only where it was given for, and a revoked one has no value."""

from typing import Any

from django.db import migrations, models
from django.db.models import OuterRef, Subquery

import console.fields
import console.validators
from console.migrations._version_0_1_0 import trigger

GIVEN_FOR = ("environment", "write_url", "api_url")


def for_keys(name: str) -> models.Q:
    """Return the condition that an address is https, or of this machine itself."""
    begins = ["https://"]
    for host in ("127.0.0.1", "localhost", "[::1]"):
        begins += [f"http://{host}:", f"http://{host}/"]
    fits = models.Q()
    for begin in begins:
        fits |= models.Q(**{f"{name}__istartswith": begin})
    return fits & ~models.Q(**{f"{name}__contains": "@"})


# A key that was added is given for what its project is, and a revoked one has no value.
_AS_BOUND = """
IF NEW.environment = '' THEN
  SELECT environment, write_url, api_url
    INTO NEW.environment, NEW.write_url, NEW.api_url
    FROM console_project WHERE id = NEW.project_id;
END IF;
IF NEW.revoked_at IS NOT NULL THEN NEW.value := NULL; END IF;
"""


def use_https(apps: Any, schema_editor: Any) -> None:
    """Have plain http give way to https, but on the machine itself."""
    Project = apps.get_model("console", "Project")
    for name in ("write_url", "api_url"):
        for row in Project.objects.exclude(for_keys(name)):
            rest = getattr(row, name).partition("://")[2].rpartition("@")[2]
            Project.objects.filter(pk=row.pk).update(**{name: f"https://{rest}"})


def bind_keys(apps: Any, schema_editor: Any) -> None:
    """Say of each key that it was given for what its project is now."""
    ApiKey = apps.get_model("console", "ApiKey")
    Project = apps.get_model("console", "Project")
    project = Project.objects.filter(pk=OuterRef("project_id"))
    ApiKey.objects.update(**{n: Subquery(project.values(n)[:1]) for n in GIVEN_FOR})
    ApiKey.objects.exclude(revoked_at=None).update(value=None)


class Migration(migrations.Migration):

    dependencies = [
        ("console", "0004_audit_seal"),
    ]

    operations = [
        *(
            migrations.AddField(
                model_name="apikey",
                name=name,
                field=models.CharField(default="", db_default="", editable=False, max_length=length),
            )
            for name, length in (
                ("environment", 20),
                ("write_url", 500),
                ("api_url", 500),
            )
        ),
        migrations.AlterField(
            model_name="apikey",
            name="value",
            field=console.fields.EncryptedField(null=True, verbose_name="Key"),
        ),
        trigger(
            "console_apikey",
            "BEFORE INSERT OR UPDATE",
            "api_key_of_version_0_1_0",
            _AS_BOUND,
        ),
        migrations.RunPython(use_https, migrations.RunPython.noop),
        migrations.RunPython(bind_keys, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="apikey",
            constraint=models.CheckConstraint(
                condition=models.Q(revoked_at=None, value__isnull=False)
                | models.Q(revoked_at__isnull=False, value__isnull=True),
                name="api_key_has_a_value_until_revoked",
            ),
        ),
        migrations.AlterField(
            model_name="group",
            name="group_ref",
            field=models.CharField(
                max_length=200,
                validators=[console.validators.validate_reference],
                verbose_name="groupRef",
            ),
        ),
        *(
            migrations.AddConstraint(
                model_name="project",
                constraint=models.CheckConstraint(
                    condition=for_keys(name),
                    name=f"project_{name}_for_keys",
                    violation_error_message="An address must begin with https://, since "
                    "the API key goes there.",
                ),
            )
            for name in ("write_url", "api_url")
        ),
    ]
