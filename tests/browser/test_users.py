"""An admin makes a user, gives and takes roles; the user sees it at the next click."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD, Console, no_axe_findings

OWN = "another-long-Passw0rd"
ENVIRONMENTS = ("Sandbox", "Test", "Production")


def add_user(page: Page, name: str, **roles: str) -> None:
    """Make a user, and end on their page. Roles by environment, as "viewer"."""
    page.goto("/users/")
    page.get_by_role("link", name="New user").click()
    page.get_by_label("User name").fill(name)
    for environment, role in roles.items():
        page.get_by_label(f"Role in {environment}").select_option(role)
    page.get_by_label("First password", exact=True).fill(PASSWORD)
    page.get_by_label("Repeat first password").fill(PASSWORD)
    page.get_by_role("button", name="Add user").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def give(page: Page, **roles: str) -> None:
    """On the page of a user choose these roles; "" is none."""
    for environment, role in roles.items():
        page.get_by_label(f"Role in {environment}").select_option(role)
    page.get_by_role("button", name="Save roles").click()
    expect(page.locator("#messages .alert-success")).to_be_visible()


def sign_in(page: Page, name: str) -> None:
    """Sign in for the first time, and choose a password."""
    page.goto("/login/")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#first-password")).to_be_visible()
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill(OWN)
    page.get_by_label("Repeat new password").fill(OWN)
    page.get_by_role("button", name="Change password").click()
    page.goto("/")


def expect_environments(page: Page, *names: str) -> None:
    """The environments that are there for whoever looks."""
    page.goto("/connections/environments/")
    expect(page.locator("main h2 .environment")).to_have_text(list(names))


@pytest.mark.parametrize("has_javascript", [True, False])
def test_a_user_sees_what_they_were_given_until_it_is_taken(
    has_javascript: bool, open_page: Callable[..., Page], console: Console
) -> None:
    name = f"ines-{has_javascript}".lower()
    admin = open_page(java_script_enabled=has_javascript)
    ines = open_page(sign_in=False, java_script_enabled=has_javascript)
    writes = ines.get_by_role("navigation", name="Main").get_by_role(
        "link", name="Record", exact=True
    )
    add_user(admin, name, Sandbox="viewer", Production="viewer")
    expect(admin.locator("[data-password]")).to_have_attribute("data-password", "first")
    sign_in(ines, name)
    expect_environments(ines, "Sandbox", "Production")
    expect(writes).to_have_count(0)
    expect(ines.get_by_role("link", name="Users")).to_have_count(0)
    # What is given counts at the next click, and so does what is taken.
    give(admin, Sandbox="operator", Production="")
    expect(admin.locator("[data-now]")).to_have_text(["operator", "none", "none"])
    ines.get_by_role("link", name="Home").click()
    expect(writes).to_have_count(1)
    expect_environments(ines, "Sandbox")
    give(admin, Sandbox="")
    with ines.expect_navigation() as met:
        writes.click()
    assert met.value.status == 403
    # The account is closed: the session is over.
    admin.reload()
    expect(admin.locator("[data-session-address]")).to_have_count(1)
    admin.get_by_role("button", name="Deactivate").click()
    expect(admin.locator("[data-account]")).to_have_attribute(
        "data-account", "inactive"
    )
    ines.goto("/")
    expect(ines).to_have_url(re.compile("/login/"))
    ines.get_by_label("User name").fill(name)
    ines.get_by_label("Password").fill(OWN)
    ines.get_by_role("button", name="Sign in").click()
    expect(ines.get_by_role("alert")).to_be_visible()
    # All of it is in the audit, with what it was before.
    admin.locator("#audit-of").click()
    expect(admin.get_by_role("row").filter(has_text="roles changed")).to_have_count(3)


def test_two_admins_on_the_pages_of_each_other(
    open_page: Callable[..., Page],
) -> None:
    first, second = open_page(), open_page(sign_in=False)
    add_user(first, "bea", Sandbox="admin", Test="admin", Production="admin")
    address = first.url
    sign_in(second, "bea")
    second.goto("/users/")
    second.locator("#users").get_by_role("link", name="operator").click()
    # The first is quicker.
    first.get_by_role("button", name="Deactivate").click()
    expect(first.locator("[data-account]")).to_have_attribute(
        "data-account", "inactive"
    )
    second.get_by_role("button", name="Deactivate").click()
    expect(second).to_have_url(re.compile("/login/"))
    # Who is left finds no way to close their own account, or to change their roles.
    first.goto("/users/")
    first.locator("#users").get_by_role("link", name="operator").click()
    expect(first.get_by_role("button", name="Deactivate")).to_have_count(0)
    expect(first.locator("#access")).to_have_count(0)
    expect(first.locator("[data-account]")).to_have_attribute("data-account", "active")
    first.goto(address)
    first.get_by_role("button", name="Activate").click()
    expect(first.locator("[data-account]")).to_have_attribute("data-account", "active")


def test_a_user_is_made_and_found_by_keyboard(page: Page) -> None:
    page.goto("/users/new/")
    name = page.get_by_label("User name")
    expect(name).to_be_focused()
    # Nothing is filled in: what is wrong is said first, and nothing is lost.
    page.keyboard.type("kim")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").first).to_be_focused()
    expect(name).to_have_value("kim")
    expect(page.get_by_label("First password", exact=True)).to_have_attribute(
        "aria-invalid", "true"
    )
    no_axe_findings(page)
    page.get_by_label("Role in Sandbox").focus()
    page.keyboard.type("Oper")
    page.get_by_label("First password", exact=True).focus()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("kim")
    expect(page.locator("[data-now]").first).to_have_text("operator")
    page.goto("/users/")
    page.get_by_label("Search", exact=True).last.focus()
    page.keyboard.type("kim")
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    assert "q=kim" in page.url
