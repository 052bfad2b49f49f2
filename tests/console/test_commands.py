"""manage.py demo, rotate_field_keys, audit_verify, and the system checks."""

import io
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test import override_settings

from ampersand import SecretStr
from console import checks
from console.access.roles import Role, role_of
from console.actor import SYSTEM
from console.checks import one_machine, public_url
from console.connections.demo import needs_password
from console.connections.probe import try_connection
from console.connections.webhooks import give, take_away
from console.health.stored_secrets import stored_secrets
from console.management.commands import rotate_field_keys
from console.models import (
    ApiKey,
    AuditEvent,
    Group,
    Heartbeat,
    Project,
    WriteObject,
)
from console.runtime import db_clock
from sandbox import schema
from tests.conftest import SANDBOX_KEY, make_project, unguarded
from tests.hosts import ThisMachine
from tests.texts import numbers, words


@pytest.fixture(autouse=True)
def _any_port(settings: Any) -> None:
    settings.API_HOSTS = ThisMachine()


def run(name: str, *args: str) -> str:
    """Run a command and return what it prints."""
    out = io.StringIO()
    call_command(name, *args, stdout=out)
    return out.getvalue()


def everything() -> list[Any]:
    """Return what the demo makes, to be compared."""
    return [
        list(Project.objects.values()),
        list(ApiKey.objects.values("pk", "label", "last_four", "revoked_at")),
        list(WriteObject.objects.values()),
        list(Group.objects.values()),
        list(User.objects.values("pk", "username", "password")),
        AuditEvent.objects.count(),
    ]


# --- demo -------------------------------------------------------------------------


def test_the_demo_speaks_to_the_sandbox(db: None, sandbox: object) -> None:
    said = run("demo", "--password", "pass-word", "--port", "8123")
    user = User.objects.get()
    assert user.check_password("pass-word")
    assert role_of(user) == Role.ADMIN
    assert "pass-word" not in said
    for project in Project.objects.all():
        assert project.write_url == project.api_url == "http://127.0.0.1:8123/v1"
        assert project.active_key().value.reveal() == SANDBOX_KEY
        integration = project.integrations.get()
        groups = {(row.group_ref, row.name) for row in integration.groups.all()}
        assert ("sample-org-id", "Sample customer") in groups
        assert try_connection(project).works


def test_what_misbehaves_is_in_a_project_of_its_own(db: None) -> None:
    run("demo")
    of_project = {
        project.name: set(
            WriteObject.objects.filter(integration__project=project).values_list(
                "name", flat=True
            )
        )
        for project in Project.objects.all()
    }
    assert set(of_project) == {"Demo", "Demo 2024", "Demo today", "Faults"}
    assert {"contact", "opportunity"} <= of_project["Demo"]
    assert all(name.startswith("fault_") for name in of_project["Faults"])
    assert not any(name.startswith("fault_") for name in of_project["Demo"])


def test_the_objects_of_the_demo_have_the_fields_that_the_sandbox_checks(
    db: None,
) -> None:
    run("demo")
    for row in WriteObject.objects.filter(integration__project__name="Demo"):
        known = {field["name"] for field in row.fields}
        described = schema.find(row.name)
        assert described is not None
        assert known == {field.name for field in described.fields.values()}
        assert row.fields_from == WriteObject.FieldsFrom.DESCRIBE
    # Whoever takes one away is not given it again.
    WriteObject.objects.update(fields=[], fields_from="", fields_at=None)
    run("demo")
    assert not WriteObject.objects.exclude(fields=[]).exists()


def test_a_second_demo_changes_nothing(db: None) -> None:
    run("demo", "--password", "pass-word")
    before = everything()
    run("demo")
    run("demo", "--password", "pass-word")
    assert everything() == before


def test_the_demo_follows_the_sandboxs_port(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("demo", "--port", "8001")
    Project.objects.update(update_style="post_type_update")
    monkeypatch.setenv("SANDBOX_PORT", "8002")
    run("demo")
    project = Project.objects.get(name="Demo")
    assert project.api_url == "http://127.0.0.1:8002/v1"
    assert project.update_style == "post_type_update"
    assert project.active_key().value.reveal() == SANDBOX_KEY
    actions = [event.action for event in AuditEvent.objects.newest_first()[:6]]
    assert actions == ["key.added", "key.revoked", "project.changed"] * 2


def test_a_password_is_invented_once(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    said = run("demo")
    invented = said.strip().split()[-1]
    assert User.objects.get().check_password(invented.rstrip("."))
    assert needs_password() is False
    assert invented not in run("demo")
    assert User.objects.get().check_password(invented.rstrip("."))
    monkeypatch.setenv("DEMO_PASSWORD", "from-outside")
    run("demo")
    assert User.objects.get().check_password("from-outside")


# --- rotate_field_keys --------------------------------------------------------------


def token(pk: int) -> str:
    """Return the stored text of a key."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT value FROM console_apikey WHERE id = %s", [pk])
        return str(cursor.fetchone()[0])


def test_keys_are_encrypted_with_the_first_key(project: Project, settings: Any) -> None:
    pk = project.active_key().pk
    new, old = Fernet.generate_key().decode(), settings.FIELD_KEYS[0]
    settings.FIELD_KEYS = [new, old]
    assert numbers(run("rotate_field_keys")) == [1, 0]  # Encrypted anew, unreadable.
    settings.FIELD_KEYS = [new]
    assert project.active_key().value.reveal() == SANDBOX_KEY
    assert Fernet(new).decrypt(token(pk)).decode() == SANDBOX_KEY


def test_unreadable_keys_are_named_and_left_alone(
    project: Project, settings: Any
) -> None:
    pk = project.active_key().pk
    before = token(pk)
    settings.FIELD_KEYS = [Fernet.generate_key().decode()]
    make_project("Other")
    with pytest.raises(CommandError, match="Demo.*Main") as caught:
        run("rotate_field_keys")
    assert "Other" not in str(caught.value)
    assert token(pk) == before
    event = AuditEvent.objects.newest_first()[0]
    assert event.detail == {"done": 1, "unreadable": 1}


def test_what_is_revoked_or_taken_away_meanwhile_is_left_alone(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = project.active_key()
    kept = project.api_keys.create(label="Other", value="key-of-others-1")
    give(project, SecretStr("https://hooks.example.com/1"), SYSTEM)

    def others_come_first() -> Any:
        found = list(stored_secrets())
        assert old.revoke()
        take_away(project, SYSTEM)
        yield from found

    monkeypatch.setattr(rotate_field_keys, "stored_secrets", others_come_first)
    before = token(kept.pk)
    assert numbers(run("rotate_field_keys")) == [1, 0]
    assert token(kept.pk) != before
    old.refresh_from_db()
    assert old.value is None
    event = AuditEvent.objects.newest_first()[0]
    assert event.detail == {"done": 1, "unreadable": 0}


# --- audit_verify -------------------------------------------------------------------


def make_trail() -> list[AuditEvent]:
    """Return three events of a new trail."""
    return [AuditEvent.record(action="test.made", subject=str(n)) for n in range(3)]


def test_an_unbroken_trail(db: None) -> None:
    assert numbers(run("audit_verify")) == [0]
    last = make_trail()[-1]
    said = run("audit_verify")
    assert numbers(said)[:2] == [3, last.pk]
    assert last.hash in said


@pytest.mark.parametrize(
    "values", [{"subject": "else"}, {"detail": {"a": 1}}, {"actor_name": "x"}]
)
def test_a_changed_row_is_found(db: None, values: dict[str, Any]) -> None:
    rows = make_trail()
    with unguarded():
        AuditEvent.objects.filter(pk=rows[1].pk).update(**values)
    with pytest.raises(CommandError, match=f"row {rows[1].pk},"):
        run("audit_verify")


@pytest.mark.parametrize("gone", [0, 1])
def test_a_removed_row_is_found(db: None, gone: int) -> None:
    rows = make_trail()
    with unguarded():
        AuditEvent.objects.filter(pk=rows[gone].pk).delete()
    with pytest.raises(CommandError, match=f"row {rows[gone + 1].pk},"):
        run("audit_verify")


# --- checks -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "ids"),
    [
        ({"PUBLIC_URL": ""}, []),
        ({"PUBLIC_URL": "https://testserver"}, []),
        ({"PUBLIC_URL": "http://testserver:8000"}, []),
        ({"PUBLIC_URL": "https://elsewhere.example"}, ["console.E004"]),
        ({"PUBLIC_URL": "http://testserver", "HTTPS_ONLY": True}, ["console.W001"]),
    ],
)
def test_an_address_that_would_give_no_file_is_reported(
    values: dict[str, Any], ids: list[str]
) -> None:
    with override_settings(**values):
        assert [message.id for message in public_url(None)] == ids


def seen_on(*hosts: str, hours_ago: int = 1) -> None:
    """Have a worker seen on each of the machines."""
    seen_at = db_clock.now() - timedelta(hours=hours_ago)
    for host in hosts:
        Heartbeat.objects.create(
            process=f"worker on {host}", host=host, seen_at=seen_at
        )


@pytest.mark.sqlite
def test_sqlite_on_several_machines_is_warned_of(db: None) -> None:
    assert one_machine(None) == []
    seen_on("one", "two")
    (warning,) = one_machine(None)
    assert warning.id == "console.W002"
    assert {"one", "two"} <= set(words(warning.msg))
    with override_settings(MACHINES=3):
        (warning,) = one_machine(None)
    assert "MACHINES" in warning.msg
    assert numbers(warning.msg)[0] == 3


@pytest.mark.sqlite
def test_sqlite_on_one_machine_is_not(db: None) -> None:
    seen_on("one")
    seen_on("two", hours_ago=25)
    assert one_machine(None) == []


@pytest.mark.sqlite
def test_a_database_without_tables_does_not_keep_the_checks_from_running(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise OperationalError("no such table: console_heartbeat")

    monkeypatch.setattr(db_clock, "now", missing)
    assert one_machine(None) == []
    with override_settings(MACHINES=2):
        assert len(one_machine(None)) == 1


def test_postgresql_on_several_machines_is_fine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(checks, "connection", SimpleNamespace(vendor="postgresql"))
    with override_settings(MACHINES=3):
        assert one_machine(None) == []
