"""Copies of rows, made inside the database: a hundred thousand within seconds."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import connection
from django.db.models import Max, Model, UniqueConstraint

from console.models import Integration
from console.runtime import statistics
from operations.models import Failure, LogEntry, Operation, OperationTransition
from writes.models import Batch, SearchTerm, Write
from writes.search.terms import digests_of

# What is found by `former`: see `make_former`.
FORMER = "former"
# The newest writes that a value finds are its own.
VALUE, COMMON_VALUE = "value of one record", "berlin"


@contextmanager
def without_indexes() -> Iterator[None]:
    """Have the indexes of what is copied made at once in the end: many times as quick.

    On SQLite those alone that belong to no constraint, which would remake the table.
    """
    is_server = connection.vendor == "postgresql"
    models = (Operation, Write, LogEntry, Failure, SearchTerm)
    unique = {
        model: [c for c in model._meta.constraints if isinstance(c, UniqueConstraint)]
        for model in (*models, OperationTransition)
        if is_server
    }
    with connection.schema_editor() as editor:
        for model, constraints in unique.items():
            for constraint in constraints:
                editor.remove_constraint(model, constraint)
        for model in models:
            for index in model._meta.indexes:
                editor.remove_index(model, index)
    yield
    with connection.schema_editor() as editor:
        if is_server:
            editor.execute("SET maintenance_work_mem = '1GB'")
        for model, constraints in unique.items():
            for constraint in constraints:
                editor.add_constraint(model, constraint)
        for model in models:
            for index in model._meta.indexes:
                editor.add_index(model, index)


def last_rows() -> dict[type[Model], int]:
    """Return the last row of each table that hangs on operations."""
    hanging = (Batch, OperationTransition, LogEntry, Failure)
    return {
        model: model._default_manager.aggregate(last=Max("pk"))["last"]
        for model in hanging
    }


def copy_newest(
    count: int, newest: int, block: int, ago: timedelta, last: dict[type[Model], int]
) -> None:
    """Copy the `newest` of `count` operations as those `block` times as many below.

    The copies began `ago` before those that they are copies of, and have ended. `last`
    are the last rows of the newest: no other index is there.
    """
    token = {"sqlite": "hex(randomblob(16))", "postgresql": "gen_random_uuid()"}
    older = f"- {block * newest}"
    number = f"(id {older})"
    copies: dict[type[Model], dict[str, str]] = {
        Operation: {
            "id": number,
            "write_number": f"write_number {older}",
            "remote_id": "CASE remote_id WHEN '' THEN ''"
            f" ELSE 'remote-' || {number} END",
            "record_id": f"'003' || {_padded(number)}",
            "request_id": f"'req-' || {number}",
            "purpose": f"'Ticket OPS-' || {number}",
            "state": "CASE state WHEN 'in_progress' THEN 'succeeded' ELSE state END",
            "due_at": "NULL",
            # Somebody has looked into what is unknown for long.
            "resolved_at": "CASE state WHEN 'unknown' THEN created_at END",
            **_earlier(ago, "created_at", "sent_at", "answered_at", "ended_at"),
        },
        Write: {
            "id": number,
            "token": token[connection.vendor],
            "file_name": f"'accounts_march_' || {number} || 'x.csv'",
            **_earlier(ago, "created_at", "confirmed_at"),
        },
        Batch: {
            "write_id": f"write_id {older}",
            "operation_id": f"operation_id {older}",
        },
        OperationTransition: {
            "operation_id": f"operation_id {older}",
            **_earlier(ago, "at"),
        },
        LogEntry: {"operation_id": f"operation_id {older}"},
        Failure: {"operation_id": f"operation_id {older}"},
    }
    for model, changes in copies.items():
        is_one = model in (Operation, Write)
        rest = f"id > {count - newest}" if is_one else f"id <= {last[model]}"
        _copy(model, changes, f"WHERE {rest}")


def make_former(integration: Integration, oldest: int) -> None:
    """Have the oldest operations be all that there ever was of some."""
    Operation.objects.filter(pk__lte=oldest).update(
        project=integration.project,
        environment=integration.project.environment,
        integration=integration,
        group_ref=FORMER,
        object_name=FORMER,
        started_by_name=FORMER,
        source="record",
        action="create",
        state="not_written",
        rows_sent=7,
    )
    Write.objects.filter(pk__lte=oldest).update(integration=integration)
    Failure.objects.filter(operation__lte=oldest).update(digest=FORMER)


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


def add_terms() -> None:
    """Have each write found by its file, two digests and a value that all have."""
    environment = (
        "(SELECT environment FROM console_project p JOIN console_integration i "
        "ON i.project_id = p.id WHERE i.id = integration_id)"
    )
    is_server = connection.vendor == "postgresql"
    as_hex = "lpad(to_hex(id), 8, '0')" if is_server else "printf('%08x', id)"
    terms = {
        1: ["file_name", "'accounts'", "'march'", "id || 'x'"],
        2: [f"{as_hex} || '{'0' * 24}'", f"'f' || {as_hex} || '{'0' * 23}'"],
        3: [f"'{digests_of(COMMON_VALUE)[0]}'"],
    }
    with connection.cursor() as cursor:
        for kind, texts in terms.items():
            for text in texts:
                cursor.execute(
                    "INSERT INTO writes_searchterm "  # noqa: S608 - our own words
                    "(write_id, environment, kind, text, confirmed_at) "
                    f"SELECT id, {environment}, {kind}, {text}, confirmed_at "
                    "FROM writes_write"
                )


def add_value() -> None:
    """Have the write a third of the way up found by a value of its own."""
    third = Write.objects.count() // 3
    write = Write.objects.select_related("integration__project").get(pk=third)
    SearchTerm.objects.create(
        write=write,
        environment=write.project.environment,
        kind=SearchTerm.Kind.VALUE,
        text=digests_of(VALUE)[0],
    )


def tidy() -> None:
    """Do what PostgreSQL's autovacuum does within minutes, and the clock for SQLite."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
    statistics.renew()


def _padded(number: str) -> str:
    if connection.vendor == "sqlite":
        return f"printf('%015d', {number})"
    return f"lpad({number}::text, 15, '0')"


def _earlier(ago: timedelta, *columns: str) -> dict[str, str]:
    """Return the expressions of columns with times, as much earlier."""
    seconds = int(ago.total_seconds())
    if connection.vendor == "postgresql":
        return {each: f"{each} - interval '{seconds} seconds'" for each in columns}
    form = "%Y-%m-%d %H:%M:%f000"
    return {
        each: f"strftime('{form}', {each}, '-{seconds} seconds')" for each in columns
    }


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
