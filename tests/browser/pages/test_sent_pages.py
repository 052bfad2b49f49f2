"""Pages of what was sent: in parts, in requests, row by row."""

import pytest
from playwright.sync_api import expect

from tests.browser.reader import OPEN_SOME, Reader
from tests.browser.steps import expect_state, rows_table

STATES = {
    "sent succeeded": "succeeded",
    "sent upserted": "succeeded",
    "sent partly failed": "partly_failed",
    "sent failed": "failed",
    "sent 401": "rejected",
    "sent 500": "unknown",
    "sent never_ends": "in_progress",
    "state waiting": "waiting",
    "state frozen": "waiting",
    "state sending": "sending",
    "state cancelled": "cancelled",
    "state live unknown": "unknown",
    "state live partly failed": "partly_failed",
}


@pytest.mark.parametrize("name", STATES)
def test_an_operation(name: str, reader: Reader, addresses: dict[str, str]) -> None:
    reader.page.goto(addresses[name])
    expect_state(reader.page, STATES[name])
    reader.page.evaluate(OPEN_SOME)
    reader.look()


@pytest.mark.parametrize("what", ["create", "file", "address"])
def test_finding_out_what_became_of_it(
    what: str, reader: Reader, addresses: dict[str, str]
) -> None:
    page = reader.page
    page.goto(addresses[f"reconcile {what}"])
    expect(page.get_by_role("heading", level=1)).to_have_text("Resolve unknown outcome")
    expect(page.locator("#unknown-too-long")).to_be_visible()
    page.evaluate(OPEN_SOME)
    reader.look()
    page.locator("#send-again").click()
    expect(page.get_by_role("alert").first).to_contain_text("Nothing was sent")
    reader.look()


@pytest.mark.parametrize(
    ("state", "text"),
    [
        ("ended", "12 of 60 rows failed"),
        ("stopped", "did not succeed"),
        ("moving", "Queued"),
        ("paused", "Paused by operator"),
        ("parallel", "parts are sent at the same time"),
        ("review", "Send parts in parallel"),
    ],
)
def test_what_was_sent_in_parts(
    state: str, text: str, reader: Reader, addresses: dict[str, str]
) -> None:
    reader.look_at(addresses[f"parts {state}"], text)


@pytest.mark.parametrize(
    ("state", "text"),
    [
        ("review", "in 5 requests"),
        ("review delete", "Number of records to delete"),
        ("findings", "Missing keys"),
        ("succeeded", "All 120 were created"),
        ("failures", "12 failed"),
        ("under way", "Being sent"),
        ("unknown", "an unknown outcome"),
        ("refused", "Request 2 was refused: The API key is not valid."),
        ("paused", "Paused by operator"),
        ("request unknown", "Resolve"),
        ("request failures", "Required fields are missing"),
    ],
)
def test_a_run(
    state: str, text: str, reader: Reader, addresses: dict[str, str]
) -> None:
    reader.page.goto(addresses[f"run {state}"])
    expect(reader.page.locator("main")).to_contain_text(text)
    reader.page.evaluate(OPEN_SOME)
    reader.look()


def test_the_rows_and_the_retry_of_those_that_failed(
    reader: Reader, addresses: dict[str, str]
) -> None:
    page = reader.page
    page.goto(addresses["sent partly failed"])
    page.locator("#every-row").click()
    expect(rows_table(page)).to_have_count(40)
    reader.look()
    page.get_by_role("region", name="Errors", exact=True).get_by_role(
        "link"
    ).first.click()
    expect(rows_table(page)).to_have_count(8)
    reader.look()
    page.get_by_label("Key").fill("nothing-like-it")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("main")).to_contain_text("No row matches this filter")
    reader.look()
    page.get_by_role("button", name="Retry failed").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("8 opportunity")
    reader.look()


def test_rows_of_what_has_not_ended(reader: Reader, addresses: dict[str, str]) -> None:
    reader.look_at(f"{addresses['parts moving']}rows/", "when the write has ended")
