"""Today's API: from a project with an address and a key alone to a proven file."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Console
from tests.browser.steps import (
    apply_columns,
    expect_state,
    go_to_review,
    leave_column_out,
)

ROWS = 5_000


@pytest.fixture(scope="module")
def own(make_console: Callable[..., Console]) -> Console:
    """A console of its own, whose sandbox is told nothing by others."""
    return make_console()


@pytest.fixture
def page(own: Console, open_page: Callable[..., Page]) -> Page:
    """A signed-in page of that console."""
    return open_page(own)


def choose(page: Page, **options: str) -> None:
    for label, option in options.items():
        control = page.get_by_label(label.replace("_", " "), exact=True)
        control.select_option(label=option)


def connect(page: Page, console: Console) -> None:
    """Make a project with an address and a key, and fetch all the rest."""
    page.goto("/connections/new/")
    page.get_by_label("Name", exact=True).fill("Ours")
    page.get_by_label("Project id or name in Ampersand").fill("demo-c")
    choose(page, Environment="Sandbox")
    for name in ("Write address", "API address"):
        page.get_by_label(name, exact=True).fill(f"{console.sandbox_url}/v1")
    page.get_by_label("API generation").select_option("C")
    page.get_by_label("Writes per second").fill("100")
    page.get_by_role("button", name="Add project").click()
    page.get_by_role("link", name="Add API key").first.click()
    page.get_by_label("Label").fill("Main")
    page.get_by_label("API key", exact=True).fill("SANDBOX-KEY")
    page.get_by_role("button", name="Add").click()
    page.get_by_role("link", name="Add integration").first.click()
    page.get_by_label("Name", exact=True).fill("salesforce")
    page.get_by_label("Integration id or name in Ampersand").fill("salesforce")
    page.get_by_label("Objects that may be written").fill("contact")
    page.get_by_role("button", name="Add integration").click()
    page.get_by_role("button", name="Fetch from Ampersand").click()
    expect(page.locator("main")).to_contain_text("Stale customer")
    page.locator("main a", has_text="contact").first.click()
    page.get_by_role("button", name="Fetch from Ampersand for Demo").click()
    expect(page.locator("#of-group")).to_be_visible()


def target(page: Page) -> None:
    choose(page, Project="Ours", Integration="salesforce", Object="contact")
    choose(page, Group="Demo customer (demo-group-id)")


def send(page: Page, button: str = "Send") -> None:
    page.get_by_role("button", name=button).click()
    page.wait_for_url("**/operations/*/")


def test_a_person_of_today_goes_all_the_way(
    page: Page, own: Console, tmp_path: Path
) -> None:
    connect(page, own)

    page.goto("/writes/record/")
    target(page)
    page.get_by_role("button", name="Show its fields").click()
    first = page.get_by_label("Field 1", exact=True)
    expect(first).to_have_value("lastname")
    page.get_by_label("Value 1", exact=True).fill("Berg")
    page.get_by_label("Field 2", exact=True).fill("birthdate")
    page.get_by_label("Value 2", exact=True).fill("31.12.2001")
    page.get_by_role("button", name="Review").click()
    expect(page.locator(".record-row .field-errors")).to_be_visible()
    page.get_by_label("Value 2", exact=True).fill("2001-12-31")
    page.get_by_role("button", name="Review").click()
    send(page)
    expect_state(page, "succeeded")
    (contact,) = own.get("/sandbox/records/contact")
    assert contact["Birthdate"] == "2001-12-31"

    page.goto("/writes/record/")
    target(page)
    page.get_by_label("Action").select_option("update")
    page.get_by_label("Record ID").fill(contact["Id"])
    page.get_by_label("Field 1", exact=True).fill("firstname")
    page.get_by_label("Value 1", exact=True).fill("Mara")
    page.get_by_role("button", name="Review").click()
    send(page)
    expect_state(page, "succeeded")
    assert own.get("/sandbox/records/contact")[0]["FirstName"] == "Mara"

    page.goto("/writes/record/")
    target(page)
    page.get_by_label("Action").select_option("delete")
    page.get_by_label("Record ID").fill(contact["Id"])
    page.get_by_role("button", name="Review").click()
    send(page, "Delete the record")
    expect_state(page, "succeeded")
    assert own.get("/sandbox/records/contact") == []

    file = tmp_path / "contacts.csv"
    file.write_text(faulty(), encoding="utf-8")
    page.goto("/writes/csv/")
    target(page)
    page.get_by_label("Action").select_option("create")
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Review").click()
    page.get_by_role("link", name="Review").or_(
        page.get_by_role("button", name="Send")
    ).first.wait_for()
    if page.get_by_role("button", name="Send").count() == 0:
        page.get_by_role("link", name="Review").first.click()
    send(page)
    expect_state(page, "partly_failed")
    tiles = page.locator("#run .tile strong")
    expect(tiles.nth(1)).to_have_text(f"{ROWS - 40:,}")
    expect(tiles.nth(2)).to_have_text("40")
    # What is wrong stands in three columns that nobody needs.
    page.locator("#retry-failed").click()
    page.wait_for_url("**/writes/*/**")
    page.goto(page.url.rstrip("/").removesuffix("/file") + "/file/")
    for column in ("firstname", "accountid", "reportstoid"):
        leave_column_out(page, column)
    apply_columns(page)
    go_to_review(page)
    send(page)
    expect_state(page, "succeeded")
    assert own.get("/sandbox/records/contact?count=1")["count"] == ROWS


def faulty() -> str:
    """Return 5,000 contacts, 40 of which the SaaS refuses for three reasons.

    The console knows no list that would tell it before: lengths, e-mails it cannot
    reach, and references to nobody.
    """
    kinds = {row: place % 3 for place, row in enumerate(range(7, ROWS, 125))}
    lines = ["lastname,firstname,accountid,reportstoid"]
    for row in range(ROWS):
        kind = kinds.get(row)
        first = "x" * 41 if kind == 0 else f"First {row}"
        account = "001SB0000000999" if kind == 1 else ""
        boss = "003SB0000000999" if kind == 2 else ""
        lines.append(f"Last {row},{first},{account},{boss}")
    return "\n".join([*lines, ""])
