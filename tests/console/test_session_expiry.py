"""How long a sign-in lasts, and what ends it."""

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client as Browser
from pytest_django import Settings

from console.access.roles import Role
from console.models import AuditEvent
from console.sign_in.session_expiry import SEEN_AT, SIGNED_IN_AT
from tests.answers import levels
from tests.conftest import make_user
from tests.console.conftest import Clock
from tests.texts import numbers

pytestmark = pytest.mark.django_db
PAGE = "/operations/?status=unknown"
POLL = {"X-Poll": "1"}


@pytest.fixture
def browser(clock: Clock) -> Browser:
    """The browser of somebody who signed in just now."""
    browser = Browser()
    browser.force_login(make_user("eve", Role.VIEWER))
    return browser


def is_in(browser: Browser, **values: object) -> bool:
    return browser.get(PAGE, **values).status_code == 200


def test_it_ends_when_nobody_uses_it(browser: Browser, clock: Clock) -> None:
    clock.advance(minutes=119)
    assert is_in(browser)
    clock.advance(minutes=119)
    assert is_in(browser)
    clock.advance(minutes=120)
    answer = browser.get(PAGE, follow=True)
    assert answer.redirect_chain[-1][0] == (
        "/login/?next=/operations/%3Fstatus%3Dunknown"
    )
    event = AuditEvent.objects.get(action="user.signed_out")
    assert (event.subject, event.actor_name) == ("eve", "eve")
    assert numbers(event.detail["reason"]) == [120]
    assert levels(answer) == ["info"]
    assert event.detail["reason"] in answer.text
    assert event.correlation_id


def test_it_ends_in_time_although_it_is_used(browser: Browser, clock: Clock) -> None:
    for _ in range(11):
        clock.advance(hours=1)
        assert is_in(browser)
    clock.advance(hours=1)
    answer = browser.get(PAGE, follow=True)
    assert numbers(AuditEvent.objects.newest_first()[0].detail["reason"]) == [12]
    assert levels(answer) == ["info"]
    assert not is_in(browser)
    # Once is enough, and somebody who signs in again begins anew.
    assert AuditEvent.objects.filter(action="user.signed_out").count() == 1
    browser.post("/login/", {"username": "eve", "password": "eve"})
    assert is_in(browser)


def test_what_a_page_asks_by_itself_keeps_nobody_signed_in(
    browser: Browser, clock: Clock
) -> None:
    for _ in range(11):
        clock.advance(minutes=10)
        assert is_in(browser, headers=POLL)
    clock.advance(minutes=10)
    answer = browser.get("/operations/rows/", headers={**POLL, "HX-Request": "true"})
    assert answer.status_code == 401
    assert not is_in(browser)


def test_nothing_is_done_by_somebody_whose_time_is_over(
    browser: Browser, clock: Clock
) -> None:
    clock.advance(hours=2)
    answer = browser.post("/theme/", {"theme": "dark"})
    assert answer["Location"].startswith("/login/")
    assert "theme" not in answer.cookies


@pytest.mark.parametrize(
    ("before", "page"),
    [
        ("http://testserver/audit/?user=eve", "/audit/%3Fuser%3Deve"),
        ("http://elsewhere.example/audit/", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_afterwards_the_page_with_the_button_is_shown_again(
    browser: Browser, clock: Clock, before: str, page: str
) -> None:
    clock.advance(hours=2)
    answer = browser.post("/theme/", headers={"Referer": before})
    assert answer["Location"] == f"/login/?next={page}"


def test_it_is_noted_once_a_minute(browser: Browser, clock: Clock) -> None:
    begun = browser.session[SEEN_AT]
    clock.advance(seconds=59)
    assert is_in(browser)
    assert browser.session[SEEN_AT] == begun
    clock.advance(seconds=1)
    assert is_in(browser)
    assert browser.session[SEEN_AT] == begun + 60


def test_a_clock_that_steps_back_signs_nobody_out(
    browser: Browser, clock: Clock
) -> None:
    clock.advance(hours=-3)
    assert is_in(browser)
    clock.advance(minutes=119)
    assert is_in(browser)


def test_a_session_of_which_nobody_knows_the_beginning_is_over(
    browser: Browser,
) -> None:
    session = browser.session
    del session[SIGNED_IN_AT], session[SEEN_AT]
    session.save()
    assert not is_in(browser)


def test_the_limits_are_settings(
    browser: Browser, clock: Clock, settings: Settings
) -> None:
    settings.SESSION_IDLE_MINUTES = 1
    clock.advance(minutes=1)
    [message] = browser.get(PAGE, follow=True).context["messages"]
    assert numbers(str(message)) == [1]


def test_a_new_password_ends_the_other_sessions(browser: Browser) -> None:
    assert is_in(browser)
    user = User.objects.get(username="eve")
    user.set_password("another")
    user.save()
    assert not is_in(browser)


def test_a_closed_account_is_out_at_once(browser: Browser) -> None:
    User.objects.filter(username="eve").update(is_active=False)
    assert not is_in(browser)


def test_signing_in_makes_a_new_session(client: Browser) -> None:
    make_user("eve", Role.VIEWER)
    name = settings.SESSION_COOKIE_NAME
    client.cookies[name] = "chosen-by-somebody-else"
    client.post("/login/", {"username": "eve", "password": "eve"})
    assert client.cookies[name].value != "chosen-by-somebody-else"
