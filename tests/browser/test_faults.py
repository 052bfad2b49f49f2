"""Each of the sandbox's faults, as the operator meets it."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Console, signed_in
from tests.browser.steps import expect_state, review_csv, review_record, send

REFUSED = "Nothing was written"
UNKNOWN = "It may or may not have been written"
SINGLE = {
    "401": ("Rejected", REFUSED),
    "403": ("Rejected", REFUSED),
    "404": ("Rejected", REFUSED),
    "500": ("Outcome unknown", UNKNOWN),
    "502_html": ("Outcome unknown", UNKNOWN),
    "reset_before": ("Outcome unknown", UNKNOWN),
    "reset_after": ("Outcome unknown", UNKNOWN),
    "truncated": ("Outcome unknown", UNKNOWN),
}


@pytest.mark.parametrize("fault", ["timeout_before", "timeout_after"])
def test_no_answer_in_time_is_unknown_and_not_sent_again(
    fault: str, open_page: Callable[..., Page], hasty_console: Console
) -> None:
    page = open_page(hasty_console)
    before = len(received(hasty_console, fault))
    review_record(page, f"fault_{fault}__c", {"Name": "Fault"})
    send(page)
    expect_state(page, "Outcome unknown")
    expect(page.locator("main")).to_contain_text(UNKNOWN)
    expect(page.locator("main")).to_contain_text("within 6 s")
    expect(page.locator("main")).to_contain_text("Do not send it again before looking")
    assert len(received(hasty_console, fault)) == before + 1


def received(console: Console, fault: str) -> list[dict[str, str]]:
    """The write requests for the object of a fault that the sandbox has received."""
    found: list[dict[str, str]] = console.get("/sandbox/requests")
    return [
        each for each in found if each["path"].endswith(f"objects/fault_{fault}__c")
    ]


@pytest.mark.parametrize("fault", SINGLE)
def test_a_create_that_meets_a_fault_is_told_in_words_and_sent_once(
    fault: str, page: Page, console: Console
) -> None:
    state, sentence = SINGLE[fault]
    before = len(received(console, fault))
    review_record(page, f"fault_{fault}__c", {"Name": "Fault"})
    send(page)
    expect_state(page, state)
    expect(page.locator("main")).to_contain_text(sentence)
    expect(page.locator("main")).to_contain_text("What to do")
    assert len(received(console, fault)) == before + 1
    if state == "Outcome unknown":
        # Some of these in a row would open the breaker.
        review_record(page, "contact", {"LastName": f"After {fault}"})
        send(page)
        expect_state(page, "Succeeded")


BULK = {
    "unknown_status": "Succeeded",
    "unordered_logs": "Succeeded",
    "string_logs": "Succeeded",
    "poll_429": "Succeeded",
    "poll_500": "Succeeded",
    "partial": "Partly failed",
    # The operation tells no counts; its log does.
    "bulk_completed": "Succeeded",
    "never_ends": "In progress",
    "unknown_status_forever": "In progress",
    "late_logs": "Succeeded",
    "lost_operation": "In progress",
}


@pytest.fixture(scope="session")
def operations(
    chromium: Browser, console: Console, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """The address of an upsert for each fault: sent together, to wait only once."""
    file = tmp_path_factory.mktemp("faults") / "rows.csv"
    file.write_text("external_id__c,Name\na-1,One\na-2,Two\na-3,Three\n")
    state = signed_in(chromium, console)
    page = chromium.new_page(base_url=console.url, storage_state=state)
    addresses = {}
    for fault in BULK:
        review_csv(page, f"fault_{fault}__c", "external_id__c", file)
        send(page)
        addresses[fault] = page.url
    page.close()
    return addresses


@pytest.mark.parametrize("fault", BULK)
def test_a_bulk_write_that_meets_a_fault_comes_to_its_state(
    fault: str, page: Page, operations: dict[str, str]
) -> None:
    page.goto(operations[fault])
    expect(page.locator("main .state").first).to_have_text(BULK[fault], timeout=60_000)


@pytest.mark.usefixtures("long_after")
@pytest.mark.parametrize("fault", ["never_ends", "unknown_status_forever"])
def test_what_never_ends_is_asked_about_and_stays_in_progress(
    fault: str, page: Page, operations: dict[str, str]
) -> None:
    page.goto(operations[fault])
    expect(page.locator("main")).to_contain_text(
        re.compile("asked (?:[2-9]|[1-9][0-9]+) times")
    )
    expect_state(page, "In progress")


@pytest.mark.usefixtures("long_after")
def test_logs_that_come_late_are_added(page: Page, operations: dict[str, str]) -> None:
    page.goto(operations["late_logs"])
    expect_state(page, "Succeeded")
    log = page.get_by_role("region", name="Log")
    # They come 20 s after the end; the worker looks after 15 s and 60 s.
    expect(log).to_contain_text("Batch write completed", timeout=90_000)


def test_an_operation_that_ampersand_lost_is_told_in_words(
    page: Page, operations: dict[str, str]
) -> None:
    page.goto(operations["lost_operation"])
    expect(page.locator("main")).to_contain_text("does not know")
