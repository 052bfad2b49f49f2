"""The messy file fixed in one go: from the upload to its review in six clicks."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import dirty_file
from tests.browser.conftest import (
    Console,
    new_context,
    no_axe_findings,
    signed_in,
)
from tests.browser.steps import (
    change_file,
    choose_target,
    expect_finding,
    finding,
    findings_of,
    opened,
    upload,
    verdict,
)
from tests.browser.test_files import (
    CUSTOMER,
    KEY,
    download,
    import_fields,
    records,
)

MOST_CLICKS = 6
SMALL = """\
external_id__c,Name,StageName,CloseDate,Amount,IsPrivate,OwnerId
go-1 ,A,Prospecting,12/31/2026,"1,234.5",Yes,x
go-2,B,Prospecting,01/02/2026,5,maybe,x
go-3,C,Prospecting,2026-01-02,5,maybe,x
go-4,D,Prospecting,2026-01-02,5,true,
"""
# Where the reader is: how far the page is scrolled, and what has the focus.
PLACE = """() => {
  const focused = document.activeElement;
  const box = focused.getBoundingClientRect();
  const isSeen = box.bottom > 0 && box.top < innerHeight;
  return [scrollY, focused === document.body ? "" : focused.tagName, isSeen];
}"""


@pytest.fixture(scope="module")
def own_console(
    make_console: Callable[..., Console], chromium: Browser
) -> Iterator[Console]:
    """A console of its own: the field list changes what is found in other files."""
    console = make_console()
    state = signed_in(chromium, console)
    context = new_context(chromium, console, storage_state=state)
    import_fields(context.new_page(), console, nothing)
    context.close()
    yield console
    console.stop()


@pytest.fixture
def page(own_console: Console, open_page: Callable[..., Page]) -> Page:
    return open_page(own_console, viewport={"width": 1440, "height": 900})


@pytest.fixture
def clicks(page: Page) -> list[str]:
    """What was clicked or pressed on any page, in order."""
    counted: list[str] = []
    page.context.expose_binding("told", lambda _, what: counted.append(what))
    page.context.add_init_script(
        """for (const name of ["click", "keydown"]) addEventListener(name, (event) => {
          // A click that a page which was drawn anew took away meets no control.
          if (!event.target.closest("a, button, input, select, summary")) return;
          // Enter on a button clicks it, too.
          if (event.isTrusted && event.detail !== 0 || name === "keydown") told(
            event.target.textContent.trim().slice(0, 60));
        }, true);"""
    )
    return counted


def nothing(_: str) -> None:
    """Take no picture."""


def test_the_messy_file_comes_to_its_review_in_six_clicks(
    page: Page, clicks: list[str], tmp_path: Path
) -> None:
    made = dirty_file.write(tmp_path / "Opportunities März.csv")
    page.goto("/writes/csv/")
    choose_target(page, "opportunity", CUSTOMER)
    page.get_by_label("Primary key").fill(KEY)
    page.get_by_label("CSV file").set_input_files(made.path)

    clicks.clear()
    page.get_by_role("button", name="Review").click()
    page.get_by_role("button", name="Read file").click()
    page.get_by_role("button", name="Apply all suggested fixes").click()
    for rule, column in (
        *(("read-only-column", name) for name in dirty_file.READ_ONLY),
        ("date", "CloseDate"),
        ("key-spaces", KEY),
        ("number", "Amount"),
        ("empty-row", ""),
    ):
        expect(finding(page, rule, column)).to_have_count(0)
    # Whether they are meant for fields with other names is for a person to decide.
    columns = len(dirty_file.UNKNOWN)
    page.get_by_role("button", name=f"Exclude these {columns} columns").click()
    expect(finding(page, "unknown-column", dirty_file.UNKNOWN[0])).to_have_count(0)
    errors = page.get_by_role("button", name="Exclude all rows with errors")
    words = errors.inner_text()
    said = int("".join(sign for sign in words if sign.isdigit()))
    errors.click()
    page.locator("#verdict").get_by_role("link", name="Review").click()
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()
    assert 4 < len(clicks) <= MOST_CLICKS, clicks

    faults = made.faults
    wrong = {
        row
        for name in ("blank-key", "repeated-key", "ragged-row", "too-long", "boolean")
        for row in faults[name]
    }
    wrong |= set(faults["altered-id"])
    assert said == len(wrong)
    header, *rows = records(download(page, "as-sent.csv", tmp_path))
    assert header == list(dirty_file.SENT.values())
    assert len(rows) == made.rows - len(wrong) - len(faults["empty-row"])
    assert {row[3][:5] for row in rows} == {"2026-"}
    assert not any(row[0].endswith(" ") or "," in row[5] for row in rows)


def test_what_was_open_and_where_the_reader_was_stays(
    page: Page, tmp_path: Path
) -> None:
    file = tmp_path / "small.csv"
    file.write_text(SMALL)
    upload(page, "opportunity", KEY, file, CUSTOMER)
    expect(verdict(page)).to_be_visible()
    no_axe_findings(page)
    booleans = opened(finding(page, "boolean", "IsPrivate"))
    ids = opened(finding(page, "id", "OwnerId"))
    booleans.scroll_into_view_if_needed()
    top = page.evaluate("scrollY")
    change_file(page, page.get_by_role("button", name="Apply all suggested fixes"))
    expect(ids).to_have_attribute("open", "")
    place = page.evaluate(PLACE)
    assert place[1:] != ["", False]

    expect_finding(page, "boolean", "IsPrivate", 2)
    choice = booleans.get_by_label("IsPrivate: replace maybe with")
    choice.select_option("false")
    change_file(page, booleans.get_by_role("button", name="Replace it"))
    expect(finding(page, "boolean", "IsPrivate")).to_have_count(0)
    assert page.evaluate(PLACE)[1] != ""
    assert top >= 0
    expect(ids).to_have_attribute("open", "")
    no_axe_findings(page)

    changes = page.get_by_role("region", name="Changes and files", exact=True)
    expect(changes).to_contain_text("2 cells of “IsPrivate”: “maybe” replaced")
    undo = changes.get_by_role("button", name="Undo: 2 cells of “IsPrivate”")
    undo.scroll_into_view_if_needed()
    top = page.evaluate("scrollY")
    change_file(page, undo)
    expect_finding(page, "boolean", "IsPrivate", 2)
    assert abs(page.evaluate("scrollY") - top) < 400
    assert ("date", "CloseDate") not in findings_of(page)


def test_without_a_script_each_step_leads_back_to_the_work(
    own_console: Console, open_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = open_page(own_console, java_script_enabled=False)
    file = tmp_path / "small.csv"
    file.write_text(SMALL.replace("x\n", "\n"))
    upload(page, "opportunity", KEY, file, CUSTOMER)
    expect(verdict(page)).to_be_visible()
    change_file(page, page.locator("main button[value=fix-all]"))
    assert page.url.endswith("#fixes")
    changes = page.get_by_role("region", name="Changes and files", exact=True)
    change_file(page, changes.get_by_role("button", name="Undo:").first)
    assert page.url.endswith("#changes")
