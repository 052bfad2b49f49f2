"""Signing in by a provider that nobody here wrote, in a browser."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PASSWORD, Console, new_context
from tests.browser.reader import Reader
from tests.oidc.conftest import Provider


@pytest.fixture
def page(chromium: Browser, console: Console) -> Iterator[Page]:
    """A page of somebody who was never here."""
    context = new_context(chromium, console)
    yield context.new_page()
    context.close()


def sign_in(page: Page, name: str, at: str = "/operations/") -> None:
    """Sign in as `name` at the provider, coming from a page of the console."""
    page.goto(at)
    page.get_by_role("link", name="Sign in with Staff login").click()
    show_at_provider(page, name)


def show_at_provider(page: Page, name: str) -> None:
    """Say at the provider who one is."""
    page.locator("input[name=login]").fill(name)
    page.locator("input[name=password]").fill("anything")
    page.locator("button[type=submit]").click()
    # What it may tell the console.
    page.get_by_role("button", name="Continue").click()


def sign_out(page: Page) -> None:
    """Leave the console and forget who was at the provider."""
    page.get_by_role("button", name="Sign out", exact=True).first.click()
    page.context.clear_cookies()


def rows(console: Console, sql: str, *values: object) -> list[Any]:
    with closing(sqlite3.connect(console.data / "console.sqlite3", timeout=60)) as db:
        return db.execute(sql, values).fetchall()


def roles(console: Console, name: str) -> dict[str, str]:
    sql = (
        "SELECT environment, role FROM console_grant JOIN auth_user u "
        "ON u.id = user_id WHERE username = ?"
    )
    return dict(rows(console, sql, name))


def told(console: Console, action: str, subject: str) -> list[dict[str, Any]]:
    sql = (
        "SELECT detail FROM console_auditevent WHERE action = ? AND subject = ? "
        "ORDER BY id"
    )
    return [json.loads(detail) for (detail,) in rows(console, sql, action, subject)]


def test_groups_are_the_roles(page: Page, console: Console, provider: Provider) -> None:
    provider.knows("grace", "crm-ops", "crm-admins", "lunch")
    sign_in(page, "grace")
    # Back where they wanted to go.
    expect(page).to_have_url(f"{console.url}/operations/")
    expect(page.locator(".user-name")).to_have_text("grace")
    everywhere = {"sandbox": "admin", "test": "operator", "production": "operator"}
    assert roles(console, "grace") == everywhere
    assert told(console, "user.signed_in", "grace") == [{"by": "Staff login"}]
    assert told(console, "user.created", "grace") == [{"by": "Staff login"}]

    # A group that is taken away takes its role.
    provider.knows("grace", "crm-readers")
    sign_out(page)
    sign_in(page, "grace")
    expect(page).to_have_url(f"{console.url}/operations/")
    assert roles(console, "grace") == {"production": "viewer"}
    assert told(console, "user.changed", "grace")[-1] == {
        "by_groups_of": "Staff login",
        "sandbox": ["admin", ""],
        "test": ["operator", ""],
        "production": ["operator", "viewer"],
    }
    main = page.get_by_role("navigation", name="Main")
    expect(main.get_by_role("link", name="Operations")).to_be_visible()
    expect(main.get_by_role("link", name="CSV")).to_have_count(0)

    # Without any group nobody is let in.
    provider.knows("grace")
    sign_out(page)
    sign_in(page, "grace")
    expect(page.locator("#messages .alert")).to_be_visible()
    expect(page.get_by_label("User name")).to_be_visible()
    assert roles(console, "grace") == {}
    assert len(told(console, "user.sign_in_failed", "grace")) == 1
    assert len(rows(console, "SELECT 1 FROM auth_user WHERE username = 'grace'")) == 1


def test_a_name_proves_nothing(
    page: Page, console: Console, provider: Provider
) -> None:
    provider.knows("operator", "crm-readers")
    sign_in(page, "operator")
    expect(page.locator(".user-name")).to_have_text("operator-2")
    assert roles(console, "operator-2") == {"production": "viewer"}
    assert roles(console, "operator") != roles(console, "operator-2")


def test_who_has_a_password_connects_their_own_account(
    chromium: Browser, console: Console, provider: Provider
) -> None:
    reader = Reader(chromium, console)
    page = reader.page
    provider.knows("olga", "crm-ops")
    page.goto("/login/?next=/account/")
    page.get_by_label("User name").fill("operator")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.locator("#connect")).to_be_visible()
    reader.look()
    page.locator("#connect").click()
    show_at_provider(page, "olga")
    expect(page).to_have_url(f"{console.url}/account/")
    expect(page.locator("#connected")).to_be_visible()
    # The provider's own pages ask for fonts that are elsewhere.
    reader.complaints.clear()
    reader.look()
    assert told(console, "user.connected", "operator") == [
        {"to": "Staff login", "name": "olga"}
    ]
    # Their groups would take the roles of the last admin.
    sign_out(page)
    sign_in(page, "olga")
    expect(page.locator("#messages .alert")).to_be_visible()
    expect(page.get_by_label("User name")).to_be_visible()
    assert set(roles(console, "operator").values()) == {"admin"}
    with closing(sqlite3.connect(console.data / "console.sqlite3", timeout=60)) as db:
        db.execute("UPDATE auth_user SET is_superuser = 1 WHERE username = 'operator'")
        db.commit()
    page.context.clear_cookies()
    sign_in(page, "olga")
    expect(page.locator(".user-name")).to_have_text("operator")
    assert set(roles(console, "operator").values()) == {"operator"}
    assert rows(console, "SELECT 1 FROM auth_user WHERE username = 'olga'") == []
    reader.context.close()


def test_a_stranger_is_made_no_user(
    page: Page, console: Console, provider: Provider
) -> None:
    provider.knows("mallory", "lunch")
    sign_in(page, "mallory")
    expect(page.get_by_label("User name")).to_be_visible()
    assert rows(console, "SELECT 1 FROM auth_user WHERE username = 'mallory'") == []


def test_a_provider_that_refuses_is_told(page: Page, console: Console) -> None:
    page.goto("/login/oidc/callback/?error=access_denied&state=made-up")
    expect(page).to_have_url(f"{console.url}/login/")
    expect(page.get_by_label("User name")).to_be_visible()


def test_the_sign_in_page_with_a_provider(chromium: Browser, console: Console) -> None:
    reader = Reader(chromium, console)
    reader.page.goto("/login/")
    reader.look()
    reader.context.close()
