"""API keys: added, rotated, revoked, and never shown."""

import io
import logging
from collections.abc import Callable

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client as Browser
from django.urls import reverse

from console.access.roles import Role
from console.models import ApiKey, AuditEvent, Project
from console.redaction import RedactingFormatter
from tests.answers import Shown, codes

CANARY = "canary-7Q1x9ZsecretKJw3mNbTWXYZ"


@pytest.fixture
def admin(sign_in: Callable[..., Browser]) -> Browser:
    """A browser of somebody who may change connections."""
    return sign_in(Role.ADMIN)


def of(name: str, project: Project) -> str:
    """Return the address of `name` for the project's one active key."""
    key = project.api_keys.defer("value").get(revoked_at=None)
    return reverse(f"connections:{name}", args=[key.pk])


def new(project: Project) -> str:
    """Return the address of the form for another key."""
    return reverse("connections:key_new", args=[project.pk])


def test_adding_a_key(admin: Browser, project: Project) -> None:
    answer = admin.post(new(project), {"label": "Second", "value": CANARY})
    assert answer["Location"] == project.get_absolute_url()
    assert project.active_key().value.reveal() == CANARY
    event = AuditEvent.objects.newest_first()[0]
    assert (event.action, event.subject) == ("key.added", "Second (…WXYZ)")
    assert event.detail == {"label": "Second"}


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("", "required"),
        ("        ", "characters"),
        ("two words1", "characters"),
        ("trailing-newline\n", "characters"),
        ("schlüssel-123", "characters"),
        ("tab\tinside", "characters"),
        ("seven77", "min_length"),
        ("x" * 501, "max_length"),
    ],
)
def test_what_no_header_can_carry_is_refused_and_not_repeated(
    admin: Browser, project: Project, value: str, code: str
) -> None:
    answer = admin.post(new(project), {"label": "Kept label", "value": value})
    html = answer.content.decode()
    assert answer.status_code == 422
    assert codes(answer.context["form"]) == {"value": [code]}
    assert 'id="id_value_error"' in html
    assert 'value="Kept label"' in html
    assert not value.strip() or value.strip() not in html
    assert project.api_keys.count() == 1


def test_rotating_replaces_the_key_and_keeps_its_label(
    admin: Browser, project: Project
) -> None:
    old = project.active_key()
    admin.post(of("key_rotate", project), {"value": CANARY})
    new_key = project.active_key()
    old.refresh_from_db()
    assert new_key.value.reveal() == CANARY
    assert new_key.label == old.label
    assert old.revoked_at
    actions = [event.action for event in AuditEvent.objects.newest_first()[:2]]
    assert actions == ["key.revoked", "key.added"]


def test_a_refused_rotation_changes_nothing(admin: Browser, project: Project) -> None:
    answer = admin.post(of("key_rotate", project), {"value": "short"})
    assert answer.status_code == 422
    assert project.active_key().last_four == "-KEY"


def test_revoking_asks_first(admin: Browser, project: Project) -> None:
    address = of("key_revoke", project)
    question = admin.get(address)
    assert "confirm" in Shown(question).ids
    assert str(project.active_key()) in question.text
    assert project.active_key()
    admin.post(address)
    assert project.api_keys.get().revoked_at
    assert AuditEvent.objects.newest_first()[0].action == "key.revoked"
    assert "key-problem" in Shown(admin.get(project.get_absolute_url())).ids


def test_a_revoked_key_can_be_neither_rotated_nor_revoked(
    admin: Browser, project: Project
) -> None:
    addresses = [of("key_rotate", project), of("key_revoke", project)]
    project.active_key().revoke()
    for address in addresses:
        assert admin.get(address).status_code == 404
        assert admin.post(address, {"value": CANARY}).status_code == 404
    assert project.api_keys.count() == 1


def test_a_key_is_nowhere_to_be_found(
    admin: Browser,
    project: Project,
    sandbox: object,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Not in pages, messages, the audit trail, logs or the raw database."""
    caplog.set_level(logging.DEBUG)
    pages = [
        admin.post(new(project), {"label": "", "value": CANARY}),
        admin.post(new(project), {"label": "Canary", "value": CANARY}, follow=True),
        admin.post(reverse("connections:project_test", args=[project.pk]), follow=True),
        admin.get("/connections/"),
        admin.get(of_newest("key_rotate", project)),
        admin.get(of_newest("key_revoke", project)),
    ]
    for page in pages:
        assert CANARY not in page.content.decode()
        assert CANARY not in str(page.headers)
    logging.getLogger("test").error("A careless line with %s", CANARY)
    formatter = RedactingFormatter()
    assert "careless" in caplog.text
    assert not any(CANARY in formatter.format(record) for record in caplog.records)
    assert CANARY not in dump()


def test_what_is_too_short_for_a_key_masks_nothing_in_the_log(
    admin: Browser, project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    for value in ("e", "1", "        "):
        assert admin.post(new(project), {"label": "x", "value": value}).status_code
    log = logging.getLogger("test")
    log.error("The audit trail ends with event 1,        as ever")
    formatter = RedactingFormatter("%(message)s")
    written = formatter.format(caplog.records[-1])
    assert written == "The audit trail ends with event 1,        as ever"


def of_newest(name: str, project: Project) -> str:
    """Return the address of `name` for the newest key."""
    key = project.api_keys.defer("value")[0]
    return reverse(f"connections:{name}", args=[key.pk])


def dump() -> str:
    """Return every row of every table as text."""
    with connection.cursor() as cursor:
        rows = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            rows += [str(row) for row in cursor.fetchall()]
    return "\n".join(rows)


def test_the_key_is_in_the_database_only_encrypted(project: Project) -> None:
    assert "SANDBOX-KEY" not in dump()
    assert ApiKey.objects.get().value.reveal() == "SANDBOX-KEY"
    out = io.StringIO()
    call_command("dumpdata", "console.project", stdout=out)
    assert "SANDBOX-KEY" not in out.getvalue()
