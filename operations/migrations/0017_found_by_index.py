"""What the list is narrowed to has an index that tells the newest first."""

from typing import Any

import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.text
import django.db.models.lookups
from django.db import migrations, models
from django.db.models import Max, OuterRef, Subquery

from console.migrations._version_0_1_0 import trigger

BLOCK = 10_000
# The same of an operation that is added meanwhile.
_AS_COPIED = """
IF NEW.environment = '' THEN
  SELECT environment INTO NEW.environment FROM console_project
    WHERE id = NEW.project_id;
END IF;
"""


def copy_environments(apps: Any, schema_editor: Any) -> None:
    """Copy the environment of its project into every operation.

    In blocks, so that no statement holds more than that.
    """
    Operation = apps.get_model("operations", "Operation")
    Project = apps.get_model("console", "Project")
    project = Project.objects.filter(pk=OuterRef("project_id")).values("environment")
    last = Operation.objects.aggregate(last=Max("pk"))["last"] or 0
    for first in range(1, last + 1, BLOCK):
        Operation.objects.filter(pk__gte=first, pk__lt=first + BLOCK).update(
            environment=Subquery(project[:1])
        )


class Migration(migrations.Migration):

    dependencies = [
        ("console", "0019_api_token"),
        ("operations", "0016_logs_not_stored"),
    ]

    operations = [
        migrations.AddField(
            model_name="operation",
            name="environment",
            field=models.CharField(choices=[("sandbox", "Sandbox"), ("test", "Test"), ("production", "Production")], default="", db_default="", max_length=20),
        ),
        trigger(
            "operations_operation",
            "BEFORE INSERT",
            "operation_of_version_0_1_0",
            _AS_COPIED,
        ),
        migrations.RunPython(copy_environments, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="operation",
            constraint=models.CheckConstraint(condition=models.Q(("environment__in", ["sandbox", "test", "production"])), name="operation_environment_known"),
        ),
        migrations.AlterField(
            model_name="operation",
            name="integration",
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="operations", to="console.integration"),
        ),
        migrations.AddIndex(
            model_name="operation",
            index=models.Index(fields=["environment", "-id"], name="operation_by_environment"),
        ),
        migrations.AddIndex(
            model_name="operation",
            index=models.Index(fields=["integration", "-id"], name="operation_by_integration"),
        ),
        migrations.RemoveIndex(
            model_name='operation',
            name='operation_by_group',
        ),
        migrations.RemoveIndex(
            model_name='operation',
            name='operation_by_object',
        ),
        migrations.RemoveIndex(
            model_name='operation',
            name='operation_by_user',
        ),
        migrations.AddIndex(
            model_name='operation',
            index=models.Index(django.db.models.functions.text.Upper('group_ref'), models.OrderBy(models.F('id'), descending=True), models.F('group_ref'), name='operation_by_group'),
        ),
        migrations.AddIndex(
            model_name='operation',
            index=models.Index(django.db.models.functions.text.Upper('object_name'), models.OrderBy(models.F('id'), descending=True), models.F('object_name'), name='operation_by_object'),
        ),
        migrations.AddIndex(
            model_name='operation',
            index=models.Index(django.db.models.functions.text.Upper('started_by_name'), models.OrderBy(models.F('id'), descending=True), models.F('started_by_name'), name='operation_by_user'),
        ),
        migrations.AddIndex(
            model_name='operation',
            index=models.Index(condition=models.Q(('resolved_at', None), ('state', 'unknown')), fields=['-id'], name='operation_needs_person'),
        ),
        migrations.AddIndex(
            model_name='operation',
            index=models.Index(condition=models.Q(django.db.models.lookups.GreaterThan(models.Case(models.When(models.Q(('state__in', ('rejected', 'not_written'))), then=django.db.models.functions.comparison.Greatest(django.db.models.expressions.CombinedExpression(django.db.models.functions.comparison.Coalesce(models.F('rows_sent'), models.Value(0), output_field=models.BigIntegerField()), '-', django.db.models.functions.comparison.Coalesce(models.F('rows_succeeded'), models.Value(0), output_field=models.BigIntegerField())), django.db.models.functions.comparison.Coalesce(models.F('rows_failed'), models.Value(0), output_field=models.BigIntegerField()), models.Value(0, output_field=models.BigIntegerField()), output_field=models.BigIntegerField())), default=django.db.models.functions.comparison.Coalesce(models.F('rows_failed'), models.Value(0), output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), 0)), fields=['-id'], name='operation_rows_failed'),
        ),
        migrations.AddIndex(
            model_name='operation',
            index=models.Index(condition=models.Q(django.db.models.lookups.GreaterThan(models.Case(models.When(models.Q(('state__in', ('held', 'waiting', 'sending', 'in_progress', 'rejected', 'not_written', 'cancelled'))), then=models.Value(0, output_field=models.BigIntegerField())), default=django.db.models.functions.comparison.Greatest(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.functions.comparison.Coalesce(models.F('rows_sent'), models.Value(0), output_field=models.BigIntegerField()), '-', django.db.models.functions.comparison.Coalesce(models.F('rows_succeeded'), models.Value(0), output_field=models.BigIntegerField())), '-', django.db.models.functions.comparison.Coalesce(models.F('rows_failed'), models.Value(0), output_field=models.BigIntegerField())), models.Value(0, output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), output_field=models.BigIntegerField()), 0)), fields=['-id'], name='operation_rows_unknown'),
        ),
        migrations.AddIndex(
            model_name='operation',
            index=models.Index(fields=['environment', 'state', '-id'], name='operation_by_place_state'),
        ),
    ]
