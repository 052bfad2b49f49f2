"""Somebody forgot their password: a letter, a link, and the sign-in with a new one."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PASSWORD, Console
from tests.browser.letters import Letters, letters
from tests.browser.reader import Reader

NEW = "another-long-Passw0rd"
HOST = "https://console.example.com"


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Letters]:
    with letters() as server:
        yield server


@pytest.fixture(scope="module")
def console(make_console: Callable[..., Console], mailbox: Letters) -> Console:
    """A console that sends letters, whose operator has an address."""
    console = make_console(EMAIL_URL=mailbox.url, CONSOLE_URL=HOST)
    path = console.data / "console.sqlite3"
    with closing(sqlite3.connect(path, timeout=60)) as database, database:
        database.execute("UPDATE auth_user SET email = 'olga@example.com'")
    return console


def sign_in(page: Page, password: str) -> None:
    page.goto("/login/")
    page.get_by_label("User name").fill("operator")
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_a_forgotten_password_is_replaced(
    chromium: Browser, console: Console, mailbox: Letters
) -> None:
    inside = Reader(chromium, console, "operator")
    reader = Reader(chromium, console)
    page = reader.page
    page.goto("/login/")
    reader.look()
    page.locator("#forgot").click()
    reader.look()
    page.get_by_role("button", name="Send the link").click()
    expect(page.locator("[aria-invalid=true]")).to_have_count(1)
    reader.look()
    page.get_by_label("User name or e-mail address").fill("operator")
    page.keyboard.press("Enter")
    expect(page.locator("#messages .alert-info")).to_be_visible()
    reader.look()
    letter = mailbox.next()
    assert letter["To"] == "olga@example.com"
    ((host, path),) = re.findall(r"(https?://[^/\s]+)(/\S+)", letter.get_content())
    assert host == HOST

    page.goto(path)
    # The token is out of the address before anything is shown.
    expect(page).to_have_url(re.compile("/set-password/$"))
    reader.look()
    page.get_by_label("New password", exact=True).fill("short")
    page.get_by_label("Repeat new password").fill("short")
    page.get_by_role("button", name="Set password").click()
    expect(page.locator("[data-form-errors]")).to_be_visible()
    reader.look()
    page.get_by_label("New password", exact=True).fill(NEW)
    page.get_by_label("Repeat new password").fill(NEW)
    page.get_by_role("button", name="Set password").click()
    expect(page.locator("#messages .alert-success")).to_be_visible()
    sign_in(page, PASSWORD)
    expect(page.get_by_role("alert")).to_be_visible()
    sign_in(page, NEW)
    expect(page.get_by_role("heading", level=1)).to_have_text("Home")
    # Who was inside elsewhere is out.
    inside.page.goto("/operations/")
    expect(inside.page).to_have_url(re.compile("/login/"))
    page.goto(path)
    expect(page.locator("#link-over")).to_be_visible()
    reader.look()
    assert path not in console.log()
    reader.context.close()
    inside.context.close()


def test_without_mail_it_says_who_helps(
    chromium: Browser, make_console: Callable[..., Console]
) -> None:
    silent = make_console()
    reader = Reader(chromium, silent)
    reader.page.goto("/account/password-reset/")
    expect(reader.page.locator("#ask-an-admin")).to_be_visible()
    reader.look()
    reader.context.close()
    silent.stop()
