"""The theme switch."""

from collections.abc import Callable

import pytest
from django.test import Client as Browser

pytestmark = pytest.mark.pages


def test_the_choice_is_kept_for_a_year(sign_in: Callable[..., Browser]) -> None:
    browser = sign_in()
    answer = browser.post("/theme/", {"theme": "dark", "next": "/connections/?a=1"})
    assert answer["Location"] == "/connections/?a=1"
    cookie = answer.cookies["theme"]
    assert (cookie.value, cookie["max-age"]) == ("dark", 31_536_000)
    assert (cookie["samesite"], cookie["httponly"]) == ("Lax", True)
    html = browser.get("/connections/").content.decode()
    assert 'data-bs-theme="dark"' in html


@pytest.mark.parametrize(
    "page",
    ["", "home", "https://evil.example/", "//evil.example", "/\\evil", "javascript:x"],
)
def test_it_leads_nowhere_else(page: str, sign_in: Callable[..., Browser]) -> None:
    answer = sign_in().post("/theme/", {"theme": "light", "next": page})
    assert answer["Location"] == "/"


def test_an_unknown_theme_is_refused(sign_in: Callable[..., Browser]) -> None:
    answer = sign_in().post("/theme/", {"theme": '"><script>'})
    assert answer.status_code == 400
    assert "theme" not in answer.cookies


def test_it_needs_a_post_and_a_person(
    client: Browser, sign_in: Callable[..., Browser]
) -> None:
    assert sign_in().get("/theme/").status_code == 405
    assert client.post("/theme/", {"theme": "dark"}).status_code == 302
    assert "theme" not in client.cookies
