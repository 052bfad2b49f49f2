"""Today's API: from a project with an address and a key alone to a proven file."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Console
from tests.browser.steps import (
    apply_columns,
    expect_state,
    go_to_review,
    leave_column_out,
)
from tests.browser.steps_today import change_record, connect, send, send_file, target

ROWS = 5_000


@pytest.fixture(scope="module")
def own(make_console: Callable[..., Console]) -> Console:
    """A console of its own, whose sandbox is told nothing by others."""
    return make_console()


@pytest.fixture
def page(own: Console, open_page: Callable[..., Page]) -> Page:
    """A signed-in page of that console."""
    return open_page(own)


def test_a_person_of_today_goes_all_the_way(
    page: Page, own: Console, tmp_path: Path
) -> None:
    connect(page, own)

    page.goto("/writes/record/")
    target(page)
    page.get_by_role("button", name="Show fields").click()
    first = page.get_by_label("Field 1", exact=True)
    expect(first).to_have_value("lastname")
    page.get_by_label("Value 1", exact=True).fill("Berg")
    page.get_by_label("Field 2", exact=True).fill("birthdate")
    page.get_by_label("Value 2", exact=True).fill("31.12.2001")
    page.get_by_role("button", name="Review").click()
    expect(page.locator(".record-row .field-errors")).to_be_visible()
    page.get_by_label("Value 2", exact=True).fill("2001-12-31")
    page.get_by_role("button", name="Review").click()
    send(page)
    expect_state(page, "succeeded")
    (contact,) = own.get("/sandbox/records/contact")
    assert contact["Birthdate"] == "2001-12-31"

    change_record(page, "update", contact["Id"], firstname="Mara")
    assert own.get("/sandbox/records/contact")[0]["FirstName"] == "Mara"
    change_record(page, "delete", contact["Id"])
    assert own.get("/sandbox/records/contact") == []

    file = tmp_path / "contacts.csv"
    file.write_text(faulty(), encoding="utf-8")
    send_file(page, "create", file)
    expect_state(page, "partly_failed")
    totals = page.locator("#operation-counts .tile strong")
    expect(totals.nth(1)).to_have_text(f"{ROWS - 40:,}")
    expect(totals.nth(2)).to_have_text("40")
    assert len(own.received("contact")) == 3 + ROWS // 100
    expect_three_reasons(page)
    # What is wrong stands in three columns that nobody needs.
    page.locator("#retry-failed").click()
    page.wait_for_url("**/writes/*/**")
    page.goto(page.url.rstrip("/").removesuffix("/file") + "/file/")
    for column in ("firstname", "accountid", "external_id__c"):
        leave_column_out(page, column)
    apply_columns(page)
    go_to_review(page)
    send(page)
    expect_state(page, "succeeded")
    assert own.get("/sandbox/records/contact?count=1")["count"] == ROWS


def expect_three_reasons(page: Page) -> None:
    """Expect the 40 rows in three groups, and come back to the operation."""
    page.locator("#every-row").click()
    counts = page.get_by_role("region", name="Errors", exact=True).locator("a .number")
    expect(counts).to_have_text(["14", "13", "13"])
    page.go_back()


def faulty() -> str:
    """Return 5,000 contacts, 40 of which the SaaS refuses for three reasons.

    What Ampersand tells of the fields does not tell it before: names that are too long,
    accounts that are not there, and a value that is another record's already.
    """
    kinds = {row: place % 3 for place, row in enumerate(range(7, ROWS, 125))}
    lines = ["lastname,firstname,accountid,external_id__c"]
    for row in range(ROWS):
        kind = kinds.get(row)
        first = "x" * 41 if kind == 0 else f"First {row}"
        account = "001SB0000000999" if kind == 1 else ""
        own = "taken" if kind == 2 or row == 0 else ""
        lines.append(f"Last {row},{first},{account},{own}")
    return "\n".join([*lines, ""])
