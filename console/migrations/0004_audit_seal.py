"""Seal the audit trail with a key; what was chained without one is sealed anew.

The chain as it was is walked first. Whether it held is kept as an event of its own, for
from then on the seals say that nothing changed since, and nothing about before.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.utils import timezone

from console.audit_seal import sign, unsealed_hash_of

CHUNK = 500


def seal_anew(apps, schema_editor):
    """Seal every row behind the one before it, then say so."""
    AuditEvent = apps.get_model('console', 'AuditEvent')
    previous, previous_unkeyed = '', ''
    count, first_broken, last_pk = 0, None, 0
    while rows := list(AuditEvent.objects.filter(pk__gt=last_pk).order_by('pk')[:CHUNK]):
        for row in rows:
            held = (row.previous_hash, row.hash) == (previous_unkeyed, unsealed_hash_of(row))
            if not held and first_broken is None:
                first_broken = row.pk
            previous_unkeyed = row.hash
            sign(row, previous)
            previous, last_pk = row.hash, row.pk
        AuditEvent.objects.bulk_update(rows, ['key_id', 'previous_hash', 'hash'])
        count += len(rows)
    if not count:
        return
    event = AuditEvent(
        at=timezone.now(),
        actor_name='system',
        action='audit.sealed',
        subject='Audit trail, sealed with a key from here on',
        detail={'events': count, 'first_broken': first_broken},
    )
    sign(event, previous)
    event.save(force_insert=True)


class Migration(migrations.Migration):

    dependencies = [
        ('console', '0003_signin'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='auditevent',
            name='key_id',
            field=models.CharField(default='', db_default='', max_length=16),
        ),
        migrations.AlterField(
            model_name='auditevent',
            name='actor',
            field=models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.RunPython(seal_anew, migrations.RunPython.noop, elidable=True),
    ]
