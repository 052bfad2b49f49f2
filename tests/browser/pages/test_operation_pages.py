"""Pages about many operations: lists, errors, reports, logs, search, audit."""

import pytest
from playwright.sync_api import expect

from tests.browser.reader import Reader


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("/", "Your drafts"),
        ("/", "Ampersand is not responding, so sending is paused"),
        ("/operations/", "Each may or may not have been written"),
        ("/operations/?object=nothing", "No matching operations"),
        ("/operations/?more=1", "Outcome unknown, nobody decided"),
        ("/operations/follow/", "Nothing is sent by this"),
        ("/operations/?from=never", "not valid"),
        ("/operations/failures/", "Required fields are missing"),
        ("/operations/failures/?object=nothing", "No errors"),
        ("/operations/report/", "Rows per day"),
        ("/operations/report/?from=2001-01-01&to=2001-01-31", "Nothing was written"),
        ("/operations/views/", "Saved views"),
        ("/search/", "What is found"),
        ("/search/?q=contacts", "File name"),
        ("/search/?q=nothing-like-it", "Nothing found"),
        ("/writes/records/", "Has this record been written?"),
        ("/writes/records/?q=opp-0005", "opp-0005"),
        ("/writes/records/?q=nothing-like-it", "nothing-like-it"),
        ("/writes/retention/", "Verify an evidence pack"),
        ("/audit/", "Write confirmed"),
        ("/audit/?text=nothing-like-it", "No matching events"),
    ],
)
def test_a_page(address: str, text: str, reader: Reader) -> None:
    reader.look_at(address, text)


def test_a_long_log(reader: Reader, addresses: dict[str, str]) -> None:
    address = f"{addresses['state live partly failed']}logs/"
    reader.look_at(address, "Older entries")
    reader.look_at(f"{address}?q=nothing-like-it", "No matching entries")


@pytest.mark.parametrize(
    ("page", "text"),
    [("compare/", "Compare with another"), ("logs/1/", "Raw entry")],
)
def test_a_page_of_an_operation(
    page: str, text: str, reader: Reader, addresses: dict[str, str]
) -> None:
    reader.look_at(addresses["state live partly failed"] + page, text)


def test_two_operations_beside_each_other(
    reader: Reader, addresses: dict[str, str]
) -> None:
    reader.page.goto(f"{addresses['sent partly failed']}compare/")
    reader.page.locator("[id^=with-]").first.click()
    expect(reader.page.locator("#swap")).to_be_visible()
    reader.look()


def test_an_error_of_many_operations(reader: Reader) -> None:
    reader.page.goto("/operations/failures/")
    reader.page.locator("main tbody a").first.click()
    expect(reader.page.get_by_role("heading", level=1)).to_have_count(1)
    reader.look()


def test_what_is_done_to_selected_operations(reader: Reader) -> None:
    page = reader.page
    page.goto("/operations/")
    for box in page.locator("[name=operation]").all()[:3]:
        box.check()
    expect(page.locator(".selection-bar")).to_be_visible()
    reader.look()
    page.locator("button[value=cancel]").click()
    title = page.get_by_role("heading", level=1)
    expect(title).to_have_text("Cancel selected operations")
    reader.look()


def test_an_event_of_the_audit(reader: Reader) -> None:
    reader.page.goto("/audit/")
    reader.page.locator("main tbody a[href^='/audit/']").first.click()
    expect(reader.page.locator("#seal")).to_be_visible()
    reader.look()
