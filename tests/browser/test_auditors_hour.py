"""An auditor's hour: what failed for a customer last month, why, who sent it; proof."""

import csv
import hashlib
import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD, ROOT, Console, Shoot
from tests.browser.steps import rows_table, tiles

CUSTOMER = "Northwind Traders"


@pytest.fixture(scope="module")
def console(make_console: Callable[..., Console]) -> Console:
    """A console into which others have written for three months."""
    return make_console(
        "tests.browser.stage_months",
        TIME_ZONE="Europe/Berlin",
        API_HOSTS="sandbox.invalid",
    )


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    """The auditor's browser: they may look at production, and do nothing else."""
    page = open_page(
        sign_in=False,
        viewport={"width": 1440, "height": 900},
        reduced_motion="reduce",
        color_scheme="light",
    )
    page.goto("/login/")
    page.get_by_label("User name").fill("auditor")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Home")
    return page


@pytest.fixture
def look(page: Page, shoot: Shoot) -> Shoot:
    """A function that keeps two pictures: light at a desk, dark on a phone."""

    def look(name: str) -> None:
        shoot(name)
        page.emulate_media(color_scheme="dark")
        page.set_viewport_size({"width": 390, "height": 844})
        shoot(f"{name}-phone")
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": 1440, "height": 900})

    return look


def test_an_auditor_finds_a_failed_row_of_last_month_and_proves_what_was_done(
    page: Page, console: Console, look: Shoot, tmp_path: Path
) -> None:
    told = console.told
    find_failed_upserts(page, told["failed"], look)
    save_view(page, look)
    open_operation(page, told["failed"][0], look)
    find_row(page, told["key"], look)
    go_through_history(page, told["key"], look)
    go_back_to_the_list(page, told["failed"])
    open_operation(page, told["failed"][0], look)
    see_who_confirmed(page, told["failed"][0], look)
    pack = export_pack(page, tmp_path)
    go_to_operation(page, told["failed"][0])
    verify_pack(page, pack, tmp_path, look)


def find_failed_upserts(page: Page, failed: list[int], look: Shoot) -> None:
    """Narrow the list as somebody would say it: by what stands in its columns."""
    look("home")
    page.get_by_role("link", name="Operations", exact=True).click()
    expect(page.locator("h1")).to_have_text("Operations")
    look("operations")
    page.get_by_role("textbox", name="Customer").fill(CUSTOMER)
    page.locator("#id_period").select_option(label="Last month")
    page.locator("#more-filters").focus()
    page.keyboard.press("Enter")
    page.locator("#id_action").select_option(label="Upsert")
    page.get_by_role("checkbox", name="Has failed rows").check()
    look("filters")
    with page.expect_navigation():
        page.locator("#id_group").press("Enter")
    expect(page.locator(".chips li")).to_have_count(4)
    assert listed(page) == failed[::-1]
    # What they ask for and what they get are seen at once, also on a phone.
    expect(page.locator(".filter-more")).not_to_have_attribute("open", "")
    look("found")


def listed(page: Page) -> list[int]:
    """Return the numbers of the operations that the list shows."""
    boxes = page.locator("[name=operation]").all()
    return [int(box.get_attribute("value") or 0) for box in boxes]


def save_view(page: Page, look: Shoot) -> None:
    """Keep the filters under a name, to come back to them."""
    page.locator("#save-menu summary").press("Enter")
    page.locator("#view_name").fill("Failed upserts of last month")
    look("save-view")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    view = page.locator("#view-links a[aria-current]")
    expect(view.locator(".count")).to_have_text("2")
    page.set_viewport_size({"width": 390, "height": 844})
    box, moment = (
        page.locator(f"tbody {part}").first.bounding_box()
        for part in (".pick input", ".moment time")
    )
    assert box
    assert moment
    assert box["x"] + box["width"] <= moment["x"]
    page.set_viewport_size({"width": 1440, "height": 900})
    look("saved")


def open_operation(page: Page, number: int, look: Shoot) -> None:
    """Go down the list by key, and open the line of the operation."""
    page.locator("h1").click()
    for _ in listed(page):
        page.keyboard.press("j")
        if page.locator(f"#operation-{number}:focus").count():
            break
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"/operations/{number}/$"))
    assert tiles(page) == {"Rows": 130, "Succeeded": 122, "Failed": 8, "Unknown": 0}
    # Who looks on may change nothing.
    expect(page.locator("#operation-remedies form")).to_have_count(0)
    look("operation")


def find_row(page: Page, key: str, look: Shoot) -> None:
    """Find the row with a key, and read why it failed."""
    page.locator("#every-row").click()
    expect(page.locator("#row-table")).to_be_visible()
    # No picture of it yet: one leaves styles behind that htmx then copies.
    page.get_by_label("Key", exact=True).fill(key)
    page.keyboard.press("Enter")
    row = rows_table(page)
    expect(row).to_have_count(1)
    expect(row.locator(".row-state")).to_have_text("Failed")
    expect(row.locator(".log-text code")).to_have_text("REQUIRED_FIELD_MISSING")
    row.locator(".row-cells summary").click()
    expect(row.locator(".row-cells-of")).to_contain_text("Renewal 417")
    look("row")


def go_through_history(page: Page, key: str, look: Shoot) -> None:
    """Follow the record through all writes: it failed twice and was then written."""
    with page.expect_navigation():
        rows_table(page).get_by_role("link", name=key).click()
    expect(page).to_have_url(re.compile(r"/writes/records/\?q="))
    states = page.locator("[data-write] .row-state")
    assert states.all_inner_texts() == ["Succeeded", "Failed", "Failed"]
    # A key is not broken into pieces where there is room for it.
    code = page.locator("[data-write] .row-key code").first
    assert code.evaluate("(code) => code.getClientRects().length") == 1
    wrap = page.locator(".table-wrap")
    assert wrap.evaluate("(wrap) => wrap.scrollWidth - wrap.clientWidth") == 0
    look("record")
    page.go_back()
    expect(page.locator("#row-table")).to_be_visible()


def go_back_to_the_list(page: Page, failed: list[int]) -> None:
    """Take the way back above the page: the filters are still on."""
    page.locator(".crumbs a").first.click()
    expect(page.locator(".chips li")).to_have_count(4)
    assert listed(page) == failed[::-1]


def see_who_confirmed(page: Page, number: int, look: Shoot) -> None:
    """Find in the audit who confirmed it, from where and with which ticket."""
    with page.expect_navigation():
        page.get_by_role("link", name="Audit of this operation").click()
    line = page.locator("tbody tr").last
    expect(line).to_contain_text("omar")
    expect(line).to_contain_text("203.0.113.17")
    look("audit")
    with page.expect_navigation():
        line.locator(".number a").click()
    expect(page.locator("#seal")).to_have_text(re.compile("as it was sealed"))
    expect(page.locator("main")).to_contain_text("CASE-12")
    expect(page.locator("main")).to_contain_text("write.confirmed")
    look("event")
    with page.expect_navigation():
        page.locator("#operation a").first.click()
    expect(page).to_have_url(re.compile(rf"/operations/{number}/$"))


def export_pack(page: Page, directory: Path) -> Path:
    """Take the evidence pack away; the audit trail tells which bytes they got."""
    pack = downloaded(page, "#evidence-pack", directory)
    with page.expect_navigation():
        page.get_by_role("link", name="Audit of this operation").click()
    digest = hashlib.sha256(pack.read_bytes()).hexdigest()
    expect(page.locator("tbody tr").first).to_contain_text(digest)
    return pack


def go_to_operation(page: Page, number: int) -> None:
    """Go from the newest event of its audit trail to the page of the operation."""
    with page.expect_navigation():
        page.locator("tbody tr").first.locator(".number a").click()
    with page.expect_navigation():
        page.locator("main .page-head a", has_text="evidence pack").click()
    expect(page).to_have_url(re.compile(rf"/(operations|writes)/{number}/$"))


def downloaded(page: Page, link: str, directory: Path) -> Path:
    """Press a link by key, and return the file that comes."""
    with page.expect_download() as download:
        page.locator(link).press("Enter")
    path = directory / download.value.suggested_filename
    download.value.save_as(path)
    return path


def verify_pack(page: Page, pack: Path, directory: Path, look: Shoot) -> None:
    """Verify it with nothing but Python and what is in it; then with a byte flipped."""
    page.locator("#evidence a[href$='#verify']").click()
    expect(page.locator("#verify")).to_be_in_viewport()
    key = page.locator("section:has(#verify) .copyable code").inner_text()
    look("retention")
    with zipfile.ZipFile(pack) as archive:
        program = Path(archive.extract("verify.py", directory))
        assert "NW-000417" in archive.read("outcomes.csv").decode()
        assert "omar" in archive.read("index.html").decode()
    assert verified(program, pack, "--key", key) == 0
    whole = pack.read_bytes()
    for place in (40, len(whole) // 3, len(whole) // 2, len(whole) - 1):
        flipped = bytearray(whole)
        flipped[place] ^= 1
        pack.write_bytes(flipped)
        assert verified(program, pack) == 1, place


def verified(program: Path, *arguments: str | Path) -> int:
    """Run a verifier apart from all that is installed here; return its exit code."""
    command = [sys.executable, "-I", program, *arguments]
    return subprocess.run(command, env={}, check=False).returncode


def test_the_month_report_is_taken_away_and_proven(
    page: Page, console: Console, look: Shoot, tmp_path: Path
) -> None:
    # Home links it as well, beside its plot.
    main = page.get_by_role("navigation", name="Main")
    main.get_by_role("link", name="Report", exact=True).click()
    page.get_by_role("link", name="Last month").click()
    expect(page.locator("[aria-current=true]")).to_have_text("Last month")
    expect(page.locator("#not-counted")).to_have_count(0)
    # Unknown outcomes come first: they keep the month from being closed.
    expect(page.locator("main .alert-doubt h2")).to_have_count(1)
    expect(page.locator("[data-by=customer]")).to_contain_text(CUSTOMER)
    failed = page.locator("[data-total=failed]").inner_text()
    look("report")

    table = downloaded(page, "#report-csv", tmp_path).read_text(encoding="utf-8-sig")
    lines = list(csv.DictReader(io.StringIO(table)))
    assert lines[0]["Totals by"] == "unknown outcome"
    assert lines[0]["Value"] == str(console.told["unknown"])
    month, zone = console.told["month"], "Europe/Berlin"
    assert {(line["From"][:7], line["Time zone"]) for line in lines} == {(month, zone)}
    [everything] = [line for line in lines if line["Totals by"] == "all"]
    assert everything["Rows failed"] == failed

    signed = downloaded(page, "#report-json", tmp_path)
    report = json.loads(signed.read_bytes())["report"]
    assert [each["operation"] for each in report["unknown"]] == [
        console.told["unknown"]
    ]
    assert report["totals"]["all"][0]["rows_failed"] == int(failed)
    assert verify_report(console, signed) == 0
    whole = signed.read_bytes()
    signed.write_bytes(whole.replace(b'"rows_failed": 13', b'"rows_failed": 12', 1))
    assert signed.read_bytes() != whole
    assert verify_report(console, signed) == 1


def verify_report(console: Console, file: Path) -> int:
    """Run the command that verifies a report at the console that made it."""
    command = [sys.executable, "manage.py", "verify_report", str(file)]
    environment = console.environment
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
