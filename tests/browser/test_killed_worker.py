"""No answer comes, or a worker is killed: nothing twice, lost or stuck."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Console
from tests.browser.steps import (
    ASKED_AGAIN,
    expect_state,
    review_csv,
    review_record,
    send,
)


@pytest.fixture(scope="module")
def hasty_console(make_console: Callable[..., Console]) -> Iterator[Console]:
    """A console that waits for an answer for six seconds only; workers may be killed.

    Six are few to wait for, and enough to kill a worker that is sending.
    """
    console = make_console(SEND_TIMEOUT="6")
    yield console
    console.stop()


@pytest.fixture
def page(hasty_console: Console, open_page: Callable[..., Page]) -> Page:
    return open_page(hasty_console)


def kill(console: Console, queue: str) -> None:
    """End the workers of `queue` as the kernel would."""
    pids = console.children(f"--queue {queue}")
    assert pids
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("name", ["fault_timeout_before__c", "fault_timeout_after__c"])
def test_no_answer_in_time_is_unknown_and_not_sent_again(
    name: str, page: Page, hasty_console: Console
) -> None:
    before = len(hasty_console.received(name))
    review_record(page, name, {"Name": "Fault"})
    send(page)
    expect_state(page, "unknown")
    expect(page.locator(".outcome-why")).to_contain_text("6 s")
    expect(page.locator("#reconcile")).to_be_visible()
    assert len(hasty_console.received(name)) == before + 1


def test_killed_while_sending_ends_as_unknown_and_is_not_sent_again(
    page: Page, hasty_console: Console
) -> None:
    name = "fault_timeout_after__c"
    before = len(hasty_console.received(name))
    review_record(page, name, {"Name": "Killed"})
    send(page)
    # Once the sandbox has it, the worker waits for an answer.
    while len(hasty_console.received(name)) == before:
        page.wait_for_timeout(50)
    kill(hasty_console, "sending")
    expect_state(page, "unknown")
    # It was the kill, and not the time that an answer may take.
    expect(page.locator(".outcome-why")).not_to_contain_text("6 s")
    assert len(hasty_console.received(name)) == before + 1

    review_record(page, "lead", {"LastName": "After", "Company": "Restart"})
    send(page)
    expect_state(page, "succeeded")


def send_what_is_held(page: Page, console: Console, tmp_path: Path) -> None:
    """Send a file that stays in progress, and wait until it is."""
    file = tmp_path / "rows.csv"
    file.write_text("external_id__c,Name,StageName,CloseDate\na-1,One,New,2024-01-01\n")
    console.hold_next_write()
    review_csv(page, "opportunity", "external_id__c", file)
    send(page)
    expect_state(page, "in_progress")


def test_killed_while_watching_still_learns_the_end(
    page: Page, hasty_console: Console, tmp_path: Path
) -> None:
    send_what_is_held(page, hasty_console, tmp_path)
    expect(page.locator("main")).to_contain_text(ASKED_AGAIN)
    kill(hasty_console, "watching")
    hasty_console.end_held_write()
    expect_state(page, "succeeded")


def test_everything_killed_at_once_goes_on_after_a_restart(
    page: Page, hasty_console: Console, tmp_path: Path
) -> None:
    send_what_is_held(page, hasty_console, tmp_path)
    address = page.url
    page.goto("about:blank")
    hasty_console.kill_all()
    hasty_console.start()
    hasty_console.end_held_write()
    page.goto(address)
    expect_state(page, "succeeded")
