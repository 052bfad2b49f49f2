"""Keyboard shortcuts: palette, search and lists; and that they stay out of the way."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Console, no_axe_findings

FOCUSED_LINE = """() => {
  const line = document.activeElement.closest("tbody tr, .plain-list li");
  return line ? [...line.parentElement.children].indexOf(line) : -1;
}"""


@pytest.fixture(scope="module")
def console(make_console: Callable[..., Console]) -> Console:
    """A console of its own: an unknown outcome is a line above every list."""
    return make_console()


def line(page: Page) -> int:
    """Return which line of its list has the focus, -1 for none."""
    place: int = page.evaluate(FOCUSED_LINE)
    return place


def options(page: Page) -> list[str]:
    """Return what the palette offers."""
    return page.get_by_role("dialog").get_by_role("option").all_inner_texts()


def test_the_palette_goes_to_a_page_and_gives_the_focus_back(page: Page) -> None:
    page.goto("/audit/")
    link = page.get_by_role("link", name="Connections")
    link.focus()
    page.keyboard.press("Control+k")
    box = page.get_by_role("combobox", name="Page, or text")
    expect(box).to_be_focused()
    expect(page.get_by_role("dialog", name="Go to")).to_be_visible()
    assert len(options(page)) > 8
    no_axe_findings(page)
    page.keyboard.press("Escape")
    expect(link).to_be_focused()
    page.keyboard.press("Control+k")
    page.keyboard.type("from url")
    assert options(page)[0] == "New write: From URL"
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/writes/url/$"))


def test_the_palette_searches_everything(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Control+k")
    page.keyboard.type("no page & has this")
    expect(page.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url("**/search/?q=*")
    expect(page.locator("#top-search")).to_have_value("no page & has this")
    expect(page.locator("#nothing-found")).to_be_visible()
    no_axe_findings(page)


def test_the_box_of_every_page_finds_what_was_written(listed: Page) -> None:
    page = listed
    page.goto("/connections/")
    page.keyboard.press("/")
    page.keyboard.type("jay")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search/?q=jay")
    hit = page.locator("#kind-values .row-title a")
    expect(hit.first).to_have_text("Create contact")
    no_axe_findings(page)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/operations/\d+/$"))


def test_arrows_choose_in_the_palette(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Control+k")
    chosen = page.get_by_role("option", selected=True)
    expect(chosen).to_have_text("Home")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    expect(chosen).to_have_text("New write: Record")
    expect(page.locator("#palette-text")).to_have_attribute(
        "aria-activedescendant", str(chosen.get_attribute("id"))
    )
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/writes/record/$"))


def test_slash_and_question_mark(page: Page) -> None:
    page.goto("/audit/")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    no_axe_findings(page)
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.locator("#top-search")).to_be_focused()
    expect(page.locator("#top-search")).to_have_value("")


def test_j_and_k_go_through_a_list_and_enter_opens(listed: Page) -> None:
    page = listed
    first = page.locator("tbody tr").first.locator(".row-title a")
    address = str(first.get_attribute("href"))
    page.keyboard.press("j")
    assert line(page) == 0
    page.keyboard.press("j")
    assert line(page) == 1
    page.keyboard.press("k")
    assert line(page) == 0
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(outline) != "none"
    page.keyboard.press("k")
    assert line(page) == 0
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"{address}$"))


@pytest.mark.parametrize("address", ["/audit/", "/"])
def test_other_lists_have_the_keys_too(address: str, listed: Page) -> None:
    listed.goto(address)
    listed.keyboard.press("j")
    assert line(listed) == 0


def test_no_key_fires_while_typing_or_with_a_modifier(page: Page) -> None:
    page.goto("/operations/")
    search = page.get_by_role("searchbox", name="Search").last
    search.click()
    page.keyboard.type("jk/?")
    expect(search).to_have_value("jk/?")
    expect(search).to_be_focused()
    expect(page.locator("dialog[open]")).to_have_count(0)
    search.blur()
    for key in ("Control+j", "Alt+j", "Control+/", "Alt+k", "Control+Shift+K"):
        page.keyboard.press(key)
    expect(page.locator("dialog[open]")).to_have_count(0)
    assert line(page) == -1


def test_single_keys_are_turned_off_in_the_account(listed: Page) -> None:
    page = listed
    page.goto("/account/")
    page.locator("#keys-off").click()
    expect(page.locator("#keys-on")).to_be_visible()
    page.goto("/operations/")
    for key in ("j", "/", "?"):
        page.keyboard.press(key)
    assert line(page) == -1
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.keyboard.press("Control+k")
    expect(page.locator("#palette-text")).to_be_focused()


def test_all_of_it_is_reached_without_javascript(
    open_page: Callable[..., Page],
) -> None:
    page = open_page(java_script_enabled=False)
    page.goto("/")
    page.get_by_role("link", name="Keyboard shortcuts").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Keyboard shortcuts")
    page.locator("#keys-off").click()
    expect(page.locator("#keys-on")).to_be_visible()
