"""What PostgreSQL does for web processes of version 0.1.0 while they are replaced.

They add rows without the columns that came later. Where no constant is right for such a
column, a trigger puts in what is. The version after this one may drop them. On SQLite
there is one machine, and all of it is stopped for an upgrade.
"""

from typing import Any

from django.db import migrations


def trigger(table: str, when: str, name: str, body: str) -> migrations.RunPython:
    """Return the operation that puts a trigger for each row on `table`."""
    made = (
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql "
        f"AS $$ BEGIN {body} RETURN NEW; END $$",
        f"CREATE OR REPLACE TRIGGER {name} {when} ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {name}()",
    )
    dropped = (
        f"DROP TRIGGER IF EXISTS {name} ON {table}",
        f"DROP FUNCTION IF EXISTS {name}()",
    )
    return migrations.RunPython(_on_postgres(*made), _on_postgres(*dropped))


def _on_postgres(*statements: str) -> Any:
    def run(apps: Any, schema_editor: Any) -> None:
        if schema_editor.connection.vendor != "postgresql":
            return
        for statement in statements:
            schema_editor.execute(statement)

    return run
