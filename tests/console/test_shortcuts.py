"""The page of the keyboard shortcuts, its switch, and what the palette may offer."""

from collections.abc import Callable

import pytest
from django.test import Client as Browser

from console.access.roles import Role
from tests.answers import Shown

pytestmark = pytest.mark.pages


def test_single_keys_are_turned_off_for_a_year(sign_in: Callable[..., Browser]) -> None:
    browser = sign_in()
    assert 'data-keys="off"' not in browser.get("/account/").text
    answer = browser.post("/shortcuts/", {"keys": "off", "next": "/account/"})
    assert answer["Location"] == "/account/"
    cookie = answer.cookies["keys"]
    assert (cookie.value, cookie["max-age"]) == ("off", 31_536_000)
    assert (cookie["samesite"], cookie["httponly"]) == ("Lax", True)
    page = browser.get("/account/")
    assert 'data-keys="off"' in page.text
    assert "keys-on" in Shown(page).ids
    browser.post("/shortcuts/", {"keys": "on"})
    assert 'data-keys="off"' not in browser.get("/account/").text


@pytest.mark.parametrize(
    "page", ["", "home", "https://evil.example/", "//evil.example"]
)
def test_the_switch_leads_nowhere_else(
    page: str, sign_in: Callable[..., Browser]
) -> None:
    answer = sign_in().post("/shortcuts/", {"keys": "on", "next": page})
    assert answer["Location"] == "/shortcuts/"


def test_an_unknown_choice_is_refused(sign_in: Callable[..., Browser]) -> None:
    answer = sign_in().post("/shortcuts/", {"keys": '"><script>'})
    assert answer.status_code == 400
    assert "keys" not in answer.cookies


def test_the_palette_has_what_the_person_may_use(
    client: Browser, sign_in: Callable[..., Browser]
) -> None:
    assert "palette" not in client.get("/login/").text
    viewer = sign_in(Role.VIEWER).get("/shortcuts/")
    assert "palette" in Shown(viewer).ids
    assert "/writes/drafts/" not in viewer.text
    assert "/writes/record/" not in viewer.text
    operator = sign_in(Role.OPERATOR, "olga").get("/shortcuts/")
    assert "/writes/drafts/" in operator.text
