"""The big story: 22 MiB of somebody else's CRM, from the upload to the last row."""

import csv
import hashlib
import json
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Page, expect

from tests.browser import dirty_file
from tests.browser.conftest import Console, Shoot
from tests.browser.dirty_file import DirtyFile
from tests.browser.steps import (
    apply_columns,
    edit_cells,
    expect_finding,
    expect_state,
    finding,
    findings_of,
    go_to_review,
    leave_column_out,
    leave_out,
    number,
    review_csv,
    rows_table,
    send,
    table,
    tiles,
    upload,
    verdict,
)

KEY = "external_id__c"
CUSTOMER = "Sample customer"
PARTS = 3


@pytest.fixture
def own_console(make_console: Callable[..., Console]) -> Iterator[Console]:
    """A console of its own: the field list changes what is found in other files."""
    console = make_console()
    yield console
    console.stop()


@pytest.fixture
def page(own_console: Console, open_page: Callable[..., Page]) -> Page:
    # In this order, so that the page is closed before its console stops.
    return open_page(own_console, viewport={"width": 1440, "height": 900})


def test_a_large_dirty_file_comes_through_with_every_row_accounted_for(
    page: Page, own_console: Console, shoot: Shoot, tmp_path: Path
) -> None:
    made = dirty_file.write(tmp_path / "Opportunities März.csv")
    assert made.path.stat().st_size >= dirty_file.SIZE
    import_fields(page, own_console, shoot)
    create_accounts(page, dirty_file.ACCOUNTS, tmp_path)

    upload_and_agree(page, made, shoot)
    every_fault_is_named(page, made, shoot)
    mend_columns(page, made, shoot)
    mend_rows(page, made, shoot)
    sent = made.rows - made.left_out
    review_shows_what_will_be_sent(page, made, sent, tmp_path, shoot)
    address = page.url

    send_in_parts(page, own_console, sent, shoot)
    failed = len(made.failing)
    totals_add_up(page, sent, failed, shoot)
    rows_are_found(page, made, shoot)
    assert written(own_console) == sent - failed

    create_accounts(page, dirty_file.MISSING, tmp_path)
    page.goto(address)
    retry(page, failed, shoot)
    assert written(own_console) == sent
    assert len(own_console.received("opportunity")) == PARTS + 1
    page.goto(address)
    assert tiles(page)["Failed"] == failed
    expect(page.locator("main")).to_contain_text("retry")
    shoot("parent-with-its-retry")


def written(console: Console) -> int:
    """How many opportunities the customer has in the sandbox."""
    path = "/sandbox/records/opportunity?count=1&groupRef=sample-org-id"
    count: int = console.get(path)["count"]
    return count


def import_fields(page: Page, console: Console, shoot: Shoot) -> None:
    """Give the object its fields, from the describe that Salesforce tells."""
    describe = console.get("/sandbox/describe/opportunity")
    page.goto("/connections/")
    page.get_by_role("link", name="Demo", exact=True).click()
    page.get_by_role("link", name="opportunity").click()
    page.get_by_role("link", name="Import fields").click()
    page.get_by_label("Describe file", exact=True).set_input_files(
        {
            "name": "opportunity.json",
            "mimeType": "application/json",
            "buffer": json.dumps(describe).encode(),
        }
    )
    page.get_by_role("button", name="Import fields").click()
    expect(
        page.get_by_role("table", name="Fields of opportunity", exact=True)
    ).to_contain_text("CloseDate")
    shoot("fields-imported")


def create_accounts(page: Page, keys: tuple[str, ...], tmp_path: Path) -> None:
    """Create accounts at the customer, as an operator does: by a small file."""
    file = tmp_path / f"accounts-{keys[0]}.csv"
    lines = (f"{key},Account {key}\n" for key in keys)
    file.write_text(f"{KEY},Name\n{''.join(lines)}")
    review_csv(page, "account", KEY, file, CUSTOMER)
    send(page)
    expect_state(page, "succeeded")


def upload_and_agree(page: Page, made: DirtyFile, shoot: Shoot) -> None:
    """Upload, be asked how it is to be read, agree, leave the page, come back."""
    upload(page, "opportunity", KEY, made.path, CUSTOMER)
    page.wait_for_url(re.compile(r"/file/"))
    agree = page.get_by_role("button", name="Read file")
    expect(agree).to_be_visible()
    expect(page.locator("main")).to_contain_text("separated by semicolons")
    shoot("reading-in-doubt")
    with page.expect_navigation():
        agree.click()
    expect(page.get_by_role("progressbar", name="Progress")).to_be_visible()
    shoot("checking")
    page.goto("/")
    page.get_by_role("region", name="Your drafts").get_by_role("link").first.click()
    expect(verdict(page)).to_be_visible()


def every_fault_is_named(page: Page, made: DirtyFile, shoot: Shoot) -> None:
    """Each kind of mistake has its group with its count, in the page and the CSV."""
    expect(page.locator("main")).to_contain_text(f"{made.rows:,} rows")
    faults = {rule: len(rows) for rule, rows in made.faults.items()}
    no_date = faults["empty-row"] + faults["ragged-row"]
    expected = {
        ("date", "CloseDate"): made.rows - no_date,
        ("blank-key", KEY): faults["blank-key"],
        ("repeated-key", KEY): faults["repeated-key"],
        ("key-spaces", KEY): faults["key-spaces"],
        ("empty-row", ""): faults["empty-row"],
        ("ragged-row", ""): faults["ragged-row"],
        ("too-long", "Name"): faults["too-long"],
        ("number", "Amount"): faults["number"],
        ("boolean", "IsPrivate"): faults["boolean"],
        ("altered-id", "OwnerId"): faults["altered-id"],
        **{("read-only-column", name): 1 for name in dirty_file.READ_ONLY},
        **{("unknown-column", name): 1 for name in dirty_file.UNKNOWN},
    }
    for (rule, column), total in expected.items():
        expect_finding(page, rule, column, total)
    expect(finding(page, "nulls", "NextStep")).to_contain_text(
        f"{faults['null']:,} cells of NextStep are #N/A"
    )
    found = findings_of(page)
    assert expected.items() <= found.items()
    assert {rule for rule, _ in found} - {rule for rule, _ in expected} == {
        "blanks",
        "nulls",
    }
    # What reading did, and what a column's name told, are listed as changes.
    changes = page.get_by_role("region", name="Changes and files", exact=True)
    expect(changes).to_contain_text("byte order mark")
    expect(changes).to_contain_text(f"{made.rows + 1:,} line endings CRLF")
    expect(changes).to_contain_text("semicolons between cells are sent as commas")
    expect(changes).to_contain_text("“Close Date” is sent as “CloseDate”")
    expect(page.get_by_role("link", name="Review")).to_have_count(0)
    shoot("every-fault-named")


def mend_columns(page: Page, made: DirtyFile, shoot: Shoot) -> None:
    """Leave out what Salesforce refuses, convert the dates, trim the keys."""
    for name in (*dirty_file.READ_ONLY, *dirty_file.UNKNOWN):
        leave_column_out(page, name)
    columns = page.get_by_role("region", name="Columns", exact=True)
    columns.get_by_label("Date format of Close Date").select_option("date:us")
    page.get_by_label(f"Trim {KEY}", exact=True).check()
    shoot("columns-chosen")
    apply_columns(page)
    for rule, column in (
        *(("read-only-column", name) for name in dirty_file.READ_ONLY),
        *(("unknown-column", name) for name in dirty_file.UNKNOWN),
        ("date", "CloseDate"),
        ("key-spaces", KEY),
    ):
        expect(finding(page, rule, column)).to_have_count(0)
    changes = page.get_by_role("region", name="Changes and files", exact=True)
    faults = made.faults
    ragged = len(faults["empty-row"]) + len(faults["ragged-row"])
    expect(changes).to_contain_text(
        f"{made.rows - ragged:,} cells of “Close Date”: converted"
    )
    trimmed = len(faults["key-spaces"])
    expect(changes).to_contain_text(
        f"{trimmed} cells of “{KEY}”: leading and trailing spaces"
    )
    shoot("columns-mended")


def mend_rows(page: Page, made: DirtyFile, shoot: Shoot) -> None:
    """Edit the cells that are known, and hold back the rows that nobody can mend."""
    edit_cells(page, "boolean", "IsPrivate", "true")
    expect(finding(page, "boolean", "IsPrivate")).to_have_count(0)
    held_back = 0
    for rule, column in (
        ("blank-key", KEY),
        ("repeated-key", KEY),
        ("empty-row", ""),
        ("ragged-row", ""),
        ("too-long", "Name"),
    ):
        leave_out(page, rule, column)
        held_back += len(made.faults[rule])
        expect(finding(page, rule, column)).to_have_count(0)
        expect(page.locator("main")).to_contain_text(f"{made.rows - held_back:,} rows")
        expect(page.locator("main")).to_contain_text(f"{held_back:,} excluded")
    assert held_back == made.left_out
    assert findings_of(page).keys() == {
        ("blanks", "LeadSource"),
        ("nulls", "NextStep"),
    }
    shoot("mended")
    go_to_review(page)


def review_shows_what_will_be_sent(
    page: Page, made: DirtyFile, sent: int, tmp_path: Path, shoot: Shoot
) -> None:
    """The review tells rows, parts and files; each file is what it is said to be."""
    expect(page.get_by_role("heading", level=1)).to_have_text(
        f"Upsert {sent:,} opportunity records"
    )
    main = page.locator("main")
    expect(main).to_contain_text(f"{made.left_out:,} rows are excluded")
    expect(main).to_contain_text(f"{PARTS} parts")
    shoot("review")
    original = made.path.read_bytes()
    files = {name: download(page, name, tmp_path) for name in FILES}
    assert files["original.csv"].read_bytes() == original
    for file in files.values():
        expect(main).to_contain_text(hashlib.sha256(file.read_bytes()).hexdigest())
    header, *rows = records(files["as-sent.csv"])
    assert header == list(dirty_file.SENT.values())
    assert len(rows) == sent
    assert {len(row) for row in rows} == {len(header)}
    closes = header.index("CloseDate")
    assert all(re.fullmatch(r"2026-\d\d-\d\d", row[closes]) for row in rows)
    held_header, *held = records(files["excluded.csv"])
    assert held_header == list(dirty_file.COLUMNS)
    assert len(held) == made.left_out


FILES = ("original.csv", "as-sent.csv", "excluded.csv")


def download(page: Page, name: str, tmp_path: Path) -> Path:
    """Save one of the files that the page offers."""
    with page.expect_download() as started:
        page.get_by_role("link", name=name).click()
    path = tmp_path / f"downloaded-{name}"
    started.value.save_as(path)
    return path


def records(path: Path) -> list[list[str]]:
    """Return all records of a file, blank lines too."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def send_in_parts(page: Page, console: Console, sent: int, shoot: Shoot) -> None:
    """Send; the parts go one after the other, each after the one before it ended."""
    ended = page.locator(f'main progress[max="{PARTS}"]')
    console.hold_next_write()
    page.get_by_role("button", name="Send").click()
    expect(ended).to_have_attribute("value", "0")
    expect_state(page, "in_progress", within="tbody")
    expect(page.locator("tbody .state-held")).to_have_count(PARTS - 1)
    assert tiles(page)["Rows"] == sent
    # The first part has left, and nobody knows yet how its rows fared.
    assert 0 < tiles(page)["Not sent"] < sent
    assert tiles(page)["Succeeded"] == 0
    shoot("sending-in-parts")
    console.end_held_write()
    expect(page.locator("#rows-every")).to_be_visible()
    for before, after in pairwise(times(console)):
        assert before.ended_at <= after.sent_at


class Times(NamedTuple):
    """When a part was sent and when the console knew of its end, as they sort."""

    sent_at: str
    ended_at: str


def times(console: Console) -> list[Times]:
    """Read from the console's database when its latest parts came and went."""
    path = console.data / "console.sqlite3"
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute(
            "SELECT sent_at, ended_at FROM operations_operation"
            " ORDER BY id DESC LIMIT ?",
            [PARTS],
        ).fetchall()
    return [Times(*row) for row in reversed(rows)]


def totals_add_up(page: Page, sent: int, failed: int, shoot: Shoot) -> None:
    """Every page that tells numbers tells the same ones."""
    totals = {
        "Rows": sent,
        "Succeeded": sent - failed,
        "Failed": failed,
        "Unknown": 0,
    }
    assert tiles(page) == totals
    parts = table(page, "Parts")
    assert sum(number(part["Failed"]) for part in parts) == failed
    assert sum(number(part["Succeeded"]) for part in parts) == sent - failed
    expect(page.get_by_role("alert")).to_have_count(0)
    shoot("partly-failed")
    address = page.url
    told: Counter[str] = Counter()
    for part in range(1, PARTS + 1):
        page.locator(f"#part-{part}").click()
        expect_state(page, "partly_failed")
        told.update(tiles(page))
        if part == 1:
            shoot("operation-of-a-part")
        page.goto(address)
    assert dict(told) == totals
    page.locator("#every-row").click()
    expect(rows_table(page)).not_to_have_count(0)
    assert tiles(page) == totals


def rows_are_found(page: Page, made: DirtyFile, shoot: Shoot) -> None:
    """On the page of rows: by error group, by outcome, by key."""
    shoot("rows")
    missing = dirty_file.MISSING[1]
    group = page.get_by_role("region", name="Errors", exact=True)
    expect(group.get_by_role("link")).to_have_count(len(dirty_file.MISSING))
    group.get_by_role("link", name=missing).click()
    in_group = [key for key in made.failing if made.missing[key] == missing]
    expect(rows_table(page)).to_have_count(len(in_group))
    shoot("rows-of-one-error")
    page.get_by_role("link", name="Clear").click()
    page.get_by_label("Outcome").select_option("failed")
    page.get_by_role("button", name="Filter").click()
    expect(rows_table(page)).to_have_count(len(made.failing))
    keys = [row["Key"] for row in table(page, "Rows")]
    assert keys == made.failing
    page.get_by_label("Key").fill(made.failing[-1])
    page.get_by_role("button", name="Filter").click()
    expect(rows_table(page)).to_have_count(1)
    row = int(made.failing[-1].removeprefix("OPP-")) + 1
    expect(rows_table(page)).to_contain_text(f"{row:,}")
    shoot("row-by-key")


def retry(page: Page, failed: int, shoot: Shoot) -> None:
    """Send the failed rows alone, by the same columns, to full success."""
    page.get_by_role("button", name="Retry failed").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(
        f"Upsert {failed:,} opportunity records"
    )
    expect(page.get_by_role("heading", name="Request", exact=True)).to_be_visible()
    shoot("retry-review")
    send(page)
    expect_state(page, "succeeded")
    expect(page.locator("#rows-every")).to_be_visible()
    expected = {"Rows": failed, "Succeeded": failed, "Failed": 0, "Unknown": 0}
    assert expected.items() <= tiles(page).items()
    shoot("retry-succeeded")
