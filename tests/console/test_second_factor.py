"""A second factor: set up, asked for at the sign-in, used once, taken away."""

import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.mfa.utils import decrypt
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client as Browser
from pytest_django import Settings

from console.access.roles import Role
from console.models import AuditEvent, Session, SignInAttempt
from tests.answers import codes
from tests.conftest import make_user
from tests.console.conftest import Clock

pytestmark = pytest.mark.django_db
PAGE = "/account/second-factor/"
CODE_PAGE = "/login/code/"
PERIOD = 30


class Phone:
    """An app with the key that a page showed."""

    def __init__(self, secret: str) -> None:
        self.secret = secret.replace(" ", "")
        self.next = int(time.time()) // PERIOD

    def code(self, later: int = 0) -> str:
        """Return the code of now, or of so many half minutes later."""
        return str(format_hotp_value(hotp_value(self.secret, self.next + later)))


@pytest.fixture(autouse=True)
def _time_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no half minute end in the middle of a test."""
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)


@pytest.fixture
def eve(db: None) -> User:
    return make_user("eve", Role.OPERATOR)


def browser_of(person: User) -> Browser:
    browser = Browser()
    browser.post("/login/", {"username": person.username, "password": person.username})
    return browser


def set_up(browser: Browser) -> tuple[Phone, list[str]]:
    """Set up an app; return it, and the recovery codes."""
    phone = Phone(browser.get(PAGE).context["secret"])
    answer = browser.post(PAGE, {"code": phone.code(-1)})
    assert answer.status_code == 200
    return phone, answer.context["codes"]


def remove(browser: Browser) -> None:
    """Remove the first of the second factors."""
    factor = browser.get(PAGE).context["factors"][0]
    browser.post("/account/second-factor/remove/", {"factor": factor.pk})


def is_in(browser: Browser) -> bool:
    return "_auth_user_id" in browser.session


def told(action: str) -> list[dict[str, Any]]:
    rows = AuditEvent.objects.filter(action=action).order_by("pk")
    return [row.detail for row in rows]


def test_it_is_asked_for_after_the_password(eve: User) -> None:
    first = browser_of(eve)
    phone, _ = set_up(first)
    assert told("user.second_factor_added") == [{"kind": "app"}]
    browser = Browser()
    answer = browser.post(
        "/login/?next=/operations/",
        {"username": "eve", "password": "eve", "next": "/operations/"},
    )
    assert (answer.status_code, answer["Location"]) == (302, CODE_PAGE)
    assert not is_in(browser)
    assert browser.get("/operations/").status_code == 302
    answer = browser.post(CODE_PAGE, {"code": phone.code()})
    assert (answer.status_code, answer["Location"]) == (302, "/operations/")
    assert browser.get("/operations/").status_code == 200
    used = told("user.second_factor_used")
    assert used == [{"kind": "app", "codes_left": 10}]
    assert not SignInAttempt.objects.exists()


def test_without_a_password_there_is_no_code_to_give(eve: User) -> None:
    phone, _ = set_up(browser_of(eve))
    browser = Browser()
    answer = browser.post(CODE_PAGE, {"code": phone.code()})
    assert (answer.status_code, answer["Location"]) == (302, "/login/")
    assert not is_in(browser)


def test_a_code_counts_once(eve: User) -> None:
    phone, _ = set_up(browser_of(eve))
    first, second = browser_of(eve), browser_of(eve)
    assert first.post(CODE_PAGE, {"code": phone.code()}).status_code == 302
    answer = second.post(CODE_PAGE, {"code": phone.code()})
    assert answer.status_code == 422
    assert codes(answer.context["form"]) == {"code": ["code_wrong"]}
    # Nor does one from before it.
    assert second.post(CODE_PAGE, {"code": phone.code(-1)}).status_code == 422
    assert not is_in(second)
    assert second.post(CODE_PAGE, {"code": phone.code(1)}).status_code == 302


def test_a_recovery_code_counts_once(eve: User) -> None:
    _, recovery = set_up(browser_of(eve))
    assert len(set(recovery)) == 10
    browser = browser_of(eve)
    assert browser.post(CODE_PAGE, {"code": recovery[3]}).status_code == 302
    assert is_in(browser)
    assert told("user.second_factor_used")[-1]["codes_left"] == 9
    again = browser_of(eve)
    assert again.post(CODE_PAGE, {"code": recovery[3]}).status_code == 422
    assert not is_in(again)


def test_codes_are_guessed_no_more_often_than_passwords(eve: User) -> None:
    phone, _ = set_up(browser_of(eve))
    browser = browser_of(eve)
    for _ in range(5):
        # The password in between does not begin the count anew.
        browser.post("/login/", {"username": "eve", "password": "eve"})
        assert browser.post(CODE_PAGE, {"code": "000000"}).status_code == 422
    answer = browser.post(CODE_PAGE, {"code": phone.code()})
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert not is_in(browser)
    assert len(told("user.second_factor_failed")) == 5
    assert len(told("user.sign_in_locked")) == 1


def test_a_right_password_elsewhere_gives_no_more_codes_to_guess(eve: User) -> None:
    browser = browser_of(eve)
    phone, _ = set_up(browser)
    new = {"new_password1": "short", "new_password2": "other"}
    for _ in range(5):
        answer = browser.post("/account/check/", {"code": "000000"})
        assert answer.status_code == 422
        browser.post("/account/password/", {"old_password": "eve", **new})
    answer = browser.post("/account/check/", {"code": phone.code()})
    assert answer.status_code == 429


def test_who_owes_a_code_guesses_no_more_passwords_of_others(eve: User) -> None:
    set_up(browser_of(eve))
    make_user("tom", Role.ADMIN)
    browser = browser_of(eve)
    for number in range(5):
        wrong = {"username": "tom", "password": f"wrong-{number}"}
        assert browser.post("/login/", wrong).status_code == 200
    answer = browser.post("/login/", {"username": "tom", "password": "tom"})
    assert answer.status_code == 429
    assert not is_in(browser)


def test_a_new_password_ends_what_began_with_the_old_one(eve: User) -> None:
    phone, _ = set_up(browser_of(eve))
    waits = browser_of(eve)
    assert waits.get(CODE_PAGE).status_code == 200
    eve.set_password("a password of her own")
    eve.save()
    answer = waits.post(CODE_PAGE, {"code": phone.code()})
    assert (answer.status_code, answer["Location"]) == (302, "/login/")
    assert not is_in(waits)


def test_a_wrong_first_code_sets_nothing_up(eve: User) -> None:
    browser = browser_of(eve)
    secret = browser.get(PAGE).context["secret"]
    answer = browser.post(PAGE, {"code": "12345"})
    assert answer.status_code == 422
    # The key in the app stays good.
    assert answer.context["secret"] == secret
    assert not Authenticator.objects.exists()


def test_secrets_are_encrypted_where_they_lie(eve: User, settings: Settings) -> None:
    browser = browser_of(eve)
    secret = browser.get(PAGE).context["secret"].replace(" ", "")
    assert secret not in str(browser.session.items())
    phone, _ = set_up(browser)
    row = Authenticator.objects.get(type="totp")
    assert phone.secret not in str(row.data)
    # They go along when the keys change.
    old, new = settings.FIELD_KEYS[0], Fernet.generate_key().decode()
    settings.FIELD_KEYS = [new, old]
    call_command("rotate_field_keys", verbosity=0)
    settings.FIELD_KEYS = [new]
    row.refresh_from_db()
    assert decrypt(row.data["secret"]) == phone.secret
    assert browser_of(eve).post(CODE_PAGE, {"code": phone.code()}).status_code == 302


def test_sessions_from_before_end(eve: User) -> None:
    elsewhere, here = browser_of(eve), browser_of(eve)
    set_up(here)
    assert here.get("/account/").status_code == 200
    assert elsewhere.get("/account/").status_code == 302
    assert Session.objects.filter(user=eve).count() == 1


def test_new_codes_end_the_old_ones(eve: User) -> None:
    browser = browser_of(eve)
    _, old = set_up(browser)
    answer = browser.post("/account/recovery-codes/")
    assert set(answer.context["codes"]).isdisjoint(old)
    assert browser_of(eve).post(CODE_PAGE, {"code": old[0]}).status_code == 422
    new = answer.context["codes"][0]
    assert browser_of(eve).post(CODE_PAGE, {"code": new}).status_code == 302
    assert len(told("user.recovery_codes_made")) == 2


def test_it_is_removed(eve: User) -> None:
    browser = browser_of(eve)
    set_up(browser)
    remove(browser)
    assert not Authenticator.objects.exists()
    assert told("user.second_factor_removed") == [{"kinds": ["totp"]}]
    assert is_in(browser_of(eve))


@pytest.mark.parametrize(
    "path", ["second-factor/", "second-factor/remove/", "recovery-codes/"]
)
def test_who_finds_a_browser_open_changes_nothing(
    eve: User, clock: Clock, path: str
) -> None:
    browser = browser_of(eve)
    if path != "second-factor/":
        set_up(browser)
    clock.advance(minutes=31)
    answer = browser.post(f"/account/{path}", {"code": "1"})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/account/check/")
    assert Authenticator.objects.count() == (0 if path == "second-factor/" else 2)


# --- Who needs one --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "roles", "needs"),
    [
        (["admin"], {"role": Role.ADMIN}, True),
        (["admin"], {"role": Role.OPERATOR}, False),
        (["admin"], {"sandbox": Role.ADMIN}, True),
        (["operator"], {"role": Role.ADMIN}, True),
        (["production"], {"production": Role.VIEWER}, True),
        (["production"], {"sandbox": Role.ADMIN, "test": Role.ADMIN}, False),
        (["viewer"], {}, False),
        ([], {"role": Role.ADMIN}, False),
    ],
)
def test_the_setting_names_roles_and_environments(
    settings: Settings, words: list[str], roles: dict[str, Role], needs: bool
) -> None:
    settings.SECOND_FACTOR_FOR = words
    browser = browser_of(make_user("eve", **roles))
    answer = browser.get("/account/")
    assert (answer.status_code == 302) == needs
    if needs:
        assert answer["Location"] == f"{PAGE}?next=/account/"


def test_who_needs_one_reaches_nothing_else(eve: User, settings: Settings) -> None:
    settings.SECOND_FACTOR_FOR = ["operator"]
    browser = browser_of(eve)
    for path in ("/", "/operations/", "/writes/csv/", "/account/password/"):
        assert browser.get(path)["Location"].startswith(PAGE)
    poll = {"X-Poll": "1"}
    assert browser.get("/operations/", headers=poll).status_code == 401
    page = browser.get(PAGE)
    assert page.context["is_in"] is False
    phone, _ = set_up(browser)
    assert browser.get("/operations/").status_code == 200
    # At the next sign-in it is shown, and nothing more is asked for.
    again = browser_of(eve)
    again.post(CODE_PAGE, {"code": phone.code()})
    assert again.get("/operations/").status_code == 200
    # Without it, another one is due at once.
    remove(again)
    assert again.get("/operations/")["Location"].startswith(PAGE)


def test_a_role_that_needs_one_counts_at_once(eve: User, settings: Settings) -> None:
    settings.SECOND_FACTOR_FOR = ["admin"]
    browser = browser_of(eve)
    assert browser.get("/operations/").status_code == 200
    eve.grants.filter(environment="test").update(role="admin")
    assert browser.get("/operations/")["Location"].startswith(PAGE)


def test_a_closed_account_is_not_let_in_by_a_code(eve: User) -> None:
    phone, _ = set_up(browser_of(eve))
    browser = browser_of(eve)
    User.objects.filter(pk=eve.pk).update(is_active=False)
    answer = browser.post(CODE_PAGE, {"code": phone.code()})
    assert (answer.status_code, answer["Location"]) == (302, "/login/")
    assert not is_in(browser)


# --- Lost it --------------------------------------------------------------------------


def test_an_admin_removes_what_somebody_lost(eve: User) -> None:
    theirs = browser_of(eve)
    set_up(theirs)
    admin = browser_of(make_user("ada", Role.ADMIN))
    page = f"/users/{eve.pk}/"
    assert admin.get(page).context["has_second_factor"]
    answer = admin.post(f"/users/{eve.pk}/second-factor/remove/")
    assert (answer.status_code, answer["Location"]) == (302, page)
    event = AuditEvent.objects.get(action="user.second_factor_removed")
    assert (event.subject, event.actor_name) == ("eve", "ada")
    assert theirs.get("/account/").status_code == 302
    assert is_in(browser_of(eve))


# --- Security keys: a browser test has a real one -------------------------------------


@pytest.mark.parametrize(
    "credential",
    [
        "",
        "[]",
        "{}",
        "5",
        "null",
        '{"id": 5}',
        "[" * 9_000,
        '{"response": []}',
    ],
)
def test_what_is_no_answer_of_a_key_is_refused(eve: User, credential: str) -> None:
    first = browser_of(eve)
    answer = first.post(f"{PAGE}key/", {"name": "Blue", "credential": credential})
    assert answer.status_code == 422
    assert not Authenticator.objects.exists()
    set_up(first)
    browser = browser_of(eve)
    answer = browser.post(CODE_PAGE, {"credential": credential})
    assert answer.status_code == 422
    assert not is_in(browser)


def test_of_two_one_is_removed(eve: User) -> None:
    browser = browser_of(eve)
    phone, recovery = set_up(browser)
    data = {"name": "Blue", "credential": {}}
    Authenticator.objects.create(user=eve, type="webauthn", data=data)
    remove(browser)
    assert told("user.second_factor_removed") == [{"kinds": ["totp"]}]
    kinds = set(Authenticator.objects.values_list("type", flat=True))
    assert kinds == {"webauthn", "recovery_codes"}
    remove(browser)
    assert not Authenticator.objects.exists()
