"""Give operations that are there already the transitions that their times tell."""

from django.db import migrations

BATCH = 500
PROCESS = "told by the times that an earlier release kept"
ENDED = ("succeeded", "partly_failed", "failed", "completed")


def keep(apps, schema_editor):
    alias = schema_editor.connection.alias
    operations = apps.get_model("operations", "Operation").objects.using(alias)
    transitions = apps.get_model("operations", "OperationTransition")
    made = []
    for operation in operations.order_by("pk").iterator(chunk_size=BATCH):
        for number, (before, after, at) in enumerate(_steps(operation), start=1):
            made.append(
                transitions(
                    operation=operation,
                    number=number,
                    at=at,
                    from_state=before,
                    to_state=after,
                    actor_name="" if before else operation.started_by_name,
                    process=PROCESS,
                    reason=operation.reason if after == operation.state else "",
                )
            )
        if len(made) >= BATCH:
            transitions.objects.using(alias).bulk_create(made)
            made.clear()
    transitions.objects.using(alias).bulk_create(made)


def _steps(operation):
    """Yield (from, to, at) until the state that the operation is in."""
    state, created = operation.state, operation.created_at
    if operation.action == "follow":
        yield "", "in_progress", created
        if state in ENDED:
            yield "in_progress", state, operation.ended_at or created
        return
    if state == "held":
        yield "", "held", created
        return
    yield "", "waiting", created
    if state == "waiting":
        return
    if state == "cancelled" and not operation.sent_at:
        yield "waiting", "cancelled", operation.ended_at or created
        return
    sent = operation.sent_at or created
    yield "waiting", "sending", sent
    answered = operation.answered_at or sent
    if state in ENDED and operation.action == "upsert":
        yield "sending", "in_progress", answered
        yield "in_progress", state, operation.ended_at or answered
    elif state != "sending":
        yield "sending", state, answered


class Migration(migrations.Migration):
    dependencies = [("operations", "0003_transitions")]

    operations = [migrations.RunPython(keep, migrations.RunPython.noop)]
