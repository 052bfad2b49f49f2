"""The main job: write, watch, drill in, find again."""

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
    read_so,
    review,
    review_csv,
    review_record,
    send,
    upload,
)
from tests.example_files import (
    NO_DAY,
    exported_accounts,
    opportunities,
    opportunities_with_a_bad_row,
)


@pytest.fixture
def bad_row(tmp_path: Path) -> Path:
    """A file of opportunities with one that the provider refuses."""
    return saved(tmp_path, opportunities_with_a_bad_row())


def saved(folder: Path, data: bytes) -> Path:
    """Return the path of a file to choose."""
    path = folder / "example.csv"
    path.write_bytes(data)
    return path


def test_a_record_is_created_and_then_updated(page: Page, console: Console) -> None:
    review_record(page, "contact", {"FirstName": "Mara", "LastName": "Berg"})
    expect(page.locator("main")).to_contain_text("1 contact record")
    expect(page.locator("main")).to_contain_text("Demo customer")
    expect(page.locator("main")).to_contain_text("••••-KEY")
    send(page)
    expect_state(page, "succeeded")
    contact = console.get("/sandbox/records/contact")[-1]
    expect(page.locator("main")).to_contain_text(contact["Id"])

    page.goto("/writes/record/")
    choose_target(page, "contact")
    page.get_by_label("Action").select_option("update")
    page.get_by_label("Record id", exact=True).fill(contact["Id"])
    page.get_by_label("Field 1", exact=True).fill("LastName")
    page.get_by_label("Value 1", exact=True).fill("Tal")
    review(page)
    send(page)
    expect_state(page, "succeeded")
    assert console.get("/sandbox/records/contact")[-1]["LastName"] == "Tal"


def test_three_thousand_opportunities_stay_three_thousand_when_sent_twice(
    page: Page, console: Console, tmp_path: Path
) -> None:
    file = saved(tmp_path, opportunities())
    for _ in range(2):
        review_csv(page, "opportunity", "external_id__c", file)
        expect(page.get_by_role("heading", level=1)).to_have_text(
            "Upsert 3,000 opportunity records"
        )
        send(page)
        expect_state(page, "in_progress")
        expect_state(page, "succeeded")
        expect(page.locator("main")).to_contain_text("3,000")
        count = console.get("/sandbox/records/opportunity?count=1")["count"]
        assert count == 3000


def test_the_one_bad_row_is_named_with_its_key_and_reason(
    page: Page, bad_row: Path
) -> None:
    review_csv(page, "opportunity", "external_id__c", bad_row)
    send(page)
    expect_state(page, "partly_failed")
    failure = page.locator(".failure")
    expect(failure).to_have_count(1)
    expect(failure).to_contain_text(NO_DAY)
    expect(failure).to_contain_text("example-3")
    expect(failure).to_contain_text("Write dates as 2024-03-20")


def test_a_windows_1252_file_without_some_keys_is_mended_here_and_sent(
    page: Page, tmp_path: Path
) -> None:
    file = saved(tmp_path, exported_accounts())
    upload(page, "account", "EXTERNAL_ID__C", file)
    main = page.locator("main")
    expect(main).to_contain_text("It may be Windows-1252")
    expect(main).to_contain_text("Société Example 0001")
    read_so(page)
    expect_finding(page, "blank-key", "EXTERNAL_ID__C", 8)
    expect(main).to_contain_text("Row 234 has no EXTERNAL_ID__C")
    leave_out(page, "blank-key", "EXTERNAL_ID__C")
    expect(main).to_contain_text("232 rows")
    expect(main).to_contain_text("8 excluded")
    go_to_review(page)
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Upsert 232 account records"
    )
    send(page)
    expect_state(page, "failed")
    expect(main).to_contain_text("No row was written: 232 rows failed")
    failure = page.locator(".failure").first
    expect(failure).to_contain_text("Unable to create/update fields")
    expect(failure).to_contain_text("read-only for the connected user")


def test_a_url_is_fetched_by_ampersand(page: Page, console: Console) -> None:
    page.goto("/writes/url/")
    choose_target(page, "tactics__c")
    page.get_by_label("Primary key").fill("custom_id__c")
    page.get_by_label("URL").fill(f"{console.sandbox_url}/sandbox/sample.csv")
    review(page)
    send(page)
    expect_state(page, "succeeded")
    keys = {r["custom_id__c"] for r in console.get("/sandbox/records/tactics__c")}
    assert keys >= {"0", "1", "2"}


def test_the_log_is_searched_and_an_entry_opened(page: Page, bad_row: Path) -> None:
    review_csv(page, "opportunity", "external_id__c", bad_row)
    send(page)
    expect_state(page, "partly_failed")
    log = page.get_by_role("region", name="Log")
    expect(log.locator("tbody tr")).to_have_count(5)
    log.get_by_label("Search").fill("some records")
    log.get_by_role("button", name="Search the log").click()
    expect(log.locator("tbody tr")).to_have_count(1)
    log.locator("summary").first.click()
    told = log.locator("pre", has_text="example-3")
    expect(told.first).to_be_visible()


def test_what_was_sent_is_found_again_in_the_history(page: Page) -> None:
    review_record(page, "lead", {"LastName": "Holm", "Company": "Findable Ltd"})
    send(page)
    expect_state(page, "succeeded")
    address = page.url
    page.goto("/operations/?text=lead")
    page.get_by_role("link", name="Create lead").first.click()
    expect(page).to_have_url(address)
    page.goto("/audit/")
    expect(page.locator("main")).to_contain_text("Write confirmed")
    expect(page.locator("main")).to_contain_text("operator")


def test_send_again_starts_a_new_draft_from_it(page: Page) -> None:
    review_record(page, "lead", {"LastName": "Once", "Company": "More"})
    send(page)
    expect_state(page, "succeeded")
    first = page.url
    page.get_by_role("link", name="Send again").click()
    expect(page.get_by_label("Value 1", exact=True)).to_have_value("Once")
    review(page)
    send(page)
    assert page.url != first


def test_pressing_send_twice_sends_once(page: Page, console: Console) -> None:
    review_record(page, "lead", {"LastName": "Twice", "Company": "Clicked"})
    page.get_by_role("button", name="Send").dblclick()
    page.wait_for_url("**/operations/*/")
    expect_state(page, "succeeded")
    leads = console.get("/sandbox/records/lead")
    assert len([lead for lead in leads if lead["LastName"] == "Twice"]) == 1


def test_a_second_tab_finds_the_first_sending(
    open_page: Callable[..., Page], console: Console
) -> None:
    page = open_page()
    review_record(page, "lead", {"LastName": "Tabs", "Company": "Two"})
    other = page.context.new_page()
    other.goto(page.url)
    send(page)
    send(other)
    assert other.url == page.url
    leads = console.get("/sandbox/records/lead")
    assert len([lead for lead in leads if lead["LastName"] == "Tabs"]) == 1
