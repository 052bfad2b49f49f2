"""What an operator does with a project that speaks today's API."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import Console
from tests.browser.steps import expect_state


def choose(page: Page, **options: str) -> None:
    """Choose an option by its label in each of the selects named."""
    for label, option in options.items():
        control = page.get_by_label(label.replace("_", " "), exact=True)
        control.select_option(label=option)


def connect(page: Page, console: Console, *, write_url: str = "") -> None:
    """Make a project with an address and a key, and fetch all the rest."""
    api_url = f"{console.sandbox_url}/v1"
    page.goto("/connections/new/")
    page.get_by_label("Name", exact=True).fill("Ours")
    page.get_by_label("Project id or name in Ampersand").fill("demo-c")
    choose(page, Environment="Sandbox")
    page.get_by_label("Write URL", exact=True).fill(write_url or api_url)
    page.get_by_label("API URL", exact=True).fill(api_url)
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
    page.get_by_label("Writable objects").fill("contact")
    page.get_by_role("button", name="Add integration").click()
    page.get_by_role("button", name="Fetch from Ampersand").click()
    expect(page.locator("main")).to_contain_text("Stale customer")
    page.locator("main a", has_text="contact").first.click()
    page.get_by_role("button", name="Fetch from Ampersand for Demo").click()
    expect(page.locator("#of-group")).to_be_visible()


def target(page: Page) -> None:
    """Choose project, integration, object and customer."""
    choose(page, Project="Ours", Integration="salesforce", Object="contact")
    choose(page, Customer="Demo customer (demo-group-id)")


def send(page: Page, button: str = "Send") -> None:
    """Press the button of a review, and wait for the page of the operation."""
    page.get_by_role("button", name=button).click()
    page.wait_for_url("**/operations/*/")


def change_record(page: Page, action: str, record_id: str, **fields: str) -> None:
    """Update or delete a record by its id, and wait for the end."""
    page.goto("/writes/record/")
    target(page)
    page.get_by_label("Action").select_option(action)
    page.get_by_label("Record id", exact=True).fill(record_id)
    for number, (name, value) in enumerate(fields.items(), start=1):
        page.get_by_label(f"Field {number}", exact=True).fill(name)
        page.get_by_label(f"Value {number}", exact=True).fill(value)
    page.get_by_role("button", name="Review").click()
    send(page, "Delete the record" if action == "delete" else "Send")
    expect_state(page, "succeeded")


def send_file(page: Page, action: str, file: Path, key: str = "") -> None:
    """Upload a file without faults, look at its review, and send it."""
    page.goto("/writes/csv/")
    target(page)
    page.get_by_label("Action").select_option(action)
    if key:
        page.get_by_label("Primary key").fill(key)
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Review").click()
    to_review = page.get_by_role("link", name="Review")
    button = page.get_by_role("button", name=re.compile("^(Send|Delete the records)$"))
    to_review.or_(button).first.wait_for()
    if button.count() == 0:
        to_review.click()
    if action == "delete":
        rows = len(file.read_text(encoding="utf-8").split()) - 1
        page.get_by_label("Number of records to delete").fill(str(rows))
    button.click()
    page.wait_for_url("**/operations/*/")
