"""`migrate` on PostgreSQL gives way to who is at a table."""

from concurrent.futures import ThreadPoolExecutor
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from tests.machines.installation import wait_until

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

LAST = ("console", "0023_heartbeat_pulse_seen")


def is_applied() -> bool:
    return LAST in MigrationRecorder(connection).applied_migrations()


def migrate(to: str, out: StringIO) -> None:
    try:
        call_command("migrate", "console", to, stdout=out)
    finally:
        connection.close()


def test_it_lets_go_while_a_table_is_in_use_and_goes_on_afterwards() -> None:
    out = StringIO()
    somebody = connection.copy()
    try:
        with ThreadPoolExecutor(1) as pool:
            somebody.set_autocommit(False)
            with somebody.cursor() as cursor:
                # It is another table than the one that is changed.
                cursor.execute("SELECT 1 FROM writes_write")
            migrating = pool.submit(migrate, "0022", out)
            wait_until(lambda: "in use" in out.getvalue())
            assert is_applied()
            somebody.rollback()
            migrating.result()
        assert not is_applied()
    finally:
        somebody.close()
        call_command("migrate", stdout=out)
    assert is_applied()
