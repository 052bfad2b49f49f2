"""Nobody knows what became of it: found on Home, looked up, and said."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import Console
from tests.browser.steps import expect_state, review_csv, review_record, send

TRUNCATED = "fault_truncated__c"


def find_out(page: Page) -> None:
    """Go from the page of the operation to that which helps to find out."""
    expect_state(page, "unknown")
    page.get_by_role("link", name="Find the outcome").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Resolve unknown outcome")


def test_a_record_that_was_written_after_all(page: Page, console: Console) -> None:
    review_record(page, TRUNCATED, {"Name": "Berg", "external_id__c": "berg-1"})
    send(page)
    expect_state(page, "unknown")
    number = page.url.rstrip("/").rsplit("/", 1)[-1]
    page.goto("/")
    page.locator(f"#reconcile-{number}").click()
    soql = f"FROM {TRUNCATED} WHERE external_id__c = 'berg-1'"
    expect(page.locator("main")).to_contain_text(soql)
    page.get_by_label("Record id").fill("has a space")
    page.get_by_role("button", name="It was written").click()
    expect(page.locator("#written_record_id_error")).to_contain_text("no spaces")
    record = console.get(f"/sandbox/records/{TRUNCATED}")[-1]
    page.get_by_label("Record id").fill(record["Id"])
    page.get_by_role("button", name="It was written").click()
    expect_state(page, "succeeded")
    expect(page.locator("main")).to_contain_text("Found by operator")


def test_a_file_that_is_linked_to_its_operation(
    page: Page, console: Console, tmp_path: Path
) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("external_id__c,Name\nl-1,One\nl-2,Two\n")
    review_csv(page, TRUNCATED, "external_id__c", file)
    send(page)
    find_out(page)
    page.get_by_label("Operation id").fill("no-such-operation")
    page.get_by_role("button", name="Link", exact=True).click()
    expect(page.locator("#link_remote_id_error")).to_contain_text("Nothing was changed")
    expect(page.get_by_label("Operation id")).to_have_value("no-such-operation")
    page.get_by_label("Operation id").fill(
        console.received(TRUNCATED)[-1]["operationId"]
    )
    page.get_by_role("button", name="Link", exact=True).click()
    expect_state(page, "succeeded")
    expect(page.locator("main")).to_contain_text("All 2 rows were written.")


def test_a_record_is_sent_again_only_by_somebody_who_looked(
    page: Page, console: Console
) -> None:
    # The connection is reset before anything is written.
    lost = "fault_reset_before__c"
    review_record(page, lost, {"Name": "Tal", "external_id__c": "tal-1"})
    send(page)
    find_out(page)
    before = len(console.received(lost))
    page.get_by_label("Why send it again?").fill("It is not there.")
    page.get_by_role("button", name="Send again").click()
    expect(page.locator("#again_looked_error")).to_contain_text("Check first")
    expect(page.get_by_label("Why send it again?")).to_have_value("It is not there.")
    assert len(console.received(lost)) == before
    page.get_by_label("I checked, and it was not written").check()
    page.get_by_role("button", name="Send again").click()
    page.wait_for_url("**/operations/*/")
    expect(page.locator("main")).to_contain_text(
        "Sent again: this is the new operation"
    )
    expect_state(page, "unknown")
    one, two = console.received(lost)[-2:]
    assert one["bodySha256"] == two["bodySha256"]
    assert len(console.received(lost)) == before + 1
