"""Pages go out compressed, but never one that another site had a browser ask for."""

import gzip

import pytest
from django.test import Client as Browser

from console.access.roles import Role
from tests.conftest import make_user


@pytest.fixture
def browser(db: None) -> Browser:
    browser = Browser(headers={"Accept-Encoding": "gzip"})
    browser.force_login(make_user("vera", Role.VIEWER))
    return browser


@pytest.mark.parametrize(
    ("asked_by", "is_secure", "is_compressed"),
    [
        ("same-origin", True, True),
        ("none", True, True),
        ("same-site", True, False),
        ("cross-site", True, False),
        ("cross-site", False, False),
        # Browsers say it by TLS and on the machine itself; over plain HTTP all is seen.
        ("", True, False),
        ("", False, True),
    ],
)
def test_a_page_is_compressed_for_whoever_is_here(
    browser: Browser, asked_by: str, is_secure: bool, is_compressed: bool
) -> None:
    headers = {"Sec-Fetch-Site": asked_by} if asked_by else {}
    page = browser.get("/operations/?text=guess", headers=headers, secure=is_secure)
    assert page.status_code == 200
    assert (page.get("Content-Encoding") == "gzip") is is_compressed
    text = gzip.decompress(page.content) if is_compressed else page.content
    assert b'value="guess"' in text


def test_the_length_says_nothing_exact(browser: Browser) -> None:
    lengths = {len(browser.get("/operations/").content) for _ in range(20)}
    assert len(lengths) > 5


def test_a_download_is_not_compressed(browser: Browser) -> None:
    table = browser.get("/audit/audit.csv", headers={"Sec-Fetch-Site": "same-origin"})
    assert table.streaming
    assert "Content-Encoding" not in table
