"""Every job by forms and links alone, for whoever has no JavaScript."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Console
from tests.browser.steps import (
    choose_target,
    expect_finding,
    expect_state,
    go_to_review,
    leave_out,
    review,
    review_record,
    send,
    upload,
)


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    return open_page(java_script_enabled=False)


def reload_until(page: Page, state: str) -> None:
    """Follow the Refresh link until the operation shows `state`."""
    for _ in range(400):
        if page.locator(f"main .state-{state}").count():
            return
        page.get_by_role("link", name="Refresh").click()
        page.wait_for_timeout(250)
    pytest.fail(f"It never showed {state}")


def choose(page: Page, name: str = "contact") -> None:
    """Choose where to: without JavaScript every project's choices are offered."""
    choose_target(page, name)


def test_a_record_is_typed_reshaped_and_sent(page: Page, console: Console) -> None:
    page.goto("/writes/record/")
    choose(page)
    page.get_by_label("Field 1", exact=True).fill("LastName")
    page.get_by_label("Value 1", exact=True).fill("Scriptless")
    page.get_by_role("button", name="Add a field").click()
    page.get_by_label("Field 5", exact=True).fill("FirstName")
    page.get_by_label("Value 5", exact=True).fill("Ada")
    page.get_by_role("button", name="Show as JSON").click()
    json = page.get_by_label("Record as JSON")
    expect(json).to_have_value(
        '{\n  "LastName": "Scriptless",\n  "FirstName": "Ada"\n}'
    )
    page.get_by_role("button", name="Show as rows").click()
    expect(page.get_by_label("Value 2", exact=True)).to_have_value("Ada")
    page.get_by_role("button", name="Remove row 2").click()
    expect(page.get_by_label("Value 2", exact=True)).to_have_count(0)
    review(page)
    send(page)
    reload_until(page, "succeeded")
    contacts = console.get("/sandbox/records/contact")
    assert [c for c in contacts if c["LastName"] == "Scriptless"]


def test_a_record_with_an_error_keeps_what_was_typed(page: Page) -> None:
    page.goto("/writes/record/")
    choose(page)
    page.get_by_label("Field 1", exact=True).fill("LastName")
    page.get_by_label("Type 1", exact=True).select_option("number")
    page.get_by_label("Value 1", exact=True).fill("Kept")
    page.get_by_role("button", name="Review").click()
    expect(page.get_by_role("alert").first).to_contain_text("Nothing was sent")
    expect(page.get_by_label("Value 1", exact=True)).to_have_value("Kept")


def test_a_csv_is_uploaded_mended_and_sent(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    rows = ["no-script-1", "no-script-2", "no-script-2"]
    file.write_text("\n".join(["custom_id__c", *rows, ""]))
    upload(page, "tactics__c", "custom_id__c", file)
    expect_finding(page, "repeated-key", "custom_id__c", 2)
    leave_out(page, "repeated-key", "custom_id__c")
    expect(page.locator("main")).to_contain_text("2 excluded")
    go_to_review(page)
    send(page)
    reload_until(page, "succeeded")
    log = page.get_by_role("region", name="Log")
    log.get_by_label("Search").fill("validated")
    log.get_by_role("button", name="Search the log").click()
    expect(page.locator(".log tbody tr")).to_have_count(1)
    page.goto("/operations/?text=tactics")
    menu = page.locator("#state-menu")
    menu.locator("summary").click()
    menu.get_by_role("checkbox", name="Succeeded", exact=True).check()
    menu.get_by_role("button", name="Filter").click()
    expect_state(page, "succeeded", within="tbody")
    page.goto("/operations/?text=nothing-like-it")
    page.get_by_role("link", name="Clear filters").first.click()
    expect(page.locator("tbody tr").first).to_be_visible()


def test_a_url_is_sent(page: Page, console: Console) -> None:
    page.goto("/writes/url/")
    choose(page, "tactics__c")
    page.get_by_label("Primary key").fill("custom_id__c")
    page.get_by_label("URL").fill(f"{console.sandbox_url}/sandbox/sample.csv")
    review(page)
    send(page)
    reload_until(page, "succeeded")


def test_an_update_shows_the_record_id(page: Page) -> None:
    page.goto("/writes/record/")
    expect(page.get_by_label("Record id", exact=True)).to_be_visible()


def test_a_group_is_added_and_offered(page: Page) -> None:
    page.goto("/connections/")
    page.get_by_role("link", name="Demo", exact=True).click()
    page.get_by_role("link", name="Add customer").first.click()
    page.get_by_label("GroupRef", exact=False).fill("no-js-customer")
    page.get_by_label("Customer's name").fill("No JS Ltd")
    page.get_by_role("button", name="Add customer").click()
    expect(page.locator("main")).to_contain_text("no-js-customer")
    page.goto("/writes/record/")
    group = page.get_by_label("Customer", exact=True)
    expect(group.locator("option", has_text="no-js-customer")).to_have_count(1)


def test_the_theme_is_chosen(page: Page) -> None:
    page.goto("/")
    page.get_by_role("button", name="Dark theme").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")


def test_a_draft_is_put_away(page: Page) -> None:
    review_record(page, "lead", {"LastName": "Away"})
    page.get_by_role("button", name="Discard").click()
    expect(page.locator("#messages")).to_contain_text("iscarded")
