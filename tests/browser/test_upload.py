"""Uploads that take their time, and pages that ask no more than they must."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

from tests.browser.conftest import Console, new_context, signed_in
from tests.browser.steps import (
    choose_target,
    expect_finding,
    expect_state,
    go_to_review,
    read_so,
    review,
    review_record,
    send,
    upload,
)
from tests.files.test_workbooks import row, text, workbook

MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound CSV of about 5 MB: the worker checks it."""
    file = tmp_path_factory.mktemp("large") / "large.csv"
    with file.open("w") as out:
        out.write("external_id__c,Name\n")
        out.writelines(f"key-{n:08},{'x' * 140}\n" for n in range(33_000))
    assert 4 * MEGABYTE < file.stat().st_size < 6 * MEGABYTE
    return file


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
    page.goto("/writes/csv/")
    bar = page.get_by_role("progressbar", name="Upload")
    expect(bar).to_be_hidden()
    choose_target(page, "opportunity")
    page.get_by_label("CSV file").set_input_files(large)
    expect(bar).to_be_visible()
    expect(page.locator("[data-progress-text]")).to_contain_text("Uploading")
    expect(page.locator("#review")).to_be_disabled()
    # It is kept as soon as it is there; what is typed meanwhile stays.
    page.get_by_label("Primary key").fill("external_id__c")
    expect(page.locator("#kept-file")).to_contain_text("large.csv")
    page.locator("#review").click()
    # It is checked by a worker, and its review opens by itself.
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Upsert 33,000 opportunity records"
    )


def test_a_workbook_is_read_by_a_worker_and_its_page_goes_on_by_itself(
    page: Page, tmp_path: Path
) -> None:
    header = row(1, text("A1", "external_id__c"), text("B1", "Name"))
    rows = [row(n, text(f"A{n}", f"k-{n}"), text(f"B{n}", "x")) for n in (2, 3)]
    file = workbook(tmp_path / "a.xlsx", header, *rows, names=("First", "Second"))
    upload(page, "opportunity", "external_id__c", file)
    page.get_by_label("Sheet").select_option("Second")
    read_so(page)
    go_to_review(page)
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Upsert 2 opportunity records"
    )


def test_a_file_with_faults_can_be_exchanged_for_a_sound_one(
    page: Page, tmp_path: Path
) -> None:
    file = tmp_path / "wrong.csv"
    file.write_text("external_id__c,Name\na,1\na,2\n")
    upload(page, "opportunity", "external_id__c", file)
    expect(page.get_by_role("heading", level=1)).to_have_text("wrong.csv")
    expect_finding(page, "repeated-key", "external_id__c", 2)
    expect(page.get_by_role("link", name="Review")).to_have_count(0)
    page.get_by_role("link", name="Choose another file").click()
    expect(page.get_by_label("Primary key")).to_have_value("external_id__c")
    expect(page.get_by_label("Object").locator("option:checked")).to_have_text(
        "opportunity"
    )
    file.write_text("external_id__c,Name\na,1\nb,2\n")
    page.get_by_label("CSV file").set_input_files(file)
    review(page)
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Upsert 2 opportunity records"
    )


def test_a_form_without_a_file_stays_as_it_was(page: Page) -> None:
    page.goto("/writes/csv/")
    choose_target(page, "opportunity")
    page.get_by_label("Primary key").fill("external_id__c")
    page.get_by_role("button", name="Review").click()
    expect(page.locator("#id_file_error")).to_contain_text("Choose a CSV file")
    expect(page.get_by_label("Primary key")).to_have_value("external_id__c")


@pytest.mark.parametrize("status", [413, 503])
def test_an_upload_that_is_refused_says_why_and_loses_nothing_that_was_typed(
    status: int, chromium: Browser, console: Console, tmp_path: Path
) -> None:
    """As where the drafts of a person keep too much: the page is not the form's."""
    file = tmp_path / "any.csv"
    file.write_text("external_id__c,Name\na,1\n")
    # One of its own, since its browser complains of the answer.
    state = signed_in(chromium, console)
    page = new_context(chromium, console, storage_state=state).new_page()
    refusal = page.context.request.post("/theme/", data=b"x" * 3 * MEGABYTE)
    assert refusal.status == 413
    body = refusal.text()

    def refuse(route: Route) -> None:
        if route.request.method == "POST":
            route.fulfill(status=status, body=body, content_type="text/html")
        else:
            route.continue_()

    page.route("**/writes/csv/", refuse)
    upload(page, "opportunity", "external_id__c", file)
    problem = page.locator("#page-problem")
    expect(problem).to_be_visible()
    expect(problem).to_contain_text("Nothing was stored, and nothing was sent.")
    expect(page.get_by_label("Primary key")).to_have_value("external_id__c")
    expect(page.get_by_role("button", name="Review")).to_be_enabled()
    page.context.close()


def test_pressing_review_twice_makes_one_draft(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "twice.csv"
    file.write_text("external_id__c,Name\ntwice-1,1\n")
    page.goto("/")
    drafts = page.locator(".tile", has_text="of yours").locator("strong")
    before = int(drafts.inner_text())
    page.goto("/writes/csv/")
    choose_target(page, "opportunity")
    page.get_by_label("Primary key").fill("external_id__c")
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Review").dblclick()
    expect(page.get_by_role("heading", name="Request", exact=True)).to_be_visible()
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


def pass_time(page: Page) -> None:
    """Let a minute pass for the page, with all that it does meanwhile."""
    page.clock.run_for(60_000)


def test_a_page_stops_asking_when_nothing_more_will_come(page: Page) -> None:
    page.clock.install()
    review_record(page, "lead", {"LastName": "Done", "Company": "Soon"})
    polls = polls_of(page)
    send(page)
    expect_state(page, "succeeded")
    seen = len(polls)
    pass_time(page)
    assert len(polls) == seen
