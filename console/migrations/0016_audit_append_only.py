"""The audit trail is only added to, and found by whatever people look for.

A table that SQLite copies for a later change of its columns loses its triggers: such a
migration ends with `install` once more. A test looks whether they are there.
"""

import console.models.audit_event
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

from console import audit_guard


def install(apps, schema_editor):
    audit_guard.install(schema_editor.connection)


def remove(apps, schema_editor):
    audit_guard.remove(schema_editor.connection)


class Migration(migrations.Migration):

    dependencies = [
        ('console', '0015_notices'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(fields=['environment', '-id'], name='audit_by_environment'),
        ),
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(fields=['address', '-id'], name='audit_by_address'),
        ),
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(fields=['-at', '-id'], name='audit_by_time'),
        ),
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(django.db.models.functions.text.Upper('actor_name'), models.OrderBy(models.F('id'), descending=True), name='audit_by_user'),
        ),
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(django.db.models.functions.text.Upper('project_name'), models.OrderBy(models.F('id'), descending=True), name='audit_by_project'),
        ),
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(fields=['correlation_id'], name='audit_by_request'),
        ),
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(fields=['subject_url'], name='audit_by_page'),
        ),
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(console.models.audit_event.NumberInDetail('detail', name='write'), name='audit_by_write'),
        ),
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(console.models.audit_event.NumberInDetail('detail', name='operation'), name='audit_by_operation'),
        ),
        migrations.RunPython(install, remove),
    ]
