"""Attacks on the way in: guessing, twins of names, addresses, first passwords."""

import unicodedata
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import hashers
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client as Browser
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from console import checks
from console.access.client_address import client_address
from console.access.roles import Role
from console.connections.demo import given_password, make_demo
from console.models import AuditEvent, FirstPassword, SignInAttempt
from console.models.sign_in_attempt import folded_name
from console.sign_in.throttle import counted_name
from tests.answers import codes
from tests.conftest import make_user

pytestmark = pytest.mark.django_db

STRONG = "tall-Ship-47-leaves"
OTHER = "quiet-Harbour-83-sleeps"
PASSWORD_PAGE = "/account/password/"
LIST = "/users/"


def sign_in(
    name: str, password: str = "wrong", address: str = "192.0.2.1", **headers: str
) -> Any:
    """Return the answer to a try from `address`."""
    browser = Browser(REMOTE_ADDR=address, headers=headers)
    return browser.post("/login/", {"username": name, "password": password})


def is_in(answer: Any) -> bool:
    return "_auth_user_id" in answer.client.session


# --- A name has many spellings -------------------------------------------------------

SPELLINGS = [
    *("sop2 ", " sop2", "sop2\u3000", "sop2\u00a0", "\uff53op2", "s\uff4fp2"),
    # A line end, a superscript, thin and wide spaces, bold letters.
    *("\nsop2\r\n", "sop\u00b2", "\u2009sop2\u2003"),
    "\U0001d42c\U0001d428\U0001d429\U0001d7d0",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_spelling_of_a_locked_name_signs_in(spelling: str) -> None:
    make_user("sop2", Role.VIEWER)
    for _ in range(5):
        sign_in("sop2")
    answer = sign_in(spelling, "sop2")
    assert answer.status_code == 429
    assert not is_in(answer)


def test_guesses_with_other_spellings_count_for_the_name() -> None:
    make_user("sop2", Role.VIEWER)
    for number in range(50):
        spelling = SPELLINGS[number % len(SPELLINGS)] + " " * (number // 10)
        assert sign_in(spelling, address=f"198.51.100.{number}").status_code == 200
    assert sign_in("sop2", "sop2", address="203.0.113.1").status_code == 429
    assert set(SignInAttempt.objects.values_list("name", flat=True)) == {"sop2"}


@given(st.text(max_size=20))
def test_what_signs_in_is_what_is_counted(typed: str) -> None:
    form = AuthenticationForm(data={"username": typed, "password": ""})
    form.is_valid()
    if (name := form.cleaned_data.get("username")) is not None:
        assert counted_name(typed) == folded_name(name)


@pytest.mark.hostile
@pytest.mark.parametrize("spelling", ["EVE", "\uff25ve", "eVe\u2003"])
def test_an_account_that_is_spelt_alike_resets_nothing(spelling: str) -> None:
    make_user("eve", Role.VIEWER)
    twin = unicodedata.normalize("NFKC", spelling).strip()
    make_user(twin, Role.VIEWER)
    for _ in range(4):
        assert sign_in("eve").status_code == 200
    assert is_in(sign_in(spelling, twin))
    sign_in("eve")
    assert sign_in("eve", "eve").status_code == 429


@pytest.mark.parametrize("twin", ["EVE", "\uff45ve", " Eve "])
def test_no_twin_is_made(twin: str) -> None:
    eve = make_user("eve", Role.VIEWER)
    tom = make_user("tom", Role.VIEWER)
    admin = Browser()
    admin.force_login(make_user("admin", Role.ADMIN))
    new = {"username": twin, "password1": STRONG, "password2": STRONG}
    answer = admin.post(f"{LIST}new/", new)
    assert "username" in codes(answer.context["form"])
    answer = admin.post(f"{LIST}{tom.pk}/edit/", {"username": twin})
    assert "username" in codes(answer.context["form"])
    # A person's own name may be spelt anew.
    answer = admin.post(f"{LIST}{eve.pk}/edit/", {"username": "Eve"})
    assert answer.status_code == 302


# --- What is written down about a name -----------------------------------------------


@pytest.mark.parametrize(
    "name", ["eve\nuser.signed_in admin", "a\r\nb", "a\u2028b", "a\x85b", "a\u202eb"]
)
def test_a_name_stays_in_one_line_of_the_audit(name: str) -> None:
    sign_in(name)
    event = AuditEvent.objects.get(action="user.sign_in_failed")
    assert len(event.subject.splitlines()) == 1
    assert not any(sign in event.subject for sign in "\r\n\x85\u2028\u202e")
    assert AuditEvent.objects.first_broken() is None


def test_names_of_other_scripts_are_left_alone() -> None:
    for name in ("山田\u3000太郎", "نام\u200cها", "Zoë 👩\u200d💻"):
        event = AuditEvent.record(action="a.b", subject=name)
        assert event.subject == name


# --- Where somebody comes from -------------------------------------------------------


def seen(proxies: int = 1, peer: str = "10.0.0.1", **named: str) -> str | None:
    headers = {"X-Forwarded-For": named["by"]} if "by" in named else {}
    return client_address(RequestFactory(headers=headers).get("/", REMOTE_ADDR=peer))


@pytest.mark.parametrize(
    ("named", "address"),
    [
        ("203.0.113.7:54321", "203.0.113.7"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("198.51.100.1, 203.0.113.7:1", "203.0.113.7"),
        ('"[2001:db8::2]:5"', "2001:db8::2"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("[::ffff:203.0.113.7]:80", "203.0.113.7"),
        ("64:ff9b::203.0.113.7", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::1"),
        ("203.0.113.7 ", "203.0.113.7"),
    ],
)
def test_an_address_is_read_as_proxies_write_it(
    named: str, address: str, settings: Settings
) -> None:
    settings.TRUST_PROXY = True
    assert seen(by=named) == address


@pytest.mark.parametrize(
    "named", ["unknown", "_hidden", "", ",", "203.0.113.7:x", "1.2.3", "[::1", "a\tb"]
)
def test_what_cannot_be_read_counts_as_the_connection(
    named: str, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.TRUST_PROXY = True
    assert seen(by=named) == "10.0.0.1"
    assert seen() == "10.0.0.1"


def test_as_many_entries_are_passed_over_as_there_are_proxies(
    settings: Settings,
) -> None:
    settings.TRUST_PROXY, settings.PROXY_COUNT = True, 2
    assert seen(by="6.6.6.6, 203.0.113.7:9, 10.9.9.9") == "203.0.113.7"
    # Somebody came by fewer: nothing there is a proxy's word.
    assert seen(by="6.6.6.6") == "10.0.0.1"


def test_without_a_proxy_the_header_says_nothing(settings: Settings) -> None:
    settings.TRUST_PROXY = False
    assert seen(by="203.0.113.7") == "10.0.0.1"
    assert seen(peer="::ffff:203.0.113.9", by="203.0.113.7") == "203.0.113.9"


@pytest.mark.parametrize(
    "form", ["203.0.113.{}:4711", "[2001:db8:{}::1]:4711", "::ffff:203.0.113.{}"]
)
def test_visitors_behind_a_proxy_do_not_lock_each_other_out(
    form: str, settings: Settings
) -> None:
    settings.TRUST_PROXY = True
    make_user("eve", Role.VIEWER)
    for number in range(20):
        named = {"X-Forwarded-For": form.format(number)}
        assert sign_in(f"name-{number}", **named).status_code == 200
    assert is_in(sign_in("eve", "eve", **{"X-Forwarded-For": form.format(99)}))


def test_a_header_that_cannot_be_read_is_told_in_the_log(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.TRUST_PROXY = True
    seen(by="unknown-\r\nentry")
    [record] = [r for r in caplog.records if r.name.endswith("client_address")]
    assert record.levelname == "WARNING"
    assert len(record.getMessage().splitlines()) == 1


def test_proxies_that_are_counted_and_not_trusted_are_warned_of(
    settings: Settings,
) -> None:
    settings.TRUST_PROXY, settings.PROXY_COUNT = False, 2
    assert [found.id for found in checks.proxies(None)] == ["console.W010"]
    settings.TRUST_PROXY = True
    assert checks.proxies(None) == []


# --- Passwords -----------------------------------------------------------------------


def change(browser: Browser, old: str, new: str, again: str = "") -> Any:
    values = {"old_password": old, "new_password1": new, "new_password2": again or new}
    return browser.post(PASSWORD_PAGE, values)


@pytest.fixture
def eve() -> User:
    return make_user("eve", Role.VIEWER)


@pytest.fixture
def browser(eve: User) -> Browser:
    browser = Browser()
    assert (
        browser.post("/login/", {"username": "eve", "password": "eve"}).status_code
        == 302
    )
    return browser


def test_everybody_changes_the_own_password(eve: User, browser: Browser) -> None:
    elsewhere = Browser()
    elsewhere.force_login(eve)
    assert PASSWORD_PAGE in browser.get("/account/").text
    assert browser.get(PASSWORD_PAGE).status_code == 200
    assert change(browser, "eve", STRONG).status_code == 302
    assert browser.get("/account/").status_code == 200
    assert elsewhere.get("/account/").status_code == 302
    eve.refresh_from_db()
    assert eve.check_password(STRONG)
    event = AuditEvent.objects.newest_first()[0]
    assert (event.action, event.subject) == ("user.password_changed", "eve")
    assert STRONG not in str(vars(event))


@pytest.mark.parametrize(
    ("new", "code"),
    [
        ("short-One-47", None),
        ("11-chars-47", "password_too_short"),
        ("1q2w3e4r5t6y", "password_too_common"),
        ("123456789012", "password_entirely_numeric"),
        ("evelyn-evers", "password_too_similar"),
        ("eve", "password_unchanged"),
    ],
)
def test_what_is_easily_guessed_is_refused(
    new: str, code: str | None, eve: User, browser: Browser
) -> None:
    User.objects.filter(pk=eve.pk).update(first_name="evelyn-ever")
    answer = change(browser, "eve", new)
    if code is None:
        assert answer.status_code == 302
        return
    assert answer.status_code == 422
    assert code in codes(answer.context["form"])["new_password1"]
    assert User.objects.get().check_password("eve")


def test_the_old_password_is_guessed_no_more_often_than_at_the_door(
    browser: Browser,
) -> None:
    for _ in range(5):
        assert change(browser, "wrong", STRONG).status_code == 422
    answer = change(browser, "eve", STRONG)
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert User.objects.get().check_password("eve")


def by_admin() -> None:
    admin = Browser()
    admin.force_login(make_user("admin", Role.ADMIN))
    new = {"username": "new", "password1": STRONG, "password2": STRONG}
    assert admin.post(f"{LIST}new/", {**new, "sandbox": "viewer"}).status_code == 302


def by_reset() -> None:
    user = make_user("new", Role.VIEWER)
    admin = Browser()
    admin.force_login(make_user("admin", Role.ADMIN))
    values = {"new_password1": STRONG, "new_password2": STRONG}
    assert admin.post(f"{LIST}{user.pk}/password/", values).status_code == 302


def by_command() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_SUPERUSER_PASSWORD", STRONG)
        call_command("createsuperuser", username="new", email="", interactive=False)


def by_shell() -> None:
    user = make_user("new", Role.VIEWER)
    user.set_password(STRONG)
    user.save(update_fields=["password"])


def by_code() -> None:
    User.objects.create_user("new", password=STRONG)


@pytest.mark.parametrize("given", [by_admin, by_reset, by_command, by_shell, by_code])
def test_a_password_of_somebody_else_opens_nothing_but_its_change(given: Any) -> None:
    given()
    browser = Browser()
    values = {"username": "new", "password": STRONG}
    assert browser.post("/login/", values).status_code == 302
    for page in ("/", "/operations/", "/audit/audit.csv", "/account/", LIST):
        answer = browser.get(page)
        assert answer["Location"].startswith(PASSWORD_PAGE), page
    assert browser.post("/operations/follow/")["Location"].startswith(PASSWORD_PAGE)
    htmx = browser.get("/operations/rows/", headers={"HX-Request": "true"})
    assert htmx["HX-Redirect"].startswith(PASSWORD_PAGE)
    poll = browser.get("/operations/rows/", headers={"X-Poll": "1"})
    assert poll.status_code == 401
    page = browser.get(PASSWORD_PAGE, {"next": "/audit/"})
    assert "/operations/" not in page.text
    assert "/logout/" in page.text
    # The same one again is no other.
    assert change(browser, STRONG, STRONG).status_code == 422
    assert browser.get("/")["Location"].startswith(PASSWORD_PAGE)
    assert change(browser, STRONG, OTHER).status_code == 302
    assert browser.get("/account/").status_code == 200
    assert not FirstPassword.objects.filter(user__username="new").exists()


def test_who_must_change_it_may_leave() -> None:
    by_code()
    browser = Browser()
    browser.post("/login/", {"username": "new", "password": STRONG})
    browser.post("/logout/")
    assert "_auth_user_id" not in browser.session


def test_the_demo_of_this_machine_asks_for_no_other_password() -> None:
    make_demo(password="short", port=8900)
    browser = Browser()
    browser.post("/login/", {"username": "operator", "password": "short"})
    assert browser.get("/").status_code == 200
    # What the person chooses is not taken back by the next start.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEMO_PASSWORD", "short")
        assert given_password() == "short"
        assert change(browser, "short", STRONG).status_code == 302
        assert given_password() == ""


def test_the_demo_of_another_machine_asks_for_one() -> None:
    call_command("demo", password=STRONG, stdout=StringIO())
    browser = Browser()
    browser.post("/login/", {"username": "operator", "password": STRONG})
    assert browser.get("/")["Location"].startswith(PASSWORD_PAGE)


# --- How passwords are kept ----------------------------------------------------------

RAN: list[str] = []


class Old(hashers.PBKDF2PasswordHasher):
    """The hasher of earlier versions, that takes no time and is counted."""

    iterations = 1

    def encode(self, *args: Any, **kwargs: Any) -> str:
        RAN.append("old")
        return super().encode(*args, **kwargs)


class New(hashers.MD5PasswordHasher):
    """Stands for today's."""

    def encode(self, *args: Any, **kwargs: Any) -> str:
        RAN.append("new")
        return super().encode(*args, **kwargs)


@pytest.fixture
def old_and_new(settings: Settings) -> None:
    here = f"{__name__}."
    settings.PASSWORD_HASHERS = [f"{here}New", f"{here}Old"]


def ran(name: str, password: str = "wrong") -> list[str]:
    RAN.clear()
    sign_in(name, password)
    return sorted(RAN)


def test_every_wrong_try_takes_the_same_work(old_and_new: None) -> None:
    make_user("new")
    make_user("closed")
    User.objects.filter(username="closed").update(is_active=False)
    User.objects.create(username="none", password=hashers.make_password(None))
    names = ["new", "closed", "none", "nobody"]
    # All are kept as today: nothing else is worth its time.
    assert [ran(name) for name in names] == [["new"]] * 4
    old = make_user("old")
    User.objects.filter(pk=old.pk).update(
        password=hashers.make_password("old", hasher="pbkdf2_sha256")
    )
    tries = [ran(name) for name in [*names, "old"]]
    assert tries == [["new", "old"]] * 5


def test_an_old_password_counts_and_is_kept_anew(settings: Settings) -> None:
    from console import settings as real

    settings.PASSWORD_HASHERS = real.PASSWORD_HASHERS
    eve = make_user("eve", Role.VIEWER)
    kept = hashers.PBKDF2PasswordHasher().encode("eve", "salt", iterations=1000)
    User.objects.filter(pk=eve.pk).update(password=kept)
    assert is_in(sign_in("eve", "eve"))
    eve.refresh_from_db()
    assert eve.password.startswith("argon2$argon2id$")
    assert not FirstPassword.objects.exists()
    assert is_in(sign_in("eve", "eve"))
