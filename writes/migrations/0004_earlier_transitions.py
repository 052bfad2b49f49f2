"""Give writes that are there already the transitions that their times tell."""

from django.db import migrations

BATCH = 500
PROCESS = "told by the times that an earlier release kept"


def keep(apps, schema_editor):
    alias = schema_editor.connection.alias
    writes = apps.get_model("writes", "Write").objects.using(alias)
    transitions = apps.get_model("writes", "WriteTransition")
    made = []
    for write in writes.only(
        "state", "created_at", "changed_at", "confirmed_at", "started_by_name"
    ).iterator(chunk_size=BATCH):
        who = {"actor_name": write.started_by_name, "process": PROCESS, "write": write}
        made.append(transitions(number=1, to_state="draft", at=write.created_at, **who))
        if write.state != "draft":
            made.append(
                transitions(
                    number=2,
                    from_state="draft",
                    to_state=write.state,
                    at=write.confirmed_at or write.changed_at,
                    **{**who, "actor_name": ""},
                )
            )
        if len(made) >= BATCH:
            transitions.objects.using(alias).bulk_create(made)
            made.clear()
    transitions.objects.using(alias).bulk_create(made)


class Migration(migrations.Migration):
    dependencies = [("writes", "0003_transitions")]

    operations = [migrations.RunPython(keep, migrations.RunPython.noop)]
