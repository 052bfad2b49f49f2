"""Signing in and out, and what is written down about it."""

from django.test import Client as Browser

from console.access.roles import Role
from console.models import AuditEvent
from console.sign_in.audit import sign_in_failed
from tests.answers import codes
from tests.conftest import make_user


def events() -> list[tuple[str, str, str]]:
    """Return (action, subject, actor) of all events, the newest first."""
    rows = AuditEvent.objects.newest_first()
    return [(row.action, row.subject, row.actor_name) for row in rows]


def test_signing_in_and_out_is_recorded(client: Browser, db: None) -> None:
    make_user("eve", Role.VIEWER)
    answer = client.post("/login/", {"username": "eve", "password": "eve"})
    assert answer.status_code == 302
    client.post("/logout/")
    assert events() == [
        ("user.signed_out", "eve", "eve"),
        ("user.signed_in", "eve", "eve"),
    ]
    assert AuditEvent.objects.newest_first()[0].address == "127.0.0.1"


def test_a_failed_sign_in_is_recorded_without_the_password(
    client: Browser, db: None
) -> None:
    answer = client.post("/login/", {"username": "eve", "password": "My-Secret-1"})
    assert codes(answer.context["form"]) == {"__all__": ["invalid_login"]}
    assert 'role="alert"' in answer.text
    assert 'value="eve"' in answer.content.decode()
    assert events() == [("user.sign_in_failed", "eve", "not signed in")]
    event = AuditEvent.objects.get()
    assert "My-Secret-1" not in str(vars(event))


def test_a_long_name_is_cut(client: Browser, db: None) -> None:
    sign_in_failed(credentials={"username": "x" * 1000})
    assert AuditEvent.objects.get().subject == "x" * 150


def test_signing_out_needs_a_post(client: Browser, db: None) -> None:
    client.force_login(make_user("eve", Role.VIEWER))
    assert client.get("/logout/").status_code == 405
    assert "_auth_user_id" in client.session


def test_signing_out_twice_is_harmless(client: Browser, db: None) -> None:
    client.post("/logout/")
    assert not AuditEvent.objects.exists()
