"""Sign-in by a provider: what the console makes of its answers.

tests/oidc has a real provider and a browser.
"""

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest, HttpResponse
from django.test import Client as Browser
from pytest_django import Settings

from console.access.roles import Role
from console.models import AuditEvent, Grant, Session
from console.models.grant import roles_of
from console.sign_in.oidc import SocialAccountAdapter, groups_of, roles_by_groups
from console.views import oidc
from tests.answers import Shown, levels
from tests.conftest import make_user
from tests.console.conftest import Clock
from tests.files.remote_web import Reply, served

pytestmark = pytest.mark.django_db
GROUPS = [
    ("admins", "admin", "sandbox"),
    ("ops", "operator", ""),
    ("readers", "viewer", "production"),
]


@pytest.fixture(autouse=True)
def _groups(settings: Settings) -> None:
    settings.OIDC_GROUPS = GROUPS
    settings.OIDC_NAME = "Staff login"


@pytest.fixture
def request_(rf: Any) -> HttpRequest:
    """A request as middlewares hand it on."""
    request: HttpRequest = rf.get("/login/oidc/callback/")
    request.user = AnonymousUser()
    request._messages = type("Messages", (), {"add": lambda *_: None})()  # type: ignore[attr-defined]
    return request


def answered(
    request: HttpRequest, name: str, *groups: str, process: str = "", **answers: Any
) -> SocialLogin:
    """Have a provider answer that it is `name`, and the console take it."""
    userinfo = {"sub": f"id-{name}", "preferred_username": name, "groups": [*groups]}
    account = SocialAccount(provider="oidc", uid=f"id-{name}")
    account.extra_data = {"userinfo": userinfo, **answers}
    login = SocialLogin(user=User(), account=account)
    if known := SocialAccount.objects.filter(uid=account.uid).first():
        known.extra_data = account.extra_data
        login.account, login.user = known, known.user
    login.state = {"process": process}
    SocialAccountAdapter().pre_social_login(request, login)
    return login


@pytest.mark.parametrize(
    ("groups", "roles"),
    [
        ([], ("", "", "")),
        (["lunch"], ("", "", "")),
        (["ops"], ("operator", "operator", "operator")),
        (["ops", "admins"], ("admin", "operator", "operator")),
        # The highest of several, whatever their order.
        (["readers", "ops"], ("operator", "operator", "operator")),
        (["readers"], ("", "", "viewer")),
    ],
)
def test_groups_give_the_highest_role(groups: list[str], roles: tuple[str]) -> None:
    places = ("sandbox", "test", "production")
    assert roles_by_groups(groups) == dict(zip(places, roles, strict=True))


def test_somebody_new_is_made_without_a_password(request_: HttpRequest) -> None:
    login = answered(request_, "grace", "ops")
    person = User.objects.get(username="grace")
    assert login.is_existing
    assert not person.has_usable_password()
    assert set(roles_of(person).values()) == {"operator"}
    # Nothing that the provider said is kept but who it is.
    account = SocialAccount.objects.get()
    assert (account.uid, account.extra_data) == ("id-grace", {})


@pytest.mark.parametrize("spelling", ["eve", "EVE", "\uff45ve"])
def test_a_name_takes_nobody_over(request_: HttpRequest, spelling: str) -> None:
    eve = make_user("eve", Role.ADMIN)
    answered(request_, spelling, "readers")
    other = User.objects.exclude(pk=eve.pk).get()
    assert other.username.endswith("-2")
    assert roles_of(other) == {"production": "viewer"}
    assert set(roles_of(eve).values()) == {"admin"}


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("CORP\\anne", "CORP-anne"),
        ("Anne O'Neil", "Anne-O-Neil"),
        ("auth0|1234", "auth0-1234"),
        ("日本語", "日本語"),
    ],
)
def test_any_name_becomes_one_that_users_have(
    request_: HttpRequest, said: str, name: str
) -> None:
    answered(request_, said, "ops")
    assert User.objects.get().username == name


@pytest.mark.parametrize("address", ["none", "a@b", "x" * 300 + "@example.com", "\0"])
def test_what_is_no_address_keeps_nobody_out(
    request_: HttpRequest, address: str
) -> None:
    told = {"email": address, "given_name": "Gr\0ace", "family_name": "\ud800"}
    answered(request_, "grace", "ops", id_token={**told, "sub": "id-grace"})
    grace = User.objects.get()
    assert (grace.email, grace.first_name, grace.last_name) == ("", "Grace", "?")


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("ops", ["ops"]),
        (["ops", 5], ["ops", "5"]),
        ({"ops": {}}, ["ops"]),
        (5, ["5"]),
        (True, ["True"]),
        ("", []),
        (None, []),
        ([], []),
        ("ops-of-others", ["ops-of-others"]),
    ],
)
def test_groups_are_read_however_they_are_told(said: Any, found: list[str]) -> None:
    assert groups_of({"groups": said}) == found


def test_roles_that_an_admin_gave_go_as_well(request_: HttpRequest) -> None:
    person = answered(request_, "grace", "readers").user
    Grant.objects.create(user=person, environment="test", role="admin")
    answered(request_, "grace", "readers")
    assert roles_of(User.objects.get(pk=person.pk)) == {"production": "viewer"}
    told = AuditEvent.objects.filter(action="user.changed").order_by("pk").last()
    assert told is not None
    assert told.detail == {"by_groups_of": "Staff login", "test": ["admin", ""]}


def test_who_lost_all_groups_is_out_at_once(request_: HttpRequest) -> None:
    person = answered(request_, "grace", "ops").user
    Browser().force_login(person)
    assert Session.objects.filter(user=person).exists()
    with pytest.raises(ImmediateHttpResponse):
        answered(request_, "grace")
    assert not Grant.objects.filter(user=person).exists()
    assert not Session.objects.filter(user=person).exists()


def test_answers_about_two_people_let_nobody_in(request_: HttpRequest) -> None:
    with pytest.raises(ImmediateHttpResponse):
        answered(request_, "grace", "ops", id_token={"sub": "id-mallory"})
    assert not User.objects.exists()
    assert AuditEvent.objects.get().action == "user.sign_in_failed"


@pytest.mark.parametrize("path", ["/login/oidc/", "/login/oidc/callback/?code=x"])
def test_without_a_provider_one_signs_in_by_password(
    client: Browser, path: str
) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer["Location"]) == (302, "/login/")
    assert not Session.objects.exists()
    assert client.get("/login/").context["by_provider"] == ""
    assert not AuditEvent.objects.exists()


def test_a_provider_that_is_away_is_told(client: Browser, settings: Settings) -> None:
    # Nobody listens there.
    provided_by(settings, "http://127.0.0.1:1")
    answer = client.get("/login/oidc/")
    assert (answer.status_code, answer["Location"]) == (302, "/login/")
    assert "ConnectionError" in AuditEvent.objects.get().detail["reason"]


def provided_by(settings: Settings, issuer: str) -> None:
    """Have the provider at this address sign people in."""
    settings.OIDC_ISSUER = issuer
    app = {
        "provider_id": "oidc",
        "name": "Staff login",
        "client_id": "x",
        "secret": "y",
        "settings": {"server_url": issuer},
    }
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}


def said(value: object) -> Reply:
    """What a provider answers, as JSON."""
    body = json.dumps(value).encode()
    return Reply(body=body, headers={"Content-Type": "application/json"})


NONSENSE = [said(None), said([]), said({}), said("no"), Reply(body=b"<html>")]


@pytest.mark.parametrize("reply", NONSENSE)
def test_a_provider_that_tells_nothing_of_itself_is_told_of(
    client: Browser, settings: Settings, reply: Reply
) -> None:
    with served() as web:
        web.replies["*"] = reply
        provided_by(settings, web.at(""))
        answer = client.get("/login/oidc/")
    assert (answer.status_code, answer["Location"]) == (302, "/login/")
    assert AuditEvent.objects.get().action == "user.sign_in_failed"


TOKEN = {"access_token": "t"}


@pytest.mark.parametrize(
    ("token", "userinfo"),
    [
        *((reply, said({"sub": "1"})) for reply in NONSENSE),
        (said({**TOKEN, "expires_in": "soon"}), said({"sub": "1"})),
        (said({**TOKEN, "id_token": 7}), said({"sub": "1"})),
        *((said(TOKEN), reply) for reply in NONSENSE),
        (said(TOKEN), said({"sub": None})),
    ],
)
def test_a_provider_that_answers_nonsense_signs_nobody_in(
    client: Browser, settings: Settings, token: Reply, userinfo: Reply
) -> None:
    with served() as web:
        ends = {"token": token, "userinfo": userinfo, "jwks": said({})}
        web.replies = {f"/{name}": reply for name, reply in ends.items()}
        addresses = {f"{name}_endpoint": web.at(f"/{name}") for name in ends}
        web.replies["*"] = said(
            {
                "issuer": web.at(""),
                "jwks_uri": web.at("/jwks"),
                "authorization_endpoint": web.at("/authorize"),
                **addresses,
            }
        )
        provided_by(settings, web.at(""))
        there = client.get("/login/oidc/")["Location"]
        (state,) = parse_qs(urlsplit(there).query)["state"]
        answer = client.get("/login/oidc/callback/", {"code": "c", "state": state})
    assert (answer.status_code, answer["Location"]) == (302, "/login/")
    assert not User.objects.exists()
    assert AuditEvent.objects.get().action == "user.sign_in_failed"


# --- Connecting one's own account -----------------------------------------------------

AWAY = "/account/disconnect/"


@pytest.fixture
def eve(settings: Settings) -> User:
    settings.OIDC_ISSUER = "http://127.0.0.1:1"
    return make_user("eve", Role.VIEWER)


@pytest.fixture
def inside(eve: User) -> Browser:
    """A browser in which eve signed in just now."""
    browser = Browser()
    browser.post("/login/", {"username": "eve", "password": "eve"})
    return browser


def connected(
    request: HttpRequest, person: Any, name: str, *groups: str, **answers: Any
) -> Any:
    """Have the provider answer that it is `name`, to `person` who connects."""
    request.user = person
    with pytest.raises(ImmediateHttpResponse) as end:
        answered(request, name, *groups, process="connect", **answers)
    return end.value.response


def begin(browser: Browser) -> Any:
    """Press Connect on the page of the account."""
    page = browser.get("/account/").text
    (address,) = re.findall(r'id="connect" href="([^"]+)"', page)
    return browser.get(address)


def test_a_person_connects_their_own_account(
    request_: HttpRequest, eve: User, inside: Browser
) -> None:
    answer = connected(request_, eve, "grace", "readers")
    assert answer["Location"] == "/account/"
    account = SocialAccount.objects.get()
    assert (account.user, account.uid, account.extra_data) == (eve, "id-grace", {})
    event = AuditEvent.objects.get(action="user.connected")
    assert (event.subject, event.actor_name) == ("eve", "eve")
    assert event.detail == {"to": "Staff login", "name": "grace"}
    assert "connected" in Shown(inside.get("/account/")).ids
    # Nobody new, and the roles change once she comes by the provider.
    assert set(roles_of(eve).values()) == {"viewer"}
    assert answered(request_, "grace", "readers").user == eve
    assert roles_of(eve) == {"production": "viewer"}
    assert User.objects.count() == 1


@pytest.mark.parametrize("verified", [True, False])
def test_an_equal_address_connects_nobody(
    request_: HttpRequest, eve: User, verified: bool
) -> None:
    User.objects.filter(pk=eve.pk).update(email="eve@example.com")
    told = {"email": "eve@example.com", "email_verified": verified, "sub": "id-grace"}
    other = answered(request_, "grace", "readers", id_token=told).user
    assert other != eve
    assert not SocialAccount.objects.filter(user=eve).exists()


def test_who_is_another_user_already_stays_so(request_: HttpRequest, eve: User) -> None:
    other = answered(request_, "grace", "readers").user
    assert connected(request_, eve, "grace", "readers")["Location"] == "/account/"
    assert SocialAccount.objects.get().user == other
    assert not AuditEvent.objects.filter(action="user.connected").exists()


def test_one_is_connected_with_one(request_: HttpRequest, eve: User) -> None:
    connected(request_, eve, "grace", "readers")
    connected(request_, eve, "mallory", "readers")
    connected(request_, eve, "grace", "readers")
    assert SocialAccount.objects.get().uid == "id-grace"
    assert AuditEvent.objects.filter(action="user.connected").count() == 1


def test_who_would_lose_all_roles_by_it_is_not_connected(
    request_: HttpRequest, eve: User
) -> None:
    connected(request_, eve, "grace", "lunch")
    assert not SocialAccount.objects.exists()


def test_two_answers_about_two_people_connect_nobody(
    request_: HttpRequest, eve: User
) -> None:
    answer = connected(request_, eve, "grace", "ops", id_token={"sub": "id-mallory"})
    assert answer["Location"] == "/account/"
    assert not SocialAccount.objects.exists()


def test_who_left_meanwhile_connects_nothing(request_: HttpRequest, eve: User) -> None:
    answer = connected(request_, AnonymousUser(), "grace", "ops")
    assert answer["Location"] == "/login/"
    assert not SocialAccount.objects.exists()


def test_it_is_taken_back_by_who_has_a_password(
    request_: HttpRequest, eve: User, inside: Browser, clock: Clock
) -> None:
    connected(request_, eve, "grace", "readers")
    elsewhere = Browser()
    elsewhere.force_login(eve)
    clock.advance(minutes=31)
    assert inside.post(AWAY)["Location"].startswith("/account/check/")
    inside.post("/account/check/", {"password": "eve"})
    assert "disconnect" in Shown(inside.get("/account/")).ids
    assert inside.post(AWAY)["Location"] == "/account/"
    assert levels(inside.get("/account/")) == ["success"]
    assert not SocialAccount.objects.exists()
    assert elsewhere.get("/account/").status_code == 302
    event = AuditEvent.objects.get(action="user.disconnected")
    assert (event.subject, event.detail) == ("eve", {"of": "Staff login"})
    # Pressed twice it is done once.
    inside.post(AWAY)
    assert AuditEvent.objects.filter(action="user.disconnected").count() == 1
    # The provider names somebody new now.
    assert answered(request_, "grace", "readers").user != eve


def test_who_has_no_password_stays_connected(request_: HttpRequest, eve: User) -> None:
    grace = answered(request_, "grace", "readers").user
    browser = Browser()
    browser.force_login(grace)
    assert "disconnect" not in Shown(browser.get("/account/")).ids
    browser.post(AWAY)
    assert SocialAccount.objects.get().user == grace


def test_it_leads_to_the_provider(
    inside: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def lead(request: HttpRequest, provider_id: str) -> HttpResponse:
        asked.append((provider_id, request.GET.dict()))
        return HttpResponse()

    monkeypatch.setattr(oidc.views, "login", lead)
    assert begin(inside).status_code == 200
    assert asked == [("oidc", {"process": "connect"})]


def test_it_asks_first_who_that_is(inside: Browser, clock: Clock) -> None:
    inside.get("/account/")
    clock.advance(minutes=16)
    assert begin(inside)["Location"].startswith("/account/check/")


@pytest.mark.parametrize("query", ["", "?sign=", "?sign=x", "?sign=%00"])
def test_no_other_site_begins_it(query: str, inside: Browser) -> None:
    answer = inside.get(f"/account/connect/{query}")
    assert answer["Location"] == "/account/"
    assert levels(inside.get("/account/")) == ["warning"]


def test_without_a_provider_there_is_none_to_connect(
    inside: Browser, settings: Settings
) -> None:
    settings.OIDC_ISSUER = ""
    assert "provider" not in Shown(inside.get("/account/")).ids


def test_who_is_not_signed_in_connects_nothing(client: Browser) -> None:
    assert client.get("/account/connect/")["Location"].startswith("/login/")


def test_groups_that_would_take_the_last_admin_let_nobody_in(
    request_: HttpRequest, eve: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = make_user("ada", Role.ADMIN)
    connected(request_, ada, "ada", "ops")
    request_.user = AnonymousUser()

    def come(request: HttpRequest, provider_id: str) -> None:
        answered(request, "ada", "readers")

    monkeypatch.setattr(oidc.views, "callback", come)
    browser = Browser()
    answer = browser.get("/login/oidc/callback/")
    assert answer["Location"] == "/login/"
    assert set(roles_of(ada).values()) == {"admin"}
    assert levels(browser.get("/login/")) == ["warning"]
    assert AuditEvent.objects.filter(action="user.sign_in_failed").count() == 1
