"""An API key with a known value is found nowhere but in the request to Ampersand."""

import logging
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client as Browser

from ampersand import Client, SecretStr
from console.models import Integration, Project
from operations.models import Operation
from tests.writes.making import make_draft, press_send
from writes.worker import send

CANARY = "CANARY-KEY-123456789"

pytestmark = [pytest.mark.pages, pytest.mark.django_db]


@pytest.fixture
def caged(project: Project) -> Project:
    """The demo project with the canary as its key."""
    key = project.api_keys.get()
    key.value = SecretStr(CANARY)
    key.save()
    return project


def stored_rows() -> str:
    """Return every value of every table, as the database holds it."""
    dump = []
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            cursor.execute(f'SELECT * FROM "{model._meta.db_table}"')
            dump += [str(value) for row in cursor.fetchall() for value in row]
    return "\n".join(dump)


def broken(*_: object, **__: object) -> None:
    """Fail as a bug would, with the key in hand."""
    raise RuntimeError("a bug")


@pytest.mark.parametrize("outcome", ["refused", "bug"])
def test_the_key_is_found_nowhere(
    outcome: str,
    sandbox: object,
    caged: Project,
    integration: Integration,
    olga: User,
    browser: Browser,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG)
    if outcome == "bug":
        monkeypatch.setattr(Client, "send", broken)
    contents: list[Any] = []
    drafts = [
        make_draft(integration, olga),
        make_draft(integration, olga, csv=b"id\n1\n", primary_key="id"),
        make_draft(integration, olga, url="https://example.com/x", primary_key="id"),
    ]
    for write in drafts:
        contents.append(browser.get(f"/writes/{write.pk}/"))
        contents.append(press_send(browser, write, follow=True))
        operation = Operation.objects.get(batch__write=write)
        send.send(operation.pk)
        operation.refresh_from_db()
        expected = "rejected" if outcome == "refused" else "unknown"
        assert operation.state == expected
        for path in ("", "body.json", "again/"):
            address = f"/writes/{write.pk}/{path}"
            contents.append(browser.get(address, follow=True))
    contents += [browser.get("/"), browser.get("/operations/")]
    for answer in contents:
        assert answer.status_code == 200
        assert CANARY not in answer.content.decode()
    rows = stored_rows()
    assert "demo-group-id" in rows
    assert CANARY not in rows
    assert CANARY not in caplog.text
