"""Workers that are killed while they work: nothing twice, lost or stuck."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Console
from tests.browser.steps import expect_state, review_csv, review_record, send


@pytest.fixture
def page(open_page: Callable[..., Page], hasty_console: Console) -> Page:
    return open_page(hasty_console)


def kill(console: Console, queue: str) -> None:
    """End the worker of `queue` as the kernel would."""
    (pid,) = console.children(f"--queue {queue}")
    os.kill(pid, signal.SIGKILL)


def test_killed_while_sending_ends_as_unknown_and_is_not_sent_again(
    page: Page, hasty_console: Console
) -> None:
    before = len(_received(hasty_console))
    review_record(page, "fault_timeout_after__c", {"Name": "Killed"})
    send(page)
    expect_state(page, "Sending")
    # The sandbox has it, so the worker is waiting for an answer.
    while len(_received(hasty_console)) == before:
        page.wait_for_timeout(50)
    kill(hasty_console, "sending")
    expect(page.locator("main .state").first).to_have_text(
        "Outcome unknown", timeout=60_000
    )
    expect(page.locator("main")).to_contain_text("worker stopped while it was sending")
    assert len(_received(hasty_console)) == before + 1

    review_record(page, "lead", {"LastName": "After", "Company": "Restart"})
    send(page)
    expect_state(page, "Succeeded")


def _received(console: Console) -> list[dict[str, str]]:
    requests: list[dict[str, str]] = console.get("/sandbox/requests")
    return [r for r in requests if "fault_timeout_after__c" in r["path"]]


def test_killed_while_watching_still_learns_the_end(
    page: Page, hasty_console: Console, tmp_path: Path
) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("external_id__c,Name,StageName,CloseDate\na-1,One,New,2024-01-01\n")
    review_csv(page, "opportunity", "external_id__c", file)
    send(page)
    expect_state(page, "In progress")
    kill(hasty_console, "watching")
    expect(page.locator("main .state").first).to_have_text("Succeeded", timeout=90_000)


def test_everything_killed_at_once_goes_on_after_a_restart(
    page: Page, hasty_console: Console, tmp_path: Path
) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("external_id__c,Name,StageName,CloseDate\nb-1,One,New,2024-01-01\n")
    review_csv(page, "opportunity", "external_id__c", file)
    send(page)
    expect_state(page, "In progress")
    address = page.url
    page.goto("about:blank")
    hasty_console.kill_all()
    hasty_console.start()
    page.goto(address)
    expect(page.locator("main .state").first).to_have_text("Succeeded", timeout=90_000)
