"""Who somebody is, is asked again before what does most harm, where that is set."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from pytest_django import Settings

from console.access.roles import Role
from console.models import (
    ApiKey,
    ApprovalRule,
    AuditEvent,
    EnvironmentControl,
    Integration,
    Project,
)
from operations.models import Operation
from tests.answers import codes
from tests.conftest import make_project, make_user
from tests.console.conftest import Clock
from tests.writes.making import make_draft

pytestmark = pytest.mark.django_db
PAGE = "/account/check/"
ALL = ["keys", "roles", "freeze", "production"]


@pytest.fixture
def ada(settings: Settings) -> User:
    settings.IDENTITY_CHECK_FOR = ALL
    return make_user("ada", Role.ADMIN)


@pytest.fixture
def browser(ada: User, clock: Clock) -> Browser:
    """The browser of an admin who signed in some time ago."""
    browser = Browser()
    browser.force_login(ada)
    clock.advance(minutes=31)
    return browser


def is_asked(answer: Any) -> bool:
    return answer.status_code == 302 and answer["Location"].startswith(PAGE)


def show(browser: Browser, password: str = "ada", **values: str) -> Any:
    return browser.post(PAGE, {"password": password, **values})


def acts(project: Project) -> dict[str, list[tuple[str, Callable[[], bool]]]]:
    """Return by word the addresses that ask, and whether they did what they do."""
    key = project.api_keys.get()
    draft = make_draft(project.integrations.get(), User.objects.get(username="ada"))

    rule = ApprovalRule.objects.create(environment="production", action="delete")

    def frozen() -> bool:
        return EnvironmentControl.objects.of("production").frozen_at is not None

    return {
        "keys": [
            (f"/connections/{project.pk}/keys/new/", lambda: _keys() != 1),
            (f"/connections/keys/{key.pk}/rotate/", lambda: _keys() != 1),
            (f"/connections/keys/{key.pk}/revoke/", lambda: _keys() != 1),
        ],
        "freeze": [("/connections/environments/production/freeze/", frozen)],
        "roles": [
            ("/users/new/", lambda: User.objects.count() != 1),
            ("/connections/environments/production/approval/new/", _other_rules),
            (f"/connections/approval-rules/{rule.pk}/delete/", _other_rules),
        ],
        "production": [(f"/writes/{draft.pk}/send/", Operation.objects.exists)],
    }


def _other_rules() -> bool:
    return ApprovalRule.objects.count() != 1


def _keys() -> int:
    return ApiKey.objects.filter(revoked_at=None).count()


def test_each_act_asks_where_it_is_set(
    browser: Browser, ada: User, settings: Settings
) -> None:
    there = acts(make_project(environment="production"))
    for word, addresses in there.items():
        for address, is_done in addresses:
            settings.IDENTITY_CHECK_FOR = [word]
            assert is_asked(browser.post(address, {"reason": "x"})), address
            assert not is_done(), address
            settings.IDENTITY_CHECK_FOR = [each for each in ALL if each != word]
            assert not is_asked(browser.get(address)), address


def test_only_what_goes_to_production_asks(
    browser: Browser, ada: User, integration: Integration
) -> None:
    draft = make_draft(integration, ada)
    assert integration.project.environment == "sandbox"
    assert not is_asked(browser.post(f"/writes/{draft.pk}/send/"))


def test_it_leads_back_and_counts_for_a_while(
    browser: Browser, clock: Clock, project: Project
) -> None:
    page = f"/connections/{project.pk}/keys/new/"
    answer = browser.get(page)
    assert is_asked(answer)
    answer = show(browser, next=page)
    assert (answer.status_code, answer["Location"]) == (302, page)
    assert browser.get(page).status_code == 200
    clock.advance(minutes=14)
    assert browser.get(page).status_code == 200
    clock.advance(minutes=2)
    # Who is typing loses nothing.
    assert browser.post(page, {}).status_code == 422
    assert is_asked(browser.get(page))
    told = AuditEvent.objects.get(action="user.identity_checked")
    assert (told.subject, told.actor_name) == ("ada", "ada")


def test_a_sign_in_counts(ada: User, project: Project) -> None:
    browser = Browser()
    browser.post("/login/", {"username": "ada", "password": "ada"})
    page = f"/connections/{project.pk}/keys/new/"
    assert browser.get(page).status_code == 200


def test_what_was_shown_before_the_clock_was_set_back_counts_no_longer(
    browser: Browser, clock: Clock
) -> None:
    clock.advance(hours=1)
    show(browser)
    assert browser.get("/users/new/").status_code == 200
    clock.advance(minutes=-50)
    assert is_asked(browser.get("/users/new/"))
    show(browser)
    assert browser.get("/users/new/").status_code == 200


def test_a_wrong_answer_is_counted_and_told(browser: Browser) -> None:
    for _ in range(5):
        answer = show(browser, "wrong")
        assert answer.status_code == 422
        assert codes(answer.context["form"]) == {"password": ["password_wrong"]}
    assert show(browser).status_code == 429
    assert is_asked(browser.get("/users/new/"))
    failed = AuditEvent.objects.filter(action="user.identity_check_failed")
    assert failed.count() == 5


def test_it_leads_to_no_other_site(browser: Browser) -> None:
    assert show(browser, next="//evil.example/")["Location"] == "/"


def test_what_was_typed_is_there_again(
    browser: Browser, ada: User, settings: Settings
) -> None:
    project = make_project(environment="production")
    page = make_draft(project.integrations.get(), ada).get_absolute_url()
    note = browser.get(page).text.partition('name="typed_by" value="')[2]
    typed = {"reason": "CASE-4711", "typed_by": note.partition('"')[0]}
    answer = browser.post(f"{page}send/", typed)
    assert is_asked(answer)
    assert not Operation.objects.exists()
    answer = show(browser, next=page)
    assert "CASE-4711" in browser.get(page).text
