"""The keyboard alone: everything is reached, seen, and never lost."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD, Console
from tests.browser.steps import (
    choose_target,
    expect_state,
    review_csv,
    send,
    upload,
)

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
    choose(page, "Customer", "Demo")
    tab_to(page, "Field 1")
    page.keyboard.type("LastName")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert focused(page).startswith("Value 1")
    page.keyboard.type("Keys")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Request", exact=True)).to_be_visible()
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


def test_enter_in_a_value_sends_the_form_and_leaves_no_line_end(
    page: Page, console: Console
) -> None:
    page.goto("/writes/record/")
    choose_target(page, "lead")
    page.get_by_label("Field 1", exact=True).fill("Street")
    value = page.get_by_label("Value 1", exact=True)
    value.press_sequentially("Main St 1")
    value.press("Shift+Enter")
    value.press_sequentially("Back yard")
    page.get_by_label("Field 2", exact=True).fill("LastName")
    page.get_by_label("Value 2", exact=True).press_sequentially("Enter")
    page.get_by_label("Value 2", exact=True).press("Enter")
    expect(page.get_by_role("heading", name="Request", exact=True)).to_be_visible()
    body = page.get_by_label("Body of the request")
    expect(body).to_contain_text('"Street": "Main St 1\\nBack yard"')
    expect(body).to_contain_text('"LastName": "Enter"')
    expect(page.get_by_role("heading", level=1)).to_be_focused()


def test_back_from_review_has_all_rows_with_names_and_values(page: Page) -> None:
    page.goto("/writes/record/")
    choose_target(page, "lead")
    typed = {f"F{number}__c": f"value {number}" for number in range(1, 7)}
    for number, (name, value) in enumerate(typed.items(), start=1):
        if number > 4:
            page.get_by_role("button", name="Add a field").click()
        page.get_by_label(f"Field {number}", exact=True).fill(name)
        page.get_by_label(f"Value {number}", exact=True).fill(value)
    page.get_by_role("button", name="Review").click()
    expect(page.get_by_role("heading", name="Request", exact=True)).to_be_visible()
    page.go_back()
    for number, (name, value) in enumerate(typed.items(), start=1):
        expect(page.get_by_label(f"Field {number}", exact=True)).to_have_value(name)
        expect(page.get_by_label(f"Value {number}", exact=True)).to_have_value(value)
    # It still is the same draft.
    page.get_by_role("button", name="Review").click()
    expect(page.get_by_role("heading", name="Request", exact=True)).to_be_visible()
    page.get_by_role("button", name="Discard").click()
    expect(page.locator("#messages")).to_contain_text("iscarded")
    page.go_back()
    page.go_back()
    expect(page.locator("main")).to_contain_text("This draft was discarded")


def test_the_focus_goes_to_what_a_button_changed(page: Page) -> None:
    page.goto("/writes/record/")
    page.get_by_label("Field 1", exact=True).fill("A")
    page.get_by_label("Field 2", exact=True).fill("B")
    page.get_by_role("button", name="Show as JSON").click()
    expect(page.get_by_label("Record as JSON")).to_be_focused()
    page.get_by_role("button", name="Show as rows").click()
    expect(page.get_by_label("Field 1", exact=True)).to_be_focused()
    page.get_by_role("button", name="Remove row 1").click()
    expect(page.get_by_label("Field 1", exact=True)).to_be_focused()
    expect(page.get_by_label("Field 1", exact=True)).to_have_value("B")


def test_a_changed_file_is_scrolled_and_unfolded_as_it_was_left(
    page: Page, tmp_path: Path
) -> None:
    file = tmp_path / "rows.csv"
    rows = "".join(f"k-{n},,n\n" for n in range(40))
    file.write_text(f"external_id__c,Name ,Note__c\n{rows},x,y\n k-99,a,{'z' * 9}\n")
    upload(page, "account", "external_id__c", file)
    page.wait_for_url("**/file/")
    groups = page.locator(".finding-group")
    for group in groups.all():
        if group.get_attribute("open") is None:
            group.locator("summary").click()
    button = groups.locator('button[value="leave-out"]').last
    button.scroll_into_view_if_needed()
    top = page.evaluate("window.scrollY")
    with page.expect_navigation():
        button.click()
    assert page.evaluate("window.scrollY") > top / 2
    assert focused(page) not in ("", "BODY")
    for group in groups.all():
        expect(group).to_have_attribute("open", "")


def test_news_do_not_take_the_focus_away(
    page: Page, console: Console, tmp_path: Path
) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("external_id__c,Name\na-1,One\n")
    console.hold_next_write()
    review_csv(page, "account", "external_id__c", file)
    send(page)
    expect_state(page, "in_progress")
    page.locator("#answer-heading").click()
    button = page.locator("#ask-now")
    button.focus()
    console.end_held_write()
    expect_state(page, "succeeded")
    expect(page.locator("#answer")).to_have_attribute("open", "")
    expect(page.locator("#timeline")).to_contain_text("succeeded")
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


def test_back_has_what_was_typed_but_not_after_signing_out(
    open_page: Callable[..., Page],
) -> None:
    page = open_page(sign_in=False)
    page.goto("/login/")
    page.get_by_label("User name").fill("operator")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Home")
    page.goto("/writes/record/")
    page.get_by_label("Value 1", exact=True).fill("half a record")
    token = page.locator("[name=token]").input_value()
    page.get_by_role("link", name="Audit", exact=True).click()
    expect(page).to_have_url(re.compile("/audit/"))
    page.go_back()
    expect(page.get_by_label("Value 1", exact=True)).to_have_value("half a record")
    # It is the same draft, too.
    assert page.locator("[name=token]").input_value() == token
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/login/"))
    for _ in range(2):
        page.go_back()
        expect(page.get_by_label("User name")).to_be_visible()
