"""The database refuses to change, delete or empty the audit trail."""

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from console import audit_guard
from console.models import AuditEvent
from tests.conftest import unguarded

pytestmark = pytest.mark.django_db

TABLE = AuditEvent._meta.db_table
REPLACE = (
    f"INSERT OR REPLACE INTO {TABLE} (id, at, actor_name, action, subject, "
    "subject_url, project_name, environment, correlation_id, detail, key_id, "
    "previous_hash, hash) SELECT id, at, 'eve', action, subject, subject_url, "
    "project_name, environment, correlation_id, detail, key_id, previous_hash, hash "
    f"FROM {TABLE}"
)


def refused(sql: str) -> None:
    with (
        pytest.raises(IntegrityError),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)


@pytest.mark.parametrize(
    "sql",
    [
        f"UPDATE {TABLE} SET actor_name = 'eve'",
        f"DELETE FROM {TABLE}",
        f"DELETE FROM {TABLE} WHERE id > 1",
        pytest.param(REPLACE, marks=pytest.mark.sqlite),
        pytest.param(f"TRUNCATE {TABLE}", marks=pytest.mark.postgres),
        pytest.param(f"TRUNCATE {TABLE} CASCADE", marks=pytest.mark.postgres),
    ],
)
def test_rows_are_only_ever_added(sql: str) -> None:
    events = [AuditEvent.record(action="a.b", subject=str(n)) for n in range(3)]
    refused(sql)
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditEvent.objects.update(subject="else")
    with pytest.raises(IntegrityError), transaction.atomic():
        events[1].delete()
    assert list(AuditEvent.objects.order_by("pk")) == events
    assert AuditEvent.objects.first_broken() is None


@pytest.mark.postgres
def test_who_calls_the_session_a_replica_is_refused_as_well() -> None:
    AuditEvent.record(action="a.b", subject="c")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
    refused(f"DELETE FROM {TABLE}")


def test_a_person_can_be_deleted_all_the_same() -> None:
    user = User.objects.create_user("olga")
    AuditEvent.record(action="a.b", subject="c")
    user.delete()
    assert AuditEvent.objects.count() == 1


def test_nothing_is_missing_after_all_migrations() -> None:
    assert audit_guard.missing(connection) == []


def test_what_is_missing_or_hollow_is_named() -> None:
    with unguarded():
        names = audit_guard.missing(connection)
        assert len(names) >= 2
    assert audit_guard.missing(connection) == []


@pytest.mark.sqlite
def test_a_trigger_that_does_nothing_is_a_missing_one() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER audit_no_delete")
        cursor.execute(
            f"CREATE TRIGGER audit_no_delete BEFORE DELETE ON {TABLE} "
            "BEGIN SELECT 1; END"
        )
    assert audit_guard.missing(connection) == ["audit_no_delete"]


@pytest.mark.postgres
@pytest.mark.parametrize(
    "sql",
    [
        f"ALTER TABLE {TABLE} DISABLE TRIGGER audit_no_change",
        "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql "
        "AS $$BEGIN RETURN NULL; END$$",
        # It lets all columns but one be changed.
        f"CREATE OR REPLACE TRIGGER audit_no_change BEFORE DELETE OR UPDATE OF id "
        f"ON {TABLE} FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse(); "
        f"ALTER TABLE {TABLE} ENABLE ALWAYS TRIGGER audit_no_change",
    ],
)
def test_a_trigger_that_is_off_is_a_missing_one(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)
    assert "audit_no_change" in audit_guard.missing(connection)


@pytest.mark.django_db(transaction=True)
def test_the_tests_empty_their_database_and_leave_the_triggers() -> None:
    AuditEvent.record(action="a.b", subject="c")
    call_command("flush", interactive=False, verbosity=0)
    assert not AuditEvent.objects.exists()
    assert audit_guard.missing(connection) == []


@pytest.mark.django_db(transaction=True)
def test_flush_is_refused_where_nobody_took_them_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tests.conftest.audit_guard.remove", lambda connection: None)
    monkeypatch.setattr("tests.conftest.audit_guard.install", lambda connection: None)
    AuditEvent.record(action="a.b", subject="c")
    with pytest.raises((CommandError, IntegrityError)):
        call_command("flush", interactive=False, verbosity=0)
    assert AuditEvent.objects.exists()
