"""The keyboard alone: everything is reached, seen, and never lost."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD, Console
from tests.browser.steps import choose_target, expect_state, review_csv, send

# What the focused element is called: by its label, its words or its name.
FOCUSED = """() => {
  const e = document.activeElement;
  const label = e.labels && e.labels.length ? e.labels[0].textContent : "";
  return (label || e.textContent || e.name || e.tagName).trim().replace(/\\s+/g, " ");
}"""
OUTLINE = """() => {
  const e = document.activeElement;
  const style = getComputedStyle(e);
  const box = e.getBoundingClientRect();
  return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2
    || style.boxShadow !== "none") && box.width > 1 && box.height > 1;
}"""


def focused(page: Page) -> str:
    """Return what has the focus, in words."""
    name: str = page.evaluate(FOCUSED)
    return name


def tab_to(page: Page, name: str, most: int = 40) -> None:
    """Press Tab until `name` has the focus, and fail where the focus is not seen."""
    for _ in range(most):
        page.keyboard.press("Tab")
        assert page.evaluate(OUTLINE), f"the focus on {focused(page)} is not seen"
        if focused(page) == name:
            return
    raise AssertionError(f"{name} was not reached in {most} steps")


def choose(page: Page, label: str, typed: str) -> None:
    """Go to a choice and type the beginning of what it should be."""
    tab_to(page, label)
    page.keyboard.type(typed)


def test_a_record_is_created_without_a_mouse(open_page: Callable[..., Page]) -> None:
    page = open_page(sign_in=False, viewport={"width": 1440, "height": 900})
    page.goto("/login/")
    assert focused(page) == "User name"
    page.keyboard.type("operator")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Home")
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to the page"
    tab_to(page, "Record")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Write one record")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    choose(page, "Project", "Demo")
    choose(page, "Integration", "sales")
    choose(page, "Object", "contact")
    choose(page, "Group", "Demo")
    tab_to(page, "Field 1")
    page.keyboard.type("LastName")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert focused(page).startswith("Value 1")
    page.keyboard.type("Keys")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="The request")).to_be_visible()
    expect(page.locator("main")).to_contain_text("Keys")
    tab_to(page, "Send")
    page.keyboard.press("Enter")
    page.wait_for_url("**/operations/*/")
    expect_state(page, "succeeded")


def test_a_new_row_has_the_focus(page: Page) -> None:
    page.goto("/writes/record/")
    page.get_by_label("Field 1", exact=True).fill("LastName")
    page.get_by_role("button", name="Add a field").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Field 5", exact=True)).to_be_focused()
    expect(page.get_by_label("Field 1", exact=True)).to_have_value("LastName")


def test_enter_in_a_field_with_errors_says_so_and_keeps_all_rows(page: Page) -> None:
    page.goto("/writes/record/")
    choose_target(page, "contact")
    page.get_by_label("Type 1", exact=True).select_option("number")
    page.get_by_label("Value 1", exact=True).fill("twelve")
    page.get_by_label("Field 1", exact=True).fill("LastName")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").first).to_contain_text("Nothing was sent")
    expect(page.get_by_label("Field 4", exact=True)).to_have_count(1)


def test_news_do_not_take_the_focus_away(
    page: Page, console: Console, tmp_path: Path
) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("external_id__c,Name\na-1,One\n")
    console.hold_next_write()
    review_csv(page, "account", "external_id__c", file)
    send(page)
    expect_state(page, "in_progress")
    button = page.locator("#ask-now")
    button.focus()
    console.end_held_write()
    expect_state(page, "succeeded")
    expect(button).to_be_focused()
    expect(page.locator("#operation-news")).not_to_be_empty()


def test_the_list_keeps_the_focus_while_it_keeps_itself_up_to_date(
    page: Page, console: Console, tmp_path: Path
) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("external_id__c,Name\na-1,One\n")
    console.hold_next_write()
    review_csv(page, "account", "external_id__c", file)
    send(page)
    expect_state(page, "in_progress")
    address = urlsplit(page.url).path
    page.goto("/operations/")
    link = page.locator(f'tbody a[href="{address}"]')
    link.focus()
    console.end_held_write()
    expect_state(page, "succeeded", within="tbody")
    expect(link).to_be_focused()
