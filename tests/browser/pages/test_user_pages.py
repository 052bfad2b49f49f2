"""Pages about people and what they may do."""

import pytest
from playwright.sync_api import expect

from tests.browser.reader import Reader


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("/users/", "Last sign-in"),
        ("/users/?page=2", "Page 2 of 2"),
        ("/users/?q=nothing-like-it", "No matching users"),
        ("/users/new/", "First sign-in"),
    ],
)
def test_a_page(address: str, text: str, reader: Reader) -> None:
    reader.look_at(address, text)


@pytest.mark.parametrize(
    ("user", "has_form"),
    [("olga", True), ("operator", False)],
)
def test_a_user(user: str, has_form: bool, reader: Reader) -> None:
    page = reader.page
    page.goto(f"/users/?q={user}")
    page.locator("#users").get_by_role("link", name=user).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(user)
    expect(page.locator("#access")).to_have_count(int(has_form))
    reader.look()


@pytest.mark.parametrize(
    ("way", "button"),
    [
        ("/users/new/", "Add user"),
        ("Edit", "Save"),
        ("Set a first password", "Set password"),
    ],
)
def test_a_form_of_a_user_that_is_refused(
    way: str, button: str, reader: Reader
) -> None:
    page = reader.page
    if way.startswith("/"):
        page.goto(way)
    else:
        page.goto("/users/?q=olga")
        page.locator("#users").get_by_role("link", name="olga").click()
        page.get_by_role("link", name=way).click()
        reader.look()
    if way == "Edit":
        page.get_by_label("User name").fill("operator")
    page.get_by_role("button", name=button, exact=True).click()
    expect(page.get_by_role("alert").first).to_be_focused()
    reader.look()
