"""A page in the background tells of news, where the person allowed it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Console, new_context, signed_in
from tests.browser.steps import expect_state, review_csv, send
from tests.browser.test_open_page import HIDE

# Headless Chromium shows no notification: what the page would show is kept.
KEEP_TOLD = """
window.told = [];
window.Notification = class extends EventTarget {
  static permission = "default";
  static async requestPermission() { this.permission = "granted"; return "granted"; }
  constructor(title) { super(); window.told.push(title); }
};
"""

TOLD = "() => window.told"


@pytest.fixture
def tab(chromium: Browser, console: Console) -> Iterator[Page]:
    """A signed-in page whose clock can be put forward."""
    state = signed_in(chromium, console)
    context = new_context(chromium, console, storage_state=state)
    context.add_init_script(KEEP_TOLD)
    page = context.new_page()
    page.clock.install()
    yield page
    context.close()


@pytest.mark.parametrize("is_allowed", [True, False])
def test_the_end_is_told_once_where_it_was_allowed_and_nobody_looks(
    tab: Page, tmp_path: Path, is_allowed: bool
) -> None:
    file = tmp_path / "one.csv"
    file.write_text(f"external_id__c,Name\nn-{is_allowed},One\n")
    review_csv(tab, "account", "external_id__c", file)
    send(tab)
    ask = tab.locator("[data-notify-ask]")
    expect(ask).to_be_visible()
    if is_allowed:
        ask.click()
        expect(ask).to_be_hidden()
    tab.evaluate(HIDE)
    other = tab.context.new_page()
    other.goto(tab.url)
    expect_state(other, "succeeded")
    assert tab.evaluate(TOLD) == []
    tab.clock.run_for(70_000)
    expect(tab).to_have_title(re.compile("^✓"))
    title = tab.title().removesuffix(" · Write Console")
    told = [each.removesuffix(" · Write Console") for each in tab.evaluate(TOLD)]
    assert told == ([title] if is_allowed else [])
