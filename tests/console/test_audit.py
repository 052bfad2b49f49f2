"""The audit trail: where an event came from, who may read it, and that it holds."""

import pytest
from django.contrib.auth.models import User
from django.test import RequestFactory
from pytest_django import Settings

from console.access.roles import Role
from console.actor import Actor
from console.models import AuditEvent
from tests.conftest import actor, make_project, make_user, unguarded

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("trusted", "forwarded", "address"),
    [
        (False, "203.0.113.9", "127.0.0.1"),
        (True, "203.0.113.9", "203.0.113.9"),
        (True, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (True, "", "127.0.0.1"),
        (True, "<script>", "127.0.0.1"),
    ],
)
def test_where_it_came_from_is_what_the_trusted_proxy_says(
    trusted: bool,
    forwarded: str,
    address: str,
    rf: RequestFactory,
    settings: Settings,
) -> None:
    settings.TRUST_PROXY = trusted
    request = rf.get("/", headers={"X-Forwarded-For": forwarded})
    event = AuditEvent.record(action="a.b", subject="c", actor=Actor.of(request))
    assert event.address == address


def test_an_event_belongs_to_the_environment_of_its_project() -> None:
    project = make_project(environment="production")
    assert AuditEvent.record(action="a.b", subject="c").environment == ""
    told = AuditEvent.record(action="a.b", subject="c", about=project)
    assert told.environment == "production"
    told = AuditEvent.record(action="a.b", subject="c", environment="test")
    assert told.environment == "test"


def test_the_environment_is_part_of_the_chain() -> None:
    event = AuditEvent.record(action="a.b", subject="c", environment="test")
    assert AuditEvent.objects.first_broken() is None
    for word in ("", "sandbox"):
        with unguarded():
            AuditEvent.objects.filter(pk=event.pk).update(environment=word)
        assert AuditEvent.objects.first_broken() == event


def test_people_read_what_happened_where_they_have_a_role() -> None:
    AuditEvent.record(action="a.production", subject="c", environment="production")
    AuditEvent.record(action="a.sandbox", subject="c", environment="sandbox")
    AuditEvent.record(action="a.sign_in", subject="c")
    local = make_user("local", sandbox=Role.ADMIN)
    with unguarded():
        AuditEvent.objects.filter(action="a.production").update(actor=local)
    vera, root = make_user("vera", Role.VIEWER), make_user("root", Role.ADMIN)
    nobody = make_user("nobody")

    def read_by(user: User) -> set[str]:
        events = AuditEvent.objects.visible_to(user)
        return {event.action.removeprefix("a.") for event in events}

    assert read_by(root) == {"production", "sandbox", "sign_in"}
    assert read_by(vera) == {"production", "sandbox"}
    assert read_by(local) == {"sandbox"}
    assert read_by(nobody) == set()
    with unguarded():
        AuditEvent.objects.filter(action="a.sign_in").update(actor=nobody)
    assert read_by(nobody) == {"sign_in"}


def test_what_a_draft_says_is_read_by_who_made_it_and_by_admins() -> None:
    olga, other = make_user("olga", Role.OPERATOR), make_user("other", Role.OPERATOR)
    local = make_user("local", Role.VIEWER, test=Role.ADMIN)
    AuditEvent.record(
        action="write.fixed", subject="c", environment="test", actor=actor(olga)
    )

    def reads(user: User) -> bool:
        return AuditEvent.objects.visible_to(user).exists()

    assert [reads(user) for user in (olga, other, local)] == [True, False, True]
