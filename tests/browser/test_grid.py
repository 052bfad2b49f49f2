"""The grid by keyboard: cells are edited in place, before and after a refusal."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Console, no_axe_findings
from tests.browser.steps import expect_state, send, upload

KEY = "external_id__c"


def cell(page: Page, row: int, column: int) -> Locator:
    """Return the cell of a row in a column, counted from 0."""
    return page.locator(f"#row-{row} > td:not(.of-row)").nth(column)


def test_what_is_wrong_is_fixed_by_keyboard(
    page: Page, console: Console, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    lines = [f"grid-{n},Name {n}" for n in range(1, 31)]
    lines[4], lines[8] = ",Name 5", ",Name 9"
    lines[20] = 'grid-21,"Two\nlines"'
    file.write_text("\n".join([f"{KEY},LastName", *lines]) + "\n")
    upload(page, "contact", KEY, file)
    page.get_by_role("link", name="Edit in the grid").click()
    rows = page.locator("#grid tbody tr")
    expect(rows).to_have_count(2)
    no_axe_findings(page)
    # One cell of the table is reached by Tab, the others by arrows.
    page.keyboard.press("Tab")
    while not page.locator("#grid td:focus").count():
        page.keyboard.press("Tab")
    expect(cell(page, 6, 0)).to_be_focused()
    page.keyboard.type("grid-5")
    page.keyboard.press("Tab")
    expect(page.get_by_label("LastName in row 6")).to_be_focused()
    page.keyboard.type("not kept")
    page.keyboard.press("Escape")
    # The row that is right now is gone, and the reader is where it was.
    expect(rows).to_have_count(1)
    expect(cell(page, 10, 1)).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("F2")
    page.keyboard.type("grid-9")
    page.keyboard.press("Enter")
    expect(rows).to_have_count(0)
    page.get_by_role("navigation", name="Which rows").get_by_text("All").click()
    expect(cell(page, 6, 0)).to_have_text("grid-5 (edited)")
    expect(cell(page, 6, 1)).to_have_text("Name 5")
    # What one line cannot show opens as a form.
    cell(page, 22, 1).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("LastName")).to_have_value("Two\nlines")
    page.get_by_label("LastName").fill("Three\nmore\nlines")
    page.get_by_role("button", name="Save").click()
    expect(cell(page, 22, 1)).to_contain_text("Three⏎more⏎lines")
    no_axe_findings(page)
    page.get_by_role("link", name="Review", exact=True).last.click()
    send(page)
    expect_state(page, "succeeded")
    records = console.get("/sandbox/records/contact")
    names = {record.get(KEY): record["LastName"] for record in records}
    assert (names["grid-5"], names["grid-9"]) == ("Name 5", "Name 9")
    assert names["grid-21"] == "Three\nmore\nlines"


def test_what_was_refused_is_fixed_and_sent_again(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "refused.csv"
    file.write_text(f"{KEY},LastName\nrefused-1,Berg\nrefused-2,\nrefused-3,\n")
    upload(page, "contact", KEY, file)
    send(page)
    expect_state(page, "partly_failed")
    page.get_by_role("button", name="Fix here and retry").click()
    expect(page.locator("#grid tbody tr")).to_have_count(2)
    expect(cell(page, 2, 1)).to_contain_text("REQUIRED_FIELD_MISSING")
    cell(page, 2, 1).focus()
    page.keyboard.type("Tal")
    # Enter goes down.
    page.keyboard.press("Enter")
    page.keyboard.type("Lau")
    page.keyboard.press("Enter")
    expect(cell(page, 3, 1)).to_contain_text("Lau")
    expect(page.locator("#grid .saving")).to_have_count(0)
    page.get_by_role("link", name="Review", exact=True).last.click()
    send(page)
    expect_state(page, "succeeded")


def test_without_javascript_a_row_is_a_form(
    open_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = open_page(java_script_enabled=False)
    file = tmp_path / "scriptless.csv"
    file.write_text(f"{KEY},LastName\n,Berg\nscriptless-2,Tal\n")
    upload(page, "contact", KEY, file)
    page.get_by_role("link", name="Edit in the grid").click()
    expect(page.locator("#grid")).to_contain_text("Berg")
    page.get_by_role("link", name="Edit row 2").click()
    page.get_by_label(KEY).fill("scriptless-1")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Review", exact=True).last.click()
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()
