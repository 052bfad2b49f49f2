"""Who forgot their password asks for a link, and nobody learns anything by it."""

import re
import smtplib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.models import User
from django.core import mail
from django.db import connection
from django.tasks import default_task_backend
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from console import tasks
from console.access.roles import Role
from console.models import AuditEvent, FirstPassword, Session, SignInAttempt
from console.users.password_reset import LIFE, ResetTokens
from tests.answers import Shown, codes
from tests.audit_watch import Watch
from tests.conftest import make_user
from tests.console.mailed_links import STRONG, choose
from writes.token_filter import masked

pytestmark = [pytest.mark.django_db, pytest.mark.pages]

ASK = "/account/password-reset/"
VARIES = re.compile(r'(value|nonce)="[^"]+"')


@pytest.fixture(autouse=True)
def _sends_mail(settings: Any) -> None:
    settings.SENDS_MAIL = True
    settings.CONSOLE_URL = "https://console.example.com"


@pytest.fixture(autouse=True)
def _empty_queue() -> Iterator[None]:
    default_task_backend.clear()  # type: ignore[attr-defined]
    yield
    default_task_backend.clear()  # type: ignore[attr-defined]


@pytest.fixture
def eve() -> User:
    """A person whose password is her name, and who has an address."""
    eve = make_user("eve", Role.VIEWER)
    User.objects.filter(pk=eve.pk).update(email="Eve@example.com")
    return User.objects.get(pk=eve.pk)


def ask(name: str = "eve", browser: Browser | None = None, **how: Any) -> Any:
    """Ask for a link, and let the workers do what there is to do."""
    answer = (browser or Browser()).post(ASK, {"name": name}, **how)
    for task in default_task_backend.results:  # type: ignore[attr-defined]
        tasks.mail_reset_links.call(*task.args)
    default_task_backend.clear()  # type: ignore[attr-defined]
    return answer


def link() -> str:
    """Return the path of the newest link, and see that its host is the console's."""
    found = re.findall(r"(https?://\S+?)(/account/\S+)", mail.outbox[-1].body)
    ((host, path),) = found
    assert host == "https://console.example.com"
    return path


def is_over(answer: Any) -> bool:
    return "link-over" in Shown(answer).ids


def sign_in(password: str, name: str = "eve", browser: Browser | None = None) -> Any:
    values = {"username": name, "password": password}
    return (browser or Browser()).post("/login/", values)


def events(action: str) -> list[tuple[str, str]]:
    rows = AuditEvent.objects.filter(action=action).order_by("pk")
    return [(row.subject, row.actor_name) for row in rows]


# --- Asking ---------------------------------------------------------------------------


def test_a_link_leads_to_another_password(eve: User) -> None:
    assert ask()["Location"] == "/login/"
    assert mail.outbox[-1].to == ["Eve@example.com"]
    assert events("user.password_reset_asked") == [("eve", "not signed in")]
    assert choose(link())["Location"] == "/login/"
    assert events("user.password_reset") == [("eve", "system")]
    assert sign_in("eve").status_code == 200
    assert sign_in(STRONG).status_code == 302


@pytest.mark.parametrize("name", ["eve@EXAMPLE.com", " eve "])
def test_who_it_is_may_be_told_by_an_address(name: str, eve: User) -> None:
    ask(name)
    assert [letter.to for letter in mail.outbox] == [["Eve@example.com"]]


def test_one_address_of_two_people_gets_a_letter_about_each(eve: User) -> None:
    tom = make_user("tom", Role.VIEWER)
    User.objects.filter(pk=tom.pk).update(email="eve@example.com")
    ask("eve@example.com")
    told = [re.findall(r"user name is (\w+)", each.body) for each in mail.outbox]
    assert told == [["eve"], ["tom"]]


def test_nobody_without_a_name_is_asked_about() -> None:
    answer = ask("")
    assert answer.status_code == 422
    assert codes(answer.context["form"]) == {"name": ["required"]}
    assert not SignInAttempt.objects.exists()


@pytest.mark.parametrize("how", ["closed", "no address", "no password", "empty"])
def test_who_cannot_sign_in_by_a_password_gets_nothing(how: str, eve: User) -> None:
    if how == "no password":
        eve.set_unusable_password()
    changed = {
        "closed": {"is_active": False},
        "no address": {"email": ""},
        "no password": {"password": eve.password},
        "empty": {"password": ""},
    }
    User.objects.filter(pk=eve.pk).update(**changed[how])
    ask()
    ask("eve@example.com")
    assert mail.outbox == []


def test_the_answer_and_the_work_are_the_same_whoever_is_named(eve: User) -> None:
    User.objects.create(username="closed", is_active=False, email="x@example.com")
    told = []
    for name in ("eve", "nobody", "closed"):
        browser = Browser()
        with CaptureQueriesContext(connection) as asked:
            answer = browser.post(ASK, {"name": name})
        page = VARIES.sub("", browser.get("/login/").text)
        told.append((answer.status_code, answer["Location"], page, len(asked)))
        # Nobody was written to yet: that is a worker's, after the answer.
        assert mail.outbox == []
    assert told[0] == told[1] == told[2]
    queued = default_task_backend.results  # type: ignore[attr-defined]
    # Logs tell what a task was given, and what was typed may be a password.
    numbers = SignInAttempt.objects.order_by("pk").values_list("pk", flat=True)
    assert [task.args for task in queued] == [[number] for number in numbers]


def test_it_is_asked_for_no_more_often_than_a_password_is_guessed(eve: User) -> None:
    for name in ("eve", "nobody"):
        for _ in range(5):
            assert ask(name, REMOTE_ADDR="192.0.2.1").status_code == 302
        answer = ask(name, REMOTE_ADDR="192.0.2.1")
        assert answer.status_code == 429
        assert int(answer["Retry-After"]) > 0
        assert "locked" in Shown(answer).ids
    assert len(mail.outbox) == 5
    assert len(events("user.password_reset_asked")) == 10
    assert len(events("user.sign_in_locked")) == 2


def test_a_server_that_takes_no_letter_changes_no_answer(
    eve: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(letter: Any) -> None:
        raise smtplib.SMTPDataError(550, letter.body.encode())

    monkeypatch.setattr(mail.EmailMessage, "send", refuse)
    assert ask().status_code == 302
    assert f"user {eve.pk}" in caplog.text
    assert "/account/password-reset/" not in caplog.text


def test_who_signed_in_meanwhile_gets_no_letter(eve: User) -> None:
    Browser().post(ASK, {"name": "eve"})
    (task,) = default_task_backend.results  # type: ignore[attr-defined]
    sign_in("eve")
    tasks.mail_reset_links.call(*task.args)
    assert mail.outbox == []


@pytest.mark.parametrize("missing", ["SENDS_MAIL", "CONSOLE_URL"])
def test_without_mail_an_admin_sets_passwords(
    missing: str, eve: User, settings: Any
) -> None:
    assert "forgot" in Shown(Browser().get("/login/")).ids
    setattr(settings, missing, "")
    assert "forgot" not in Shown(Browser().get("/login/")).ids
    for answer in (Browser().get(ASK), ask()):
        assert answer.status_code == 200
        assert "ask-an-admin" in Shown(answer).ids
    assert mail.outbox == []
    assert not AuditEvent.objects.exists()


# --- The link -------------------------------------------------------------------------


def test_the_host_of_a_request_is_in_no_letter(eve: User, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    ask(
        HTTP_HOST="evil.example.net",
        HTTP_X_FORWARDED_HOST="evil.example.net",
        HTTP_ORIGIN="https://evil.example.net",
    )
    assert link()
    assert "evil" not in str(mail.outbox[-1].message())


def test_it_opens_once(eve: User) -> None:
    ask()
    path = link()
    choose(path)
    assert is_over(choose(path, "a-third-long-Passw0rd"))
    assert sign_in(STRONG).status_code == 302


def test_one_that_is_open_in_two_browsers_sets_one_password(eve: User) -> None:
    ask()
    first, second = Browser(), Browser()
    for browser in (first, second):
        page = browser.get(link(), follow=True)
    address = page.redirect_chain[-1][0]
    values = {"new_password1": STRONG, "new_password2": STRONG}
    assert first.post(address, values).status_code == 302
    other = dict.fromkeys(values, "a-third-long-Passw0rd")
    assert is_over(second.post(address, other))
    assert sign_in(STRONG).status_code == 302


def test_a_password_set_in_the_middle_of_it_stays(
    eve: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask()
    browser = Browser()
    address = browser.get(link(), follow=True).redirect_chain[-1][0]
    looked_at = SetPasswordForm.is_valid

    def change_meanwhile(form: Any) -> bool:
        with Watch.off():
            User.objects.filter(pk=eve.pk).update(password="other")
        return looked_at(form)

    monkeypatch.setattr(SetPasswordForm, "is_valid", change_meanwhile)
    values = {"new_password1": STRONG, "new_password2": STRONG}
    assert is_over(browser.post(address, values))
    assert User.objects.get(pk=eve.pk).password == "other"


@pytest.mark.parametrize(("seconds", "opens"), [(-60, True), (1, False)])
def test_it_opens_for_an_hour(
    seconds: int, opens: bool, eve: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask()
    # Django's tokens read the clock of the machine.
    later = ResetTokens()._now() + LIFE + timedelta(seconds=seconds)
    monkeypatch.setattr(ResetTokens, "_now", lambda tokens: later)
    answer = choose(link())
    assert (answer.status_code == 302) is opens
    assert sign_in(STRONG).status_code == (302 if opens else 200)


@pytest.mark.parametrize(
    "changed",
    [{"is_active": False}, {"email": "new@example.com"}, {"password": "!none"}],
)
def test_it_is_that_of_the_account_as_it_was(
    changed: dict[str, Any], eve: User
) -> None:
    ask()
    path = link()
    User.objects.filter(pk=eve.pk).update(**changed)
    before = User.objects.get(pk=eve.pk).password
    assert is_over(choose(path))
    assert User.objects.get(pk=eve.pk).password == before


def test_a_sign_in_ends_it(eve: User) -> None:
    ask()
    path = link()
    sign_in("eve")
    assert is_over(choose(path))


def test_it_opens_no_invitation_and_is_opened_by_none(eve: User) -> None:
    ask()
    reset = link()
    other = reset.replace("password-reset", "invitation")
    assert is_over(choose(other))
    assert choose(reset).status_code == 302


@pytest.mark.parametrize("path", ["MQ/x-y/", "x/set-password/", "9999/a-b/", "MQ/-/"])
def test_what_is_no_link_opens_nothing(path: str, eve: User) -> None:
    assert is_over(Browser().get(ASK + path))


def test_a_weak_password_is_refused_at_its_field(eve: User) -> None:
    ask()
    answer = choose(link(), "short")
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"new_password1"}
    assert sign_in("eve").status_code == 302


@pytest.mark.parametrize("to", ["//evil.example.net", "https://evil.example.net/"])
def test_it_leads_to_the_sign_in_and_nowhere_else(to: str, eve: User) -> None:
    browser = Browser()
    answer = browser.post(f"{ASK}?next={to}", {"name": "eve", "next": to})
    assert answer["Location"] == "/login/"
    ask()
    opened = browser.get(f"{link()}?next={to}")
    assert opened["Location"].endswith("/set-password/")
    values = {"new_password1": STRONG, "new_password2": STRONG, "next": to}
    assert browser.post(opened["Location"], values)["Location"] == "/login/"


# --- What follows ---------------------------------------------------------------------


def test_all_sessions_end(eve: User) -> None:
    inside = Browser()
    sign_in("eve", browser=inside)
    ask()
    assert inside.get("/").status_code == 200
    choose(link())
    assert inside.get("/").status_code == 302
    assert not Session.objects.filter(user=eve).exists()


def test_it_is_the_persons_own_password(eve: User) -> None:
    FirstPassword.objects.create(user=eve)
    ask()
    choose(link())
    browser = Browser()
    sign_in(STRONG, browser=browser)
    assert browser.get("/").status_code == 200


def test_who_was_locked_out_signs_in_after_it(eve: User) -> None:
    for _ in range(4):
        sign_in("wrong")
    ask()
    assert sign_in("eve").status_code == 429
    choose(link())
    assert sign_in(STRONG).status_code == 302


# --- Who else could read the token ----------------------------------------------------


def test_no_page_shows_its_token_and_no_other_site_is_told(eve: User) -> None:
    ask()
    path = link()
    token = path.rstrip("/").rpartition("/")[2]
    browser = Browser()
    opened = browser.get(path)
    page = browser.get(opened["Location"])
    assert token not in opened["Location"] + page.text
    assert opened["Referrer-Policy"] == page["Referrer-Policy"] == "same-origin"
    assert "no-store" in page["Cache-Control"]
    assert token not in str(list(AuditEvent.objects.values()))


def test_no_log_tells_its_token(eve: User, caplog: pytest.LogCaptureFixture) -> None:
    ask()
    path = link()
    token = path.rstrip("/").rpartition("/")[2]
    assert token not in masked(f"Forbidden (CSRF cookie not set.): {path}")
    assert token not in masked(f"GET {path.replace('/', '%2F')} 404")
    caplog.set_level("DEBUG")
    strict = Browser(enforce_csrf_checks=True)
    assert strict.post(path, {"new_password1": STRONG}).status_code == 403
    assert strict.get(f"{path}not/there").status_code == 404
    assert "password-reset" in caplog.text
    assert token not in caplog.text
