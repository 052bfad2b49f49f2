"""Each of the sandbox's faults, as the operator meets it."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Console, new_context, signed_in
from tests.browser.steps import (
    ASKED_AGAIN,
    expect_state,
    review_csv,
    review_record,
    send,
)

SINGLE = {
    "401": "rejected",
    "403": "rejected",
    "404": "rejected",
    "500": "unknown",
    "502_html": "unknown",
    "reset_before": "unknown",
    "reset_after": "unknown",
    "truncated": "unknown",
}


@pytest.mark.parametrize("fault", SINGLE)
def test_a_create_that_meets_a_fault_is_told_in_words_and_sent_once(
    fault: str, page: Page, console: Console
) -> None:
    name, state = f"fault_{fault}__c", SINGLE[fault]
    before = len(console.received(name))
    review_record(page, name, {"Name": "Fault"})
    send(page)
    expect_state(page, state)
    outcome = page.locator(f".outcome-{state}")
    expect(outcome.get_by_role("heading")).not_to_be_empty()
    # What to do.
    expect(outcome.locator("p:has(strong)")).to_be_visible()
    # Whether it arrived is found out where that is not known, and nowhere else.
    expect(page.locator("#reconcile")).to_have_count(int(state == "unknown"))
    assert len(console.received(name)) == before + 1
    if state == "unknown":
        # Some of these in a row would open the breaker.
        review_record(page, "contact", {"LastName": f"After {fault}"})
        send(page)
        expect_state(page, "succeeded")


BULK = {
    "unknown_status": "succeeded",
    "unordered_logs": "succeeded",
    "string_logs": "succeeded",
    "poll_429": "succeeded",
    "poll_500": "succeeded",
    "partial": "partly_failed",
    # The operation tells no counts; its log does.
    "bulk_completed": "succeeded",
    "never_ends": "in_progress",
    "unknown_status_forever": "in_progress",
    "late_logs": "succeeded",
    "lost_operation": "in_progress",
}


@pytest.fixture(scope="session")
def operations(
    chromium: Browser, console: Console, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """The address of an upsert for each fault: sent together, to wait only once."""
    file = tmp_path_factory.mktemp("faults") / "rows.csv"
    file.write_text("external_id__c,Name\na-1,One\na-2,Two\na-3,Three\n")
    state = signed_in(chromium, console)
    page = new_context(chromium, console, storage_state=state).new_page()
    addresses = {}
    for fault in BULK:
        review_csv(page, f"fault_{fault}__c", "external_id__c", file)
        send(page)
        addresses[fault] = page.url
    page.context.close()
    return addresses


@pytest.mark.parametrize("fault", BULK)
def test_a_bulk_write_that_meets_a_fault_comes_to_its_state(
    fault: str, page: Page, operations: dict[str, str]
) -> None:
    page.goto(operations[fault])
    expect_state(page, BULK[fault])


@pytest.mark.usefixtures("long_after")
@pytest.mark.parametrize("fault", ["never_ends", "unknown_status_forever"])
def test_what_never_ends_is_asked_about_and_stays_in_progress(
    fault: str, page: Page, operations: dict[str, str]
) -> None:
    page.goto(operations[fault])
    expect(page.locator("main")).to_contain_text(ASKED_AGAIN)
    expect_state(page, "in_progress")


@pytest.mark.usefixtures("long_after")
def test_logs_that_come_late_are_added(page: Page, operations: dict[str, str]) -> None:
    page.goto(operations["late_logs"])
    expect_state(page, "succeeded")
    log = page.get_by_role("region", name="Log")
    # They come 20 s after the end; the worker looks after 15 s and 60 s.
    expect(log.locator("tbody tr")).not_to_have_count(0)


def test_an_operation_that_ampersand_lost_is_told(
    page: Page, operations: dict[str, str]
) -> None:
    page.goto(operations["lost_operation"])
    expect(page.locator("#operation-status .alert-warning")).to_be_visible()
