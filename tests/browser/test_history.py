"""The list of operations: selecting by keyboard, and views whose counts come later."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Console, no_axe_findings


@pytest.fixture(scope="module")
def console(make_console: Callable[..., Console]) -> Console:
    """A console of its own: what others send is in no list here."""
    return make_console()


def test_lines_are_selected_by_key_and_the_list_then_stands_still(
    listed: Page,
) -> None:
    page = listed
    bar = page.locator(".selection-bar")
    expect(bar).to_be_hidden()
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("[name=operation]:checked")).to_have_count(2)
    expect(bar).to_be_visible()
    expect(page.locator("button[value=refresh]")).to_contain_text("2 operations")
    no_axe_findings(page)
    assert _is_asked(page) is False
    page.keyboard.press("x")
    page.keyboard.press("k")
    page.keyboard.press("x")
    expect(bar).to_be_hidden()
    assert _is_asked(page) is True


def _is_asked(page: Page) -> bool:
    """Return whether the list would ask for news now."""
    asked: bool = page.evaluate(
        """() => {
          const elt = document.getElementById("operation-rows");
          const detail = {elt};
          return elt.dispatchEvent(new CustomEvent(
            "htmx:beforeRequest", {detail, bubbles: true, cancelable: true}));
        }"""
    )
    return asked


def test_a_view_is_saved_from_the_list_and_counted_when_the_page_is_there(
    listed: Page,
) -> None:
    page = listed
    menu = page.locator("#state-menu")
    menu.locator("summary").click()
    no_axe_findings(page)
    page.keyboard.press("Escape")
    expect(menu.locator("summary")).to_be_focused()
    menu.locator("summary").click()
    menu.get_by_label("Succeeded", exact=True).check()
    menu.get_by_role("button", name="Filter").click()
    page.locator("#save-menu summary").click()
    page.locator("#view_name").fill("Went well")
    page.locator("#save-menu").get_by_role("button", name="Save").click()
    link = page.locator("#view-links a", has_text="Went well")
    lines = page.locator("tbody tr").count()
    expect(link.locator(".count")).to_have_text(f"{lines}")
    expect(link).to_have_attribute("aria-current", "page")
    page.locator(".chips a").click()
    page.wait_for_url("**/operations/")
