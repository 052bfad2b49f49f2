"""Pages of a console in which nothing was done yet."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Console
from tests.browser.reader import Reader


@pytest.fixture(scope="module")
def blank(make_console: Callable[..., Console]) -> Iterator[Console]:
    """A console of its own."""
    console = make_console()
    yield console
    console.stop()


def test_the_sign_in_page(chromium: Browser, blank: Console) -> None:
    reader = Reader(chromium, blank)
    reader.page.goto("/login/")
    reader.look()
    reader.page.get_by_label("User name").fill("nobody")
    reader.page.get_by_label("Password").fill("wrong")
    reader.page.get_by_role("button", name="Sign in").click()
    expect(reader.page.get_by_role("alert").first).to_contain_text("do not match")
    reader.look()
    reader.context.close()


def test_pages_without_anything_to_show(chromium: Browser, blank: Console) -> None:
    reader = Reader(chromium, blank, "operator")
    expect(reader.page.locator("main")).to_contain_text("No writes yet")
    reader.look()
    reader.look_at("/operations/", "No operations yet")
    reader.context.close()
