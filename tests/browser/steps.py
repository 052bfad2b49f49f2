"""What an operator does, step by step, by the labels that people rely on."""

from pathlib import Path

from playwright.sync_api import Page, expect


def choose_target(page: Page, object_name: str, group: str = "Demo customer") -> None:
    """Fill in where a write goes."""
    page.get_by_label("Project").select_option(label="Demo")
    page.get_by_label("Integration").select_option(label="salesforce")
    page.get_by_label("Object").select_option(label=object_name)
    page.get_by_label("Group").select_option(label=f"{group} (demo-group-id)")


def review_record(page: Page, object_name: str, fields: dict[str, str]) -> None:
    """Fill in the form for a new record, and go to its review."""
    page.goto("/writes/record/")
    choose_target(page, object_name)
    for number, (name, value) in enumerate(fields.items(), start=1):
        page.get_by_label(f"Field {number}", exact=True).fill(name)
        page.get_by_label(f"Value {number}", exact=True).fill(value)
    review(page)


def review_csv(page: Page, object_name: str, key: str, file: Path) -> None:
    """Fill in the form for a CSV, and press Review."""
    page.goto("/writes/csv/")
    choose_target(page, object_name)
    page.get_by_label("Primary key").fill(key)
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Review").click()


def review(page: Page) -> None:
    """Press Review and wait for the page with the exact request."""
    page.get_by_role("button", name="Review").click()
    expect(page.get_by_role("heading", name="The request")).to_be_visible()


def send(page: Page) -> None:
    """Press Send and wait for the page of the operation."""
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/operations/*/")


def expect_state(page: Page, state: str) -> None:
    """Wait until the page of the operation shows `state`."""
    expect(page.locator("main .state").first).to_have_text(state)
