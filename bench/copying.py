"""Copies of rows, made inside the database: a hundred thousand within seconds."""

from datetime import datetime

from django.db import connection
from django.db.models import Max, Model

from operations.models import Failure, LogEntry, Operation
from writes.models import Batch, Write


def copy_newest(count: int, newest: int, block: int, began: datetime) -> None:
    """Copy the `newest` of `count` operations as those `block` times as many below.

    All of the copies began at `began`, and have ended.
    """
    moment = connection.ops.adapt_datetimefield_value(began)
    token = {"sqlite": "hex(randomblob(16))", "postgresql": "gen_random_uuid()"}
    older = f"- {block * newest}"
    copies: dict[type[Model], dict[str, str]] = {
        Operation: {
            "id": f"id {older}",
            "write_number": f"write_number {older}",
            "remote_id": "CASE remote_id WHEN '' THEN ''"
            f" ELSE remote_id || '-{block}' END",
            "state": "CASE state WHEN 'in_progress' THEN 'succeeded' ELSE state END",
            "due_at": "NULL",
            "created_at": f"'{moment}'",
        },
        Write: {
            "id": f"id {older}",
            "token": token[connection.vendor],
            "created_at": f"'{moment}'",
        },
        Batch: {
            "write_id": f"write_id {older}",
            "operation_id": f"operation_id {older}",
        },
        LogEntry: {"operation_id": f"operation_id {older}"},
        Failure: {"operation_id": f"operation_id {older}"},
    }
    for model, changes in copies.items():
        key = "id" if "id" in changes else next(iter(changes))
        _copy(model, changes, f"WHERE {key} > {count - newest}")


def lengthen_log(pk: int, length: int, wanted: int) -> None:
    """Lengthen the log of an operation with entries of others, and of its own."""
    while length < wanted:
        changes = {
            "operation_id": str(pk),
            "sequence": f"{length} + ROW_NUMBER() OVER (ORDER BY id)",
            "fingerprint": f"'long {length} ' || id",
        }
        rest = f"WHERE NOT tells_outcome ORDER BY id LIMIT {wanted - length}"
        _copy(LogEntry, changes, rest)
        entries = LogEntry.objects.filter(operation=pk)
        length = entries.aggregate(last=Max("sequence"))["last"]


def tidy() -> None:
    """Do what PostgreSQL's autovacuum does by itself within minutes."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def _copy(model: type[Model], changes: dict[str, str], rest: str) -> None:
    """Copy rows inside the database; `changes` are the columns that differ."""
    names = [field.column for field in model._meta.concrete_fields]
    names = [name for name in names if name != "id" or name in changes]
    table = model._meta.db_table
    columns = ", ".join(f'"{name}"' for name in names)
    values = ", ".join(changes.get(name, f'"{name}"') for name in names)
    # All of it is our own words, so nothing can be injected.
    query = f"INSERT INTO {table} ({columns}) SELECT {values} FROM {table} {rest}"  # noqa: S608
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Copies of what was checked need no look at every foreign key again.
            cursor.execute("SET session_replication_role = replica")
        cursor.execute(query)
