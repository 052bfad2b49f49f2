"""Tokens: shown once, kept as a digest, and over as soon as somebody says so."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from console.access.roles import Role
from console.models import ApiToken, AuditEvent, FirstPassword
from tests.answers import Shown
from tests.api.conftest import Ask
from tests.conftest import make_token, make_user

pytestmark = [pytest.mark.pages, pytest.mark.django_db]

FORM = {"name": "Warehouse", "scopes": ["history:read"], "days": "30"}


def signed_in(user: User) -> Browser:
    browser = Browser()
    browser.force_login(user)
    return browser


def test_a_token_is_shown_once_and_kept_as_a_digest(vera: User, ask: Ask) -> None:
    browser = signed_in(vera)
    before = set(ApiToken.objects.values_list("pk", flat=True))
    page = browser.post(reverse("token_new"), FORM)
    token = ApiToken.objects.exclude(pk__in=before).get()
    (text,) = re.findall(r"wc_[\w-]{43}", Shown(page).texts["api-token"])
    assert token.token_sha256 == ApiToken.digest(text)
    assert text.startswith(token.prefix)
    assert token.expires_at
    assert timedelta(days=29) < token.expires_at - timezone.now() < timedelta(days=31)
    assert ask("operations", text).status_code == 200
    account = browser.get(reverse("account")).content.decode()
    assert token.prefix in account
    assert text not in account
    event = AuditEvent.objects.newest_first()[0]
    assert (event.action, event.actor) == ("token.made", vera)
    assert event.detail["prefix"] == token.prefix
    assert text not in str(AuditEvent.objects.values_list())


@pytest.mark.parametrize(
    "wrong", [{"name": ""}, {"scopes": []}, {"scopes": ["write"]}, {"days": "31"}]
)
def test_a_token_needs_a_name_scopes_and_a_known_time(
    wrong: dict[str, Any], vera: User
) -> None:
    answer = signed_in(vera).post(reverse("token_new"), {**FORM, **wrong})
    assert answer.status_code == 422
    assert not vera.api_tokens.exists()


def test_a_person_has_so_many_tokens_at_most(vera: User) -> None:
    for _ in range(20):
        make_token(vera)
    answer = signed_in(vera).post(reverse("token_new"), FORM)
    assert answer.status_code == 422
    assert vera.api_tokens.count() == 20


def test_who_revokes_a_token_ends_it_at_once(vera: User, ask: Ask) -> None:
    token = vera.api_tokens.get()
    browser = signed_in(vera)
    browser.post(reverse("token_revoke"), {"token": token.pk})
    assert ask("operations").status_code == 401
    event = AuditEvent.objects.newest_first()[0]
    assert (event.action, event.detail["prefix"]) == ("token.revoked", token.prefix)
    events = AuditEvent.objects.count()
    browser.post(reverse("token_revoke"), {"token": token.pk})
    assert AuditEvent.objects.count() == events


def test_nobody_revokes_the_token_of_somebody_else_but_an_admin(
    vera: User, ask: Ask, sign_in: Callable[..., Browser]
) -> None:
    token = vera.api_tokens.get()
    sign_in(Role.OPERATOR).post(reverse("token_revoke"), {"token": token.pk})
    assert ask("operations").status_code == 200
    admin = sign_in(Role.ADMIN)
    page = reverse("users:detail", args=[vera.pk])
    assert token.prefix in admin.get(page).content.decode()
    # A token that is not of the person on the page is not there.
    other = make_user("other", Role.VIEWER)
    admin.post(reverse("users:token_revoke", args=[other.pk]), {"token": token.pk})
    assert ask("operations").status_code == 200
    admin.post(reverse("users:token_revoke", args=[vera.pk]), {"token": token.pk})
    assert ask("operations").status_code == 401
    event = AuditEvent.objects.newest_first()[0]
    assert (event.action, event.actor_name) == ("token.revoked", "admin")
    assert event.detail["user"] == "vera"


@pytest.mark.parametrize("junk", ["", "x", "0", "99999999999999999999", "\x00"])
def test_what_names_no_token_revokes_none(junk: str, vera: User, ask: Ask) -> None:
    answer = signed_in(vera).post(reverse("token_revoke"), {"token": junk})
    assert answer.status_code == 302
    assert vera.api_tokens.exists()


def test_a_token_ends_with_its_time_its_account_and_a_reset_password(
    vera: User, ask: Ask
) -> None:
    mine = vera.api_tokens
    mine.update(expires_at=timezone.now() + timedelta(minutes=1))
    assert ask("operations").status_code == 200
    mine.update(expires_at=timezone.now())
    assert ask("operations").status_code == 401
    mine.update(expires_at=None)
    first = FirstPassword.objects.create(user=vera)
    assert ask("operations").status_code == 401
    first.delete()
    assert ask("operations").status_code == 200
    vera.is_active = False
    vera.save()
    assert ask("operations").status_code == 401


def test_the_last_use_is_kept_to_the_minute(vera: User, ask: Ask) -> None:
    ask("operations")
    used = vera.api_tokens.get().used_at
    assert used
    assert (used.second, used.microsecond) == (0, 0)
    assert timezone.now() - used < timedelta(minutes=2)


def test_so_many_requests_a_minute_and_no_more(vera: User) -> None:
    make_token(vera)
    token = vera.api_tokens.get()
    minute = timezone.now().replace(second=0, microsecond=0)
    assert [token.spend(minute, most=3) for _ in range(5)] == [True] * 3 + [False] * 2
    # A clock that is behind gets no more out of it, and the next minute is a new one.
    assert not token.spend(minute - timedelta(minutes=1), most=3)
    assert token.spend(minute + timedelta(minutes=1), most=3)
    token.refresh_from_db()
    assert token.used_count == 1


def test_a_clock_that_was_set_back_locks_no_token_out(vera: User, ask: Ask) -> None:
    ahead = timezone.now() + timedelta(days=400)
    for minutes in (0, 3):
        vera.api_tokens.update(
            used_at=ahead + timedelta(minutes=minutes), used_count=100_000
        )
        assert ask("operations").status_code == 200
        token = vera.api_tokens.get()
        assert token.used_count == 1
        assert token.used_at
        assert token.used_at <= timezone.now()
