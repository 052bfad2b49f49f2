"""Sessions are kept elsewhere from now on, with whose they are.

Those of version 0.1.0 stay where they were: its web processes may still run.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def expect_first_passwords(apps, schema_editor):
    """Who never signed in has the password that somebody else set."""
    User = apps.get_model("auth", "User")
    FirstPassword = apps.get_model("console", "FirstPassword")
    people = User.objects.filter(last_login=None).exclude(password__startswith="!")  # nosec B106 # no secret - it stands for none
    FirstPassword.objects.bulk_create(FirstPassword(user=user) for user in people)


class Migration(migrations.Migration):

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('console', '0002_pulse'),
        ('sessions', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='FirstPassword',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='first_password', serialize=False, to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.AddField(
            model_name='signinattempt',
            name='user',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.CreateModel(
            name='Session',
            fields=[
                ('session_key', models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name='session key')),
                ('session_data', models.TextField(verbose_name='session data')),
                ('expire_date', models.DateTimeField(db_index=True, verbose_name='expire date')),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='sessions', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'session',
                'verbose_name_plural': 'sessions',
                'abstract': False,
            },
        ),
        migrations.RunPython(expect_first_passwords, migrations.RunPython.noop),
    ]
