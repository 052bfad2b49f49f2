"""Attacks by sessions that should be over, and ways to end them."""

from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone

from console.access.roles import Role
from console.models import AuditEvent, Session
from tests.answers import Shown, levels
from tests.conftest import make_user

pytestmark = pytest.mark.django_db

HOME = "/"
ACCOUNT = "/account/"
EVERYWHERE = "/account/sign-out-everywhere/"
ONE = "/account/sign-out-elsewhere/"
LIST = "/users/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def eve() -> User:
    return make_user("eve", Role.VIEWER)


@pytest.fixture
def admin() -> Browser:
    browser = Browser()
    browser.force_login(make_user("admin", Role.ADMIN))
    return browser


def signed_in(name: str, address: str = "192.0.2.1", agent: str = FIREFOX) -> Browser:
    browser = Browser(REMOTE_ADDR=address, headers={"User-Agent": agent})
    answer = browser.post("/login/", {"username": name, "password": name})
    assert answer.status_code == 302
    return browser


def is_in(browser: Browser) -> bool:
    return browser.get(HOME).status_code == 200


def by_admin(user: User, admin: Browser, *, is_open: bool) -> None:
    word = "activate" if is_open else "deactivate"
    assert admin.post(f"{LIST}{user.pk}/{word}/").status_code == 302


def by_shell(user: User, admin: Browser, *, is_open: bool) -> None:
    user.is_active = is_open
    user.save(update_fields=["is_active"])


def by_database(user: User, admin: Browser, *, is_open: bool) -> None:
    """Leaves no signal; the session ends when somebody comes with it meanwhile."""
    User.objects.filter(pk=user.pk).update(is_active=is_open)
    if not is_open:
        for session in Session.objects.filter(user=user):
            browser = Browser()
            browser.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
            browser.get("/healthz")
            browser.get(HOME)


@pytest.mark.parametrize("close", [by_admin, by_shell, by_database])
def test_a_session_of_a_closed_account_never_lives_again(
    close: Any, eve: User, admin: Browser
) -> None:
    browsers = [signed_in("eve"), signed_in("eve")]
    assert all(map(is_in, browsers))
    close(eve, admin, is_open=False)
    assert not Session.objects.filter(user=eve).exists()
    close(eve, admin, is_open=True)
    assert not any(map(is_in, browsers))
    assert is_in(signed_in("eve"))
    assert is_in(admin)


def test_a_deleted_person_leaves_no_session(eve: User) -> None:
    browser, number = signed_in("eve"), eve.pk
    eve.delete()
    assert not is_in(browser)
    # Whoever gets the number of the account next has none of it.
    User.objects.create_user("mallory", password="mallory", pk=number)
    assert not is_in(browser)
    assert Session.objects.filter(user_id=number).count() == 0


def test_the_own_sessions_are_listed(eve: User) -> None:
    make_user("tom", Role.VIEWER)
    signed_in("tom", "198.51.100.7")
    signed_in("eve", "203.0.113.5", "<script>alert(1)</script>")
    here = signed_in("eve", "192.0.2.44")
    answer = here.get(ACCOUNT)
    assert sorted(Shown(answer).data["session-address"]) == [
        "192.0.2.44",
        "203.0.113.5",
    ]
    assert len(Shown(answer).data["session-this"]) == 1
    assert "198.51.100.7" not in answer.text
    assert "Firefox" in answer.text
    assert "<script>alert" not in answer.text
    for session in Session.objects.all():
        assert session.session_key not in answer.text


def test_what_is_over_is_not_listed(eve: User) -> None:
    here, old = signed_in("eve"), signed_in("eve", "203.0.113.5")
    session = old.session
    session["seen_at"] = session["signed_in_at"] = (
        int(timezone.now().timestamp()) - 10**6
    )
    session.save()
    assert Shown(here.get(ACCOUNT)).data["session-address"] == ["192.0.2.1"]


def test_somebody_signs_out_everywhere(eve: User) -> None:
    browsers = [signed_in("eve"), signed_in("eve"), signed_in("eve")]
    other = signed_in(make_user("tom", Role.VIEWER).username)
    assert browsers[0].get(EVERYWHERE).status_code == 405
    answer = browsers[0].post(EVERYWHERE)
    assert answer["Location"] == "/login/"
    assert not any(map(is_in, browsers))
    assert is_in(other)
    event = AuditEvent.objects.get(action="user.sessions_ended")
    assert (event.subject, event.actor_name) == ("eve", "eve")
    assert event.detail == {"sessions": 3}


def named(browser: Browser) -> list[str]:
    """The sessions that the own page lets somebody end."""
    return Shown(browser.get(ACCOUNT)).data.get("session-name", [])


def end(browser: Browser, name: str) -> Any:
    return browser.post(ONE, {"session": name}, follow=True)


def test_somebody_ends_one_other_session(eve: User) -> None:
    here = signed_in("eve")
    other, lost = signed_in("eve", "198.51.100.7"), signed_in("eve", "203.0.113.5")
    # The one in which it is asked is not among them.
    assert len(named(here)) == 2
    assert set(named(here)) & set(named(lost))
    # Of what a page tells nobody makes a session.
    for name in named(here):
        guess = Browser()
        guess.cookies[settings.SESSION_COOKIE_NAME] = name
        assert not is_in(guess)
    (name,) = set(named(here)) & set(named(other))
    assert here.get(ONE).status_code == 405
    assert is_in(lost)
    answer = end(here, name)
    assert levels(answer) == ["success"]
    assert (is_in(here), is_in(other), is_in(lost)) == (True, True, False)
    event = AuditEvent.objects.get(action="user.session_ended")
    assert (event.subject, event.actor_name) == ("eve", "eve")
    assert event.detail["address"] == "203.0.113.5"
    # Once more it is over already.
    assert levels(end(here, name)) == ["warning"]
    assert AuditEvent.objects.filter(action="user.session_ended").count() == 1


def test_nobody_ends_the_session_of_another(eve: User, admin: Browser) -> None:
    mallory = signed_in(make_user("mallory", Role.OPERATOR).username)
    here, there = signed_in("eve"), signed_in("eve", "203.0.113.5")
    keys = [session.session_key for session in Session.objects.filter(user=eve)]
    nowhere = levels(end(mallory, "there-is-none"))
    for name in [*named(here), *named(there), *keys]:
        for browser in (mallory, admin, Browser()):
            end(browser, name)
        # It is answered as what is not there at all.
        assert levels(end(mallory, name)) == nowhere
    assert is_in(here)
    assert is_in(there)
    assert not AuditEvent.objects.filter(action="user.session_ended").exists()


@pytest.mark.parametrize("name", ["", "\0", "é" * 40, "x" * 5000, "' OR 1=1 --"])
def test_what_names_no_session_ends_none(name: str, eve: User) -> None:
    here, other = signed_in("eve"), signed_in("eve")
    assert levels(end(here, name)) == ["warning"]
    assert is_in(here)
    assert is_in(other)


def test_the_own_session_is_ended_by_signing_out_only(eve: User) -> None:
    here, other = signed_in("eve"), signed_in("eve")
    (name,) = named(other)
    assert levels(end(here, name)) == ["warning"]
    assert is_in(here)
    assert levels(end(here, here.session.session_key)) == ["warning"]
    assert is_in(here)


def test_an_admin_ends_the_sessions_of_somebody_else(eve: User, admin: Browser) -> None:
    browsers = [signed_in("eve", "203.0.113.5"), signed_in("eve")]
    answer = admin.get(f"{LIST}{eve.pk}/")
    assert sorted(Shown(answer).data["session-address"]) == ["192.0.2.1", "203.0.113.5"]
    assert admin.post(f"{LIST}{eve.pk}/sessions/end/").status_code == 302
    assert not any(map(is_in, browsers))
    assert is_in(admin)
    event = AuditEvent.objects.get(action="user.sessions_ended")
    assert (event.subject, event.actor_name) == ("eve", "admin")
    assert event.detail == {"sessions": 2}
    assert is_in(signed_in("eve"))


@pytest.mark.parametrize("role", [Role.NONE, Role.VIEWER, Role.OPERATOR])
def test_nobody_else_sees_or_ends_them(role: Role, eve: User) -> None:
    browser = signed_in("eve")
    other = Browser()
    other.force_login(make_user("other", role, sandbox=Role.ADMIN))
    assert other.get(f"{LIST}{eve.pk}/").status_code == 403
    assert other.post(f"{LIST}{eve.pk}/sessions/end/").status_code == 403
    assert is_in(browser)


def test_a_superuser_is_out_of_an_admins_reach(admin: Browser) -> None:
    root = User.objects.create_superuser("root")
    browser = Browser()
    browser.force_login(root)
    address = f"{LIST}{root.pk}/"
    # Not even where they are signed in is told.
    assert "session-address" not in Shown(admin.get(address)).data
    assert admin.post(f"{address}sessions/end/").status_code == 403
    assert is_in(browser)
    assert browser.post(f"{address}sessions/end/").status_code == 302


def test_a_new_password_takes_the_sessions_with_it(eve: User) -> None:
    browser = signed_in("eve")
    eve.set_password("tall-Ship-47-leaves")
    eve.save()
    assert not Session.objects.filter(user=eve).exists()
    assert not is_in(browser)
