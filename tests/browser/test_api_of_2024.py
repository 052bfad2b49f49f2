"""The API of 2024-04: a large file goes by the upload address, rows are deleted."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Console
from tests.browser.steps import expect_state
from tests.browser.steps_today import choose

KEY = "external_id__c"
ROWS = 3_000


@pytest.fixture(scope="module")
def own(make_console: Callable[..., Console]) -> Console:
    """A console of its own, whose sandbox is told nothing by others."""
    return make_console()


@pytest.fixture
def page(own: Console, open_page: Callable[..., Page]) -> Page:
    """A signed-in page of that console."""
    return open_page(own)


def review(page: Page, action: str, file: Path) -> None:
    page.goto("/writes/csv/")
    choose(page, Project="Demo 2024", Integration="salesforce", Object="contact")
    choose(page, Customer="Demo customer (demo-group-id)", Action=action)
    page.get_by_label("Primary key").fill(KEY)
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Review").click()


def test_a_large_file_is_upserted_and_some_of_it_deleted(
    page: Page, own: Console, tmp_path: Path
) -> None:
    large = tmp_path / "large.csv"
    rows = (f"k-{n},Name {n},{'x' * 4_000}\n" for n in range(ROWS))
    large.write_text(f"{KEY},LastName,Description\n{''.join(rows)}")
    assert large.stat().st_size > 10 * 2**20
    review(page, "Upsert by a key", large)
    expect(page.get_by_role("heading", name="Request", exact=True)).to_be_visible()
    expect(page.locator("#what-is-sent")).to_contain_text(
        "uploaded to Ampersand's storage"
    )
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/operations/*/")
    expect_state(page, "succeeded")
    assert own.get("/sandbox/records/contact?count=1") == {"count": ROWS}

    two = tmp_path / "two.csv"
    two.write_text(f"{KEY},LastName\nk-1,One\n")
    review(page, "Delete", two)
    expect(page.locator("main")).to_contain_text("needs only one column")

    gone = tmp_path / "gone.csv"
    gone.write_text(f"{KEY}\nk-1\nk-2\nk-x\n")
    review(page, "Delete", gone)
    page.get_by_label("Number of records to delete").fill("3")
    page.get_by_role("button", name="Delete the records").click()
    page.wait_for_url("**/operations/*/")
    expect_state(page, "partly_failed")
    assert own.get("/sandbox/records/contact?count=1") == {"count": ROWS - 2}
    assert len(own.received("contact")) == 2
