"""Pages about who is here: account and tokens."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Console
from tests.browser.reader import Reader


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("/account/", "Sign out everywhere"),
        ("/account/password/", "New password"),
        ("/account/invitation/MQ/no-token/", "Ask an admin for another link"),
        ("/account/tokens/new/", "token"),
        ("/account/check/", "Is it you"),
        ("/shortcuts/", "Search everything"),
        ("/not/there/", "Home"),
    ],
)
def test_a_page(address: str, text: str, reader: Reader) -> None:
    reader.look_at(address, text)


def test_who_is_here_is_asked_again(reader: Reader) -> None:
    page = reader.page
    page.goto("/account/check/")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Continue").click()
    field = page.get_by_label("Password")
    expect(field).to_have_attribute("aria-invalid", "true")
    reader.look()


def test_the_page_after_too_many_tries(chromium: Browser, full: Console) -> None:
    stranger = Reader(chromium, full)
    for _ in range(6):
        stranger.page.goto("/login/")
        stranger.page.get_by_label("User name").fill("nobody")
        stranger.page.get_by_label("Password").fill("guessed")
        stranger.page.get_by_role("button", name="Sign in").click()
    told = re.compile(r"Wait \d+ minutes")
    expect(stranger.page.get_by_role("alert")).to_contain_text(told)
    stranger.complaints.clear()
    stranger.look()
    stranger.context.close()


def test_a_token_of_nothing_and_one_that_is_shown_once(reader: Reader) -> None:
    page = reader.page
    page.goto("/account/tokens/new/")
    page.get_by_role("button", name="Make token").click()
    expect(page.locator("#id_scopes_error")).to_be_visible()
    reader.look()
    page.get_by_label("Name").fill("Warehouse")
    page.get_by_label("Audit").check()
    page.get_by_role("button", name="Make token").click()
    expect(page.get_by_role("heading", level=1)).not_to_have_text("New API token")
    reader.look()
    page.goto("/account/")
    expect(page.get_by_role("main")).to_contain_text("Warehouse")
    reader.look()
