"""Every address that takes a POST says which events it leaves; all have words."""

import re
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client as Browser
from django.urls import reverse

from console.models import AuditEvent
from operations.display.audit_words import WORDS
from tests import audit_watch, permission_table
from tests.conftest import make_user

ROOT = Path(__file__).resolve().parents[1]
# "noun.verb" in quotes, where an event may be recorded.
_ACTION = re.compile(r'"((?:[a-z_]+)\.(?:[a-z_]+))"')
_RECORDS = re.compile(
    r"AuditEvent\.record\(|audit|record\(|save_form\(|delete\(|_save\("
)


def actions_in_code() -> set[str]:
    """Return all that looks like the name of an event in a module that records some."""
    nouns = {name.split(".")[0] for name in WORDS}
    found = set()
    for app in ("console", "operations", "writes"):
        for path in (ROOT / app).rglob("*.py"):
            text = path.read_text()
            if "migrations" in path.parts or not _RECORDS.search(text):
                continue
            found |= {a for a in _ACTION.findall(text) if a.split(".")[0] in nouns}
    return {name for name in found if not name.endswith(("urls", ".csv", "json"))}


def test_every_post_has_a_row_and_every_row_a_post() -> None:
    posts = {
        name
        for name, row in permission_table.rows().items()
        if row.needs["POST"] != "–"
    }
    assert posts ^ set(audit_watch.rows()) == set()


def test_every_event_has_words_and_stands_in_the_document() -> None:
    told = set(re.findall(r"`([a-z_]+\.[a-z_]+)`", audit_watch.DOCS.read_text()))
    assert actions_in_code() - set(WORDS) == set()
    assert set(WORDS) - told - {"audit.sealed"} == set()


@pytest.mark.django_db
def test_a_change_without_an_event_fails_whoever_posts_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    browser = Browser()
    browser.force_login(make_user("olga"))
    address = reverse("mail")
    assert browser.post(address, {"own": "on"}).status_code == 302
    monkeypatch.setattr(AuditEvent, "record", lambda **values: None)
    with pytest.raises(AssertionError, match="mail changed"):
        browser.post(address, {})


@pytest.mark.django_db
def test_an_event_that_the_document_does_not_name_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = audit_watch.rows() | {"mail": {"user.deleted"}}
    monkeypatch.setattr(
        audit_watch, "rows", lambda: known | {"x": {"user.notices_changed"}}
    )
    browser = Browser()
    browser.force_login(make_user("olga"))
    with pytest.raises(AssertionError, match="does not say"):
        browser.post(reverse("mail"), {"own": "on"})


@pytest.mark.django_db
def test_what_commands_do_to_people_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    call_command(
        "createsuperuser", username="root", email="r@example.com", interactive=False
    )
    event = AuditEvent.objects.newest_first()[0]
    assert (event.action, event.subject) == ("user.created", "root")
    assert event.detail == {"is_superuser": True}
    monkeypatch.setattr("getpass.getpass", lambda prompt: "correct horse battery 9")
    call_command("changepassword", "root", verbosity=0)
    event = AuditEvent.objects.newest_first()[0]
    assert (event.action, event.subject) == ("user.password_set", "root")
    assert "horse" not in str(event.detail)
    assert User.objects.get().check_password("correct horse battery 9")
