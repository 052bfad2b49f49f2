"""A second pair of eyes: one person asks, another one approves or refuses."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PASSWORD, ROOT, Console, new_context
from tests.browser.reader import Reader
from tests.browser.steps import expect_state, review_csv


@pytest.fixture(scope="module")
def live(make_console: Callable[..., Console]) -> Iterator[Console]:
    """A console whose demo is production; upserts need another person there."""
    console = make_console()
    stage(console)
    yield console
    console.stop()


def stage(console: Console, *words: str) -> None:
    command = [sys.executable, "-m", "tests.browser.stage_approvals", *words]
    subprocess.run(command, cwd=ROOT, env=console.environment, check=True)


@pytest.fixture
def operator(chromium: Browser, live: Console) -> Iterator[Reader]:
    reader = Reader(chromium, live, "operator")
    yield reader
    reader.context.close()


@pytest.fixture
def bert(chromium: Browser, live: Console) -> Iterator[Reader]:
    reader = Reader(chromium, live, "bert")
    yield reader
    reader.context.close()


def ask(page: Page, file: Path, name: str) -> None:
    """Have Olga's upsert reviewed and ask that another person approves of it."""
    rows = "".join(
        f"{name}-{n},Renewal {n},Prospecting,2026-05-01\n" for n in range(1, 4)
    )
    file.write_text("external_id__c,Name,StageName,CloseDate\n" + rows)
    page.set_viewport_size({"width": 1440, "height": 900})
    review_csv(page, "opportunity", "external_id__c", file)
    page.get_by_label("Reason or ticket").fill("CASE-1207")
    page.get_by_label("Name of the project").fill("Demo")
    page.get_by_role("button", name="Ask for approval").click()
    expect(page.locator("#waits-for-approval")).to_be_visible()


def test_a_production_upsert_is_approved_by_a_second_person(
    operator: Reader, bert: Reader, live: Console, tmp_path: Path
) -> None:
    sent = len(live.received("opportunity"))
    ask(operator.page, tmp_path / "rows.csv", "approve")
    operator.look()
    operator.page.goto("/")
    expect(operator.page.locator("#approvals")).to_have_count(0)
    bert.page.goto("/")
    bert.look()
    bert.page.locator("#approvals").get_by_role("link").first.click()
    expect(bert.page.locator("main")).to_contain_text("CASE-1207")
    expect(bert.page.locator("main")).to_contain_text("approve-2")
    bert.look()
    bert.page.get_by_role("button", name="Approve and queue").click()
    expect(bert.page.locator("#id_name_error")).to_be_visible()
    bert.look()
    assert len(live.received("opportunity")) == sent
    bert.page.get_by_label("Name of the project").fill("Demo")
    bert.page.get_by_label("Note").first.fill("Checked with the customer")
    bert.page.get_by_role("button", name="Approve and queue").click()
    expect_state(bert.page, "succeeded")
    expect(bert.page.locator("main")).to_contain_text("Checked with the customer")
    bert.look()
    assert len(live.received("opportunity")) == sent + 1


def test_a_refusal_is_told_with_its_note(
    operator: Reader, bert: Reader, tmp_path: Path
) -> None:
    ask(operator.page, tmp_path / "rows.csv", "refuse")
    bert.page.goto("/")
    bert.page.locator("#approvals").get_by_role("link").first.click()
    bert.page.get_by_text("Refuse", exact=True).first.click()
    bert.page.get_by_role("button", name="Refuse").click()
    expect(bert.page.locator("#id_refuse_note_error")).to_be_visible()
    bert.look()
    bert.page.get_by_label("Why not?").fill("Wrong quarter")
    bert.page.get_by_role("button", name="Refuse").click()
    expect(bert.page.locator("#note")).to_have_text("Wrong quarter")
    bert.look()
    operator.page.reload()
    expect(operator.page.locator("#approval-ended")).to_contain_text("Wrong quarter")
    operator.look()
    operator.page.get_by_role("button", name="Discard").click()


def test_what_expired_cannot_be_approved(
    operator: Reader, bert: Reader, live: Console, tmp_path: Path
) -> None:
    sent = len(live.received("opportunity"))
    ask(operator.page, tmp_path / "rows.csv", "expire")
    bert.page.goto("/")
    bert.page.locator("#approvals").get_by_role("link").first.click()
    bert.page.get_by_label("Name of the project").fill("Demo")
    stage(live, "expire")
    bert.page.get_by_role("button", name="Approve and queue").click()
    expect(bert.page.locator("#became")).to_be_visible()
    bert.look()
    operator.page.reload()
    expect(operator.page.locator("#waits-for-approval")).to_have_count(0)
    assert len(live.received("opportunity")) == sent


def test_all_of_it_works_without_javascript(
    chromium: Browser, operator: Reader, live: Console, tmp_path: Path
) -> None:
    ask(operator.page, tmp_path / "rows.csv", "plain")
    context = new_context(chromium, live, java_script_enabled=False)
    page = context.new_page()
    page.goto("/login/")
    page.get_by_label("User name").fill("bert")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.locator("#approvals").get_by_role("link").first.click()
    page.get_by_label("Name of the project").fill("Demo")
    page.get_by_role("button", name="Approve and queue").click()
    page.wait_for_url("**/operations/*/")
    context.close()


def test_an_admin_adds_and_removes_a_rule(operator: Reader) -> None:
    page = operator.page
    page.goto("/connections/environments/")
    operator.look()
    rules = page.locator("#approval-sandbox li")
    expect(rules).to_have_count(0)
    page.locator("#approval-sandbox").get_by_role("link").click()
    operator.look()
    page.get_by_label("Writes", exact=True).select_option("delete")
    page.get_by_label("More than this many rows").fill("1000")
    page.get_by_role("button", name="Add rule").click()
    expect(rules).to_have_count(1)
    rules.get_by_role("button").click()
    expect(rules).to_have_count(0)
