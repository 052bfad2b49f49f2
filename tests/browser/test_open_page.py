"""A page that is left open: hidden, signed out, cut off, and live again."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.browser.conftest import (
    PASSWORD,
    Console,
    new_context,
    no_axe_findings,
    signed_in,
)
from tests.browser.steps import expect_state, review_csv, send

HIDE = """() => {
  Object.defineProperty(document, "hidden", {configurable: true, get: () => true});
  document.dispatchEvent(new Event("visibilitychange"));
}"""
SHOW = """() => {
  Object.defineProperty(document, "hidden", {configurable: true, get: () => false});
  document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.fixture
def tab(chromium: Browser, console: Console) -> Iterator[Page]:
    """A signed-in page of its own browser, whose clock can be put forward.

    Unlike `page` it may note that requests failed: here they do.
    """
    state = signed_in(chromium, console)
    context = new_context(chromium, console, storage_state=state)
    page = context.new_page()
    page.clock.install()
    yield page
    context.close()


def open_operation(page: Page, tmp_path: Path, object_name: str) -> None:
    """Send a CSV and stay on the page of its operation."""
    file = tmp_path / "one.csv"
    file.write_text("external_id__c,Name\na-1,One\n")
    review_csv(page, object_name, "external_id__c", file)
    send(page)


def polls_of(page: Page) -> list[Request]:
    """Return a list that grows by each poll that the page makes from now on."""
    seen: list[Request] = []
    page.on("request", lambda r: seen.append(r) if "x-poll" in r.headers else None)
    return seen


def test_a_hidden_page_asks_once_a_minute_and_tells_of_the_end_in_its_title(
    tab: Page, tmp_path: Path
) -> None:
    open_operation(tab, tmp_path, "account")
    tab.evaluate(HIDE)
    other = tab.context.new_page()
    other.goto(tab.url)
    expect_state(other, "succeeded")

    polls = polls_of(tab)
    tab.clock.run_for(50_000)
    assert polls == []
    tab.clock.run_for(20_000)
    expect(tab).to_have_title(re.compile("^✓ Succeeded · Upsert account #"))
    assert len(polls) == 1

    with tab.expect_request(lambda request: "x-poll" in request.headers):
        tab.evaluate(SHOW)


def test_a_page_survives_that_somebody_was_signed_out_and_signs_in_again(
    tab: Page, tmp_path: Path
) -> None:
    open_operation(tab, tmp_path, "fault_never_ends__c")
    expect_state(tab, "in_progress")
    address = tab.url
    tab.context.clear_cookies()
    tab.clock.run_for(15_000)
    notice = tab.locator("[data-about-polling=signed-out]")
    expect(notice).to_be_visible()
    assert tab.url == address
    expect_state(tab, "in_progress")
    no_axe_findings(tab)

    polls = polls_of(tab)
    tab.clock.run_for(60_000)
    assert len(polls) <= 2

    with tab.context.expect_page() as opened:
        tab.get_by_role("link", name="Sign in again").click()
    other = opened.value
    other.get_by_label("User name").fill("operator")
    other.get_by_label("Password").fill(PASSWORD)
    other.get_by_role("button", name="Sign in").click()
    # It leads to the page that one came from.
    expect_state(other, "in_progress")
    assert other.url == address

    tab.evaluate(SHOW)
    expect(notice).to_be_hidden()
    tab.get_by_role("button", name="Refresh from Ampersand").click()
    expect(tab.locator("main")).to_contain_text("Refreshing from Ampersand.")


def test_a_page_says_that_the_console_is_away_and_goes_on_by_itself(
    tab: Page, tmp_path: Path
) -> None:
    open_operation(tab, tmp_path, "fault_never_ends__c")
    expect_state(tab, "in_progress")
    tab.context.set_offline(True)
    notice = tab.locator("[data-about-polling=unreachable]")
    for _ in range(2):
        with tab.expect_event("requestfailed"):
            tab.clock.run_for(5_000)
    expect(notice).to_be_visible()
    no_axe_findings(tab)
    expect(tab.locator("#page-problem")).to_be_hidden()
    polls = polls_of(tab)
    tab.context.set_offline(False)
    tab.clock.run_for(61_000)
    expect(notice).to_be_hidden()
    assert polls
