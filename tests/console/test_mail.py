"""Which notices a person wants by e-mail: chosen on the page of the own account."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from console.access.roles import Role
from console.models import MailWish, Project
from console.variables import Variables
from tests.answers import Shown, levels
from tests.conftest import make_project

pytestmark = [pytest.mark.pages, pytest.mark.django_db]


@pytest.fixture
def viewer(sign_in: Callable[..., Browser], settings: Any) -> Browser:
    """A browser of somebody with an address; the console sends e-mail."""
    settings.SENDS_MAIL = True
    browser = sign_in(Role.VIEWER)
    User.objects.update(email="vera@example.com")
    return browser


def wanted() -> list[int | None]:
    return list(MailWish.objects.order_by("pk").values_list("project", flat=True))


def test_what_is_chosen_is_kept_and_shown(viewer: Browser, project: Project) -> None:
    assert "mail" in Shown(viewer.get("/account/")).ids
    viewer.post("/account/mail/", {"own": "on", "projects": [project.pk]})
    assert wanted() == [None, project.pk]
    assert viewer.get("/account/").content.decode().count("checked") == 2
    viewer.post("/account/mail/", {})
    assert wanted() == []


def test_no_project_is_chosen_that_one_may_not_see(
    sign_in: Callable[..., Browser], settings: Any
) -> None:
    settings.SENDS_MAIL = True
    hidden = make_project("Hidden", environment="production")
    browser = sign_in(Role.VIEWER, production=Role.NONE)
    answer = browser.post("/account/mail/", {"projects": [hidden.pk]}, follow=True)
    assert levels(answer) == ["warning"]
    assert wanted() == []


def test_the_page_says_what_is_missing(viewer: Browser, settings: Any) -> None:
    User.objects.update(email="")
    assert "mail-nowhere" in Shown(viewer.get("/account/")).ids
    settings.SENDS_MAIL = False
    assert "mail-off" in Shown(viewer.get("/account/")).ids


@pytest.mark.parametrize(
    ("value", "port", "how"),
    [
        ("smtp://mail.example.com", 25, {}),
        ("smtp+tls://u:p%40w@mail.example.com", 587, {"use_tls": True}),
        ("smtp+ssl://mail.example.com:4650/", 4650, {"use_ssl": True}),
    ],
)
def test_the_server_is_read_from_one_variable(
    value: str, port: int, how: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMAIL_URL", value)
    options = Variables().mailers("EMAIL_URL", timeout=10)["default"]["OPTIONS"]
    assert options | how == options
    assert (options["host"], options["port"]) == ("mail.example.com", port)
    assert options["password"] == ("p@w" if "p%40w" in value else "")
