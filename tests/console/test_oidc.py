"""Sign-in by a provider: what the console makes of its answers.

tests/oidc has a real provider and a browser.
"""

from typing import Any

import pytest
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.test import Client as Browser
from pytest_django import Settings

from console.access.roles import Role
from console.models import AuditEvent, Grant, Session
from console.models.grant import roles_of
from console.sign_in.oidc import SocialAccountAdapter, roles_by_groups
from tests.conftest import make_user

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
    request._messages = type("Messages", (), {"add": lambda *_: None})()  # type: ignore[attr-defined]
    return request


def answered(
    request: HttpRequest, name: str, *groups: str, **answers: Any
) -> SocialLogin:
    """Have a provider answer that it is `name`, and the console take it."""
    userinfo = {"sub": f"id-{name}", "preferred_username": name, "groups": [*groups]}
    account = SocialAccount(provider="oidc", uid=f"id-{name}")
    account.extra_data = {"userinfo": userinfo, **answers}
    login = SocialLogin(user=User(), account=account)
    if known := SocialAccount.objects.filter(uid=account.uid).first():
        known.extra_data = account.extra_data
        login.account, login.user = known, known.user
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
    issuer = "http://127.0.0.1:1"
    settings.OIDC_ISSUER = issuer
    app = {
        "provider_id": "oidc",
        "name": "Staff login",
        "client_id": "x",
        "secret": "y",
        "settings": {"server_url": issuer},
    }
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}
    answer = client.get("/login/oidc/")
    assert (answer.status_code, answer["Location"]) == (302, "/login/")
    assert "ConnectionError" in AuditEvent.objects.get().detail["reason"]
