"""What has the database itself refuse to change, delete or empty the audit trail.

Triggers stop a program with a mistake, and a person with a shell; who owns the table
can drop them, so `missing` tells, and the seals and the noted head prove the rest.
"""

from typing import Any

TABLE = "console_auditevent"
_REFUSED = "The audit trail is append-only."

_SQLITE = {
    "audit_no_update": f"CREATE TRIGGER audit_no_update BEFORE UPDATE ON {TABLE} "
    f"BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END",
    "audit_no_delete": f"CREATE TRIGGER audit_no_delete BEFORE DELETE ON {TABLE} "
    f"BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END",
    # INSERT OR REPLACE takes rows away without asking the trigger above.
    "audit_no_replace": f"CREATE TRIGGER audit_no_replace BEFORE INSERT ON {TABLE} "  # nosec B608 # noqa: S608 - names of ours
    f"WHEN EXISTS (SELECT 1 FROM {TABLE} WHERE id = NEW.id OR hash = NEW.hash) "
    f"BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END",
}
_FUNCTION = "audit_refuse"
_BODY = f"""
BEGIN
  RAISE EXCEPTION '{_REFUSED}' USING ERRCODE = 'integrity_constraint_violation';
END
"""
_POSTGRES = {
    "audit_no_change": "BEFORE UPDATE OR DELETE",
    "audit_no_truncate": "BEFORE TRUNCATE",
}


def install(connection: Any) -> None:
    """Put the triggers in place, anew where they are there."""
    remove(connection)
    with connection.cursor() as cursor:
        for statement in _statements(connection.vendor):
            cursor.execute(statement)


def remove(connection: Any) -> None:
    """Take the triggers away: for a migration that goes back, and for tests."""
    is_postgres = connection.vendor == "postgresql"
    on = f" ON {TABLE}" if is_postgres else ""
    with connection.cursor() as cursor:
        for name in _POSTGRES if is_postgres else _SQLITE:
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on}")
        if is_postgres:
            cursor.execute(f"DROP FUNCTION IF EXISTS {_FUNCTION}()")


def missing(connection: Any) -> list[str]:
    """Return the names of the triggers that are not there, or not as they should be."""
    if connection.vendor == "postgresql":
        return _missing_on_postgres(connection)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' "
            "AND tbl_name = %s",
            [TABLE],
        )
        there = dict(cursor.fetchall())
    return [name for name, sql in _SQLITE.items() if there.get(name) != sql]


def _missing_on_postgres(connection: Any) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname, pg_get_triggerdef(pg_trigger.oid) FROM pg_trigger "
            "JOIN pg_proc ON pg_proc.oid = tgfoid WHERE tgrelid = to_regclass(%s) "
            "AND tgenabled = 'A' AND tgqual IS NULL AND prosrc = %s "
            # One that names columns lets the others be changed.
            "AND tgattr::text = ''",
            [TABLE, _BODY],
        )
        there = dict(cursor.fetchall())
    # PostgreSQL names the events in an order of its own.
    return [
        name
        for name, when in _POSTGRES.items()
        if not all(word in there.get(name, "").split() for word in when.split())
    ]


def _statements(vendor: str) -> list[str]:
    if vendor != "postgresql":
        return list(_SQLITE.values())
    return [
        f"CREATE FUNCTION {_FUNCTION}() RETURNS trigger LANGUAGE plpgsql "
        f"AS $${_BODY}$$",
        *(
            f"CREATE TRIGGER {name} {when} ON {TABLE} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {_FUNCTION}()"
            for name, when in _POSTGRES.items()
        ),
        # Also where a session calls itself a replica.
        *(f"ALTER TABLE {TABLE} ENABLE ALWAYS TRIGGER {name}" for name in _POSTGRES),
    ]
