"""Uploads that take their time, and pages that ask no more than they must."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser.steps import choose_target, expect_state, review_record, send

MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound CSV of about 8 MB."""
    file = tmp_path_factory.mktemp("large") / "large.csv"
    with file.open("w") as out:
        out.write("external_id__c,Name\n")
        out.writelines(f"key-{n:08},{'x' * 140}\n" for n in range(52_000))
    assert 7 * MEGABYTE < file.stat().st_size < 9 * MEGABYTE
    return file


def fill_in(page: Page, file: Path) -> None:
    """Fill in the form for a CSV."""
    page.goto("/writes/csv/")
    choose_target(page, "opportunity")
    page.get_by_label("Primary key").fill("external_id__c")
    page.get_by_label("CSV file").set_input_files(file)


def slow_down(page: Page, *, upload: int) -> None:
    """Let the page send only `upload` bytes a second."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": 0,
            "downloadThroughput": -1,
            "uploadThroughput": upload,
        },
    )


def test_a_large_file_shows_how_far_it_is(page: Page, large: Path) -> None:
    slow_down(page, upload=4 * MEGABYTE)
    fill_in(page, large)
    bar = page.get_by_role("progressbar", name="Upload")
    expect(bar).to_be_hidden()
    button = page.get_by_role("button", name="Review")
    button.click()
    expect(bar).to_be_visible()
    expect(page.locator("[data-progress-text]")).to_contain_text("Uploading")
    expect(button).to_be_disabled()
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Upsert 52,000 opportunity records"
    )


def test_findings_leave_the_form_as_it_was(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "wrong.csv"
    file.write_text("external_id__c,Name\na,1\na,2\n")
    fill_in(page, file)
    page.get_by_role("button", name="Review").click()
    expect(page.locator("#file-check")).to_contain_text("wrong.csv was not sent")
    expect(page.locator("#check-heading")).to_be_focused()
    expect(page.get_by_label("Primary key")).to_have_value("external_id__c")
    expect(page.get_by_label("Object").locator("option:checked")).to_have_text(
        "opportunity"
    )
    chosen = "document.querySelector('#id_file').files[0].name"
    assert page.evaluate(chosen) == "wrong.csv"
    # Chromium reads a file anew only when it is chosen anew.
    file.write_text("external_id__c,Name\na,1\nb,2\n")
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Review").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Upsert 2 opportunity records"
    )


def test_a_file_above_the_limit_is_refused_in_words(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "huge.csv"
    file.write_bytes(b"external_id__c\n" + b"x" * 33 * MEGABYTE)
    fill_in(page, file)
    with page.expect_response("**/writes/csv/") as answer:
        page.get_by_role("button", name="Review").click()
    assert answer.value.status == 413
    expect(page.locator("#file-errors")).to_contain_text("over 32 MiB")
    expect(page.get_by_label("Primary key")).to_have_value("external_id__c")


def test_pressing_review_twice_makes_one_draft(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "twice.csv"
    file.write_text("external_id__c,Name\ntwice-1,1\n")
    page.goto("/")
    drafts = page.locator(".tile", has_text="drafts of yours").locator("strong")
    before = int(drafts.inner_text())
    fill_in(page, file)
    page.get_by_role("button", name="Review").dblclick()
    expect(page.get_by_role("heading", name="The request")).to_be_visible()
    page.goto("/")
    expect(drafts).to_have_text(str(before + 1))


def polls_of(page: Page) -> list[str]:
    """Return a list to which each poll of the page is added."""
    polls: list[str] = []

    def note(request: Request) -> None:
        if "/status/" in request.url or "/rows/" in request.url:
            polls.append(request.url)

    page.on("request", note)
    return polls


def test_a_page_stops_asking_when_nothing_more_will_come(page: Page) -> None:
    review_record(page, "lead", {"LastName": "Done", "Company": "Soon"})
    polls = polls_of(page)
    send(page)
    expect_state(page, "Succeeded")
    seen = len(polls)
    page.wait_for_timeout(2500)
    assert len(polls) == seen


def test_a_page_that_nobody_looks_at_does_not_ask(
    open_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = open_page()
    file = tmp_path / "rows.csv"
    file.write_text("external_id__c,Name\na-1,One\n")
    page.goto("/writes/csv/")
    choose_target(page, "fault_never_ends__c")
    page.get_by_label("Primary key").fill("external_id__c")
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Review").click()
    send(page)
    expect_state(page, "In progress")
    polls = polls_of(page)
    with page.expect_request("**/status/**"):
        pass
    hide = "Object.defineProperty(document, 'hidden', {get: () => %s, configurable: 1})"
    page.evaluate(hide % "true")
    page.wait_for_timeout(300)
    seen = len(polls)
    page.wait_for_timeout(4500)
    assert len(polls) == seen
    page.evaluate(hide % "false")
    with page.expect_request("**/status/**"):
        pass
