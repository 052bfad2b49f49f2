"""Pages of what is not sent yet: forms, files, grids, reviews."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.reader import OPEN_SOME, Reader
from tests.browser.steps import choose_target


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("/writes/record/", "Write one record"),
        ("/writes/csv/", "Write a CSV file"),
        ("/writes/url/", "Upsert a CSV from a URL"),
        ("/writes/drafts/", "Discard selected"),
        ("/writes/destinations/", "Destinations"),
    ],
)
def test_a_page(address: str, text: str, reader: Reader) -> None:
    reader.look_at(address, text)


@pytest.mark.parametrize(
    "name", ["review record", "review update", "review csv", "review url"]
)
def test_a_review(name: str, reader: Reader, addresses: dict[str, str]) -> None:
    reader.page.goto(addresses[name])
    reader.page.get_by_text("Copy as cURL").click()
    buttons = reader.page.get_by_role("button", name="Send")
    expect(buttons).to_have_count(1)
    expect(buttons).to_have_text("Send")
    band = reader.page.locator(".target-band.production")
    expect(band).to_have_count(1 if name == "review update" else 0)
    reader.look()


def test_a_review_in_production_asks_for_the_name(
    reader: Reader, addresses: dict[str, str]
) -> None:
    page = reader.page
    page.goto(addresses["review update"])
    page.get_by_label("Reason or ticket").fill("CASE-1207")
    page.get_by_label("Name of the project").fill("Live customers")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#id_name_error")).to_contain_text("Live customers EMEA")
    expect(page.get_by_label("Reason or ticket")).to_have_value("CASE-1207")
    expect(page.get_by_role("alert")).to_be_focused()
    reader.look()


def test_the_same_content_stops_at_a_page_of_its_own(
    reader: Reader, addresses: dict[str, str]
) -> None:
    page = reader.page
    page.goto(addresses["review repeat"])
    reader.look()
    page.get_by_label("Why send it again?").fill(" ")
    page.get_by_role("button", name="Send it again").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This was already sent")
    expect(page.locator("#id_reason_error")).to_be_visible()
    reader.look()
    page.get_by_role("link", name="View the earlier write").click()
    expect(page).to_have_url(re.compile(addresses["sent succeeded"]))


def test_a_record_as_json_and_with_errors(reader: Reader) -> None:
    page = reader.page
    page.goto("/writes/record/")
    choose_target(page, "contact")
    page.get_by_label("Field 1", exact=True).fill("LastName")
    page.get_by_label("Type 1", exact=True).select_option("number")
    page.get_by_label("Value 1", exact=True).fill("not a number")
    page.get_by_role("button", name="Review").click()
    expect(page.locator("#id_row_0_error")).to_be_visible()
    reader.look()
    page.get_by_label("Value 1", exact=True).fill("12")
    page.get_by_role("button", name="Show as JSON").click()
    expect(page.get_by_label("Record as JSON")).to_have_value('{\n  "LastName": 12\n}')
    reader.look()


def test_a_csv_form_with_errors(reader: Reader) -> None:
    page = reader.page
    page.goto("/writes/csv/")
    choose_target(page, "contact")
    page.get_by_label("Primary key").fill("id__c")
    page.get_by_role("button", name="Review").click()
    expect(page.locator("#id_file_error")).to_be_visible()
    reader.look()


def test_a_url_with_errors(reader: Reader) -> None:
    reader.page.goto("/writes/url/")
    choose_target(reader.page, "contact")
    reader.page.get_by_label("Primary key").fill("id__c")
    reader.page.get_by_label("URL", exact=True).fill("ftp://example.com/x")
    reader.page.get_by_role("button", name="Review").click()
    expect(reader.page.locator("#id_url_error")).to_contain_text("full URL")
    reader.look()


@pytest.mark.parametrize(
    ("state", "text"),
    [
        ("findings", "Row 45 has no external_id__c"),
        ("doubts", "It may be Windows-1252"),
        ("refusal", "This file cannot be read"),
        ("waiting", "16,213 rows"),
        ("mended", "3 excluded"),
    ],
)
def test_a_file(
    state: str, text: str, reader: Reader, addresses: dict[str, str]
) -> None:
    reader.page.goto(addresses[f"file {state}"])
    expect(reader.page.locator("main")).to_contain_text(text)
    reader.page.evaluate(OPEN_SOME)
    reader.look()


@pytest.mark.parametrize("what", ["", "?show=errors"])
def test_the_grid_of_a_file(
    what: str, reader: Reader, addresses: dict[str, str]
) -> None:
    address = addresses["file findings"].removesuffix("file/")
    reader.page.goto(f"{address}grid/{what}")
    expect(reader.page.locator("#grid")).to_be_visible()
    reader.look()
