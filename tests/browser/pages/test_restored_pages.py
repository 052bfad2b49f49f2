"""Pages of a console whose back-up was restored, before anybody decided."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Console
from tests.browser.reader import Reader
from tests.browser.steps import expect_state


@pytest.fixture(scope="module")
def restored(make_console: Callable[..., Console]) -> Iterator[Console]:
    """A console of its own, see tests/browser/stage_restored.py."""
    console = make_console()
    console.set_up("tests.browser.stage_restored")
    yield console
    console.stop()


def test_what_is_held_after_a_restore(chromium: Browser, restored: Console) -> None:
    reader = Reader(chromium, restored, "operator")
    page = reader.page
    held = page.locator("#restored li")
    expect(held).to_have_count(2)
    reader.look()
    held.first.get_by_role("link").click()
    expect(page.locator("main tbody tr")).to_have_count(2)
    reader.look()
    page.goto(restored.told["held"])
    expect_state(page, "rests")
    reader.look()
    reader.look_at("/connections/environments/", "A back-up was restored")
    reader.context.close()
