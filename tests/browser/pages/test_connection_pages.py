"""Pages of projects, keys, integrations, fields and environments."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import ROOT
from tests.browser.reader import Reader


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("/connections/", "No active key"),
        ("/connections/environments/", "Unfreeze Test"),
        ("/connections/new/", "New project"),
    ],
)
def test_a_page(address: str, text: str, reader: Reader) -> None:
    reader.look_at(address, text)


def test_a_freeze_takes_a_reason(reader: Reader) -> None:
    page = reader.page
    page.goto("/connections/environments/")
    page.get_by_text("Stop all sending", exact=True).first.click()
    page.get_by_role("button", name="Freeze Sandbox").click()
    expect(page.locator("#id_sandbox_reason_error")).to_contain_text("reason")
    expect(page.locator(".alert-frozen")).to_have_count(1)
    reader.look()


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("", "API keys"),
        ("keys/new/", "New API key"),
        ("integrations/new/", "integration"),
        ("manifest/", "Import amp.yaml"),
        ("edit/", "Environment"),
        ("delete/", "still in use"),
    ],
)
def test_a_page_of_a_connection(
    page: str, text: str, reader: Reader, addresses: dict[str, str]
) -> None:
    reader.look_at(addresses["project"] + page, text)


@pytest.mark.parametrize("name", ["group", "integration", "empty project"])
def test_another_page_of_a_connection(
    name: str, reader: Reader, addresses: dict[str, str]
) -> None:
    reader.page.goto(addresses[name])
    reader.look()


def test_the_preview_of_amp_yaml(reader: Reader, addresses: dict[str, str]) -> None:
    reader.page.goto(f"{addresses['empty project']}manifest/")
    file = ROOT / "sandbox" / "amp.yaml"
    reader.page.get_by_label("amp.yaml").set_input_files(file)
    reader.page.get_by_role("button", name="Preview").click()
    expect(reader.page.locator("main")).to_contain_text("Nothing was added yet")
    reader.look()


def test_a_form_of_connections_with_errors(reader: Reader) -> None:
    reader.page.goto("/connections/new/")
    reader.page.get_by_role("button", name="Add project").click()
    expect(reader.page.get_by_role("alert").first).to_contain_text("Nothing was")
    reader.look()


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("", "Account Name"),
        ("import/", "Describe file"),
        ("edit/", "One field per line"),
    ],
)
def test_the_fields_of_an_object(
    page: str, text: str, reader: Reader, addresses: dict[str, str]
) -> None:
    reader.look_at(addresses["fields"] + page, text)


@pytest.mark.parametrize("page", ["webhook/", "notifications/"])
def test_notices_of_a_project(
    page: str, reader: Reader, addresses: dict[str, str]
) -> None:
    reader.page.goto(addresses["project"] + page)
    expect(reader.page.get_by_role("heading", level=1)).to_have_count(1)
    reader.look()
