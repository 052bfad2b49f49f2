"""A second factor in a browser: set up, looked at in every way, used to sign in."""

import time
from collections.abc import Callable, Iterator

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PASSWORD, Console
from tests.browser.reader import Reader


def code(secret: str) -> str:
    """Return what an app shows that has the key; it counts half a minute longer."""
    counter = int(time.time()) // 30
    return str(format_hotp_value(hotp_value(secret.replace(" ", ""), counter)))


@pytest.fixture(scope="module")
def strict(make_console: Callable[..., Console]) -> Iterator[Console]:
    """A console whose admins need a second factor, and show who they are."""
    console = make_console(
        SECOND_FACTOR_FOR="admin", IDENTITY_CHECK_FOR="keys,roles,freeze,production"
    )
    yield console
    console.stop()


def sign_in(page: Page) -> None:
    page.goto("/login/?next=/operations/")
    page.get_by_label("User name").fill("operator")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def test_it_is_set_up_and_used(chromium: Browser, strict: Console) -> None:
    reader = Reader(chromium, strict)
    page = reader.page
    sign_in(page)
    # Nothing else is there before it.
    expect(page.get_by_role("heading", level=1)).to_have_text("Set up a second factor")
    expect(page.locator("#second-factor-needed")).to_be_visible()
    expect(page.get_by_role("navigation", name="Main")).to_have_count(0)
    reader.look()
    secret = page.locator("#second-factor-key").inner_text()
    page.get_by_label("Code").fill("12")
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_label("Code")).to_have_attribute("aria-invalid", "true")
    reader.look()
    page.get_by_label("Code").fill(code(secret))
    page.keyboard.press("Enter")
    shown = page.locator(".recovery-codes code")
    expect(shown).to_have_count(10)
    recovery = shown.all_inner_texts()
    reader.look()
    page.get_by_role("link", name="I have kept them").click()
    expect(page).to_have_url(f"{strict.url}/operations/")
    page.goto("/account/second-factor/")
    reader.look()
    page.goto("/account/")
    reader.look()

    page.get_by_role("button", name="Sign out", exact=True).first.click()
    sign_in(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Second factor")
    expect(page.get_by_label("Code")).to_be_focused()
    reader.look()
    page.get_by_label("Code").fill("000000")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Code")).to_have_attribute("aria-invalid", "true")
    reader.look()
    page.get_by_label("Code").fill(recovery[0])
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{strict.url}/operations/")
    reader.look_at("/account/check/", "Is it you, operator?")
    page.get_by_label("Code").fill("000000")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Code")).to_have_attribute("aria-invalid", "true")
    reader.look()
    reader.context.close()


def with_key(page: Page) -> None:
    """Plug a security key into the browser: Chromium's own, of software."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "usb",
        "hasResidentKey": False,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_a_security_key_is_added_and_used(chromium: Browser, console: Console) -> None:
    reader = Reader(chromium, console)
    page = reader.page
    # No key answers to a number: the address is a name.
    home = console.url.replace("127.0.0.1", "localhost")
    with_key(page)
    page.goto(f"{home}/login/?next=/account/second-factor/key/")
    page.get_by_label("User name").fill("operator")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    reader.look()
    page.get_by_label("Name").fill("Blue key")
    page.get_by_role("button", name="Add security key").click()
    expect(page.locator(".recovery-codes code")).to_have_count(10)
    page.goto(f"{home}/account/second-factor/")
    expect(page.locator("main")).to_contain_text("Blue key")
    reader.look()

    page.get_by_role("button", name="Sign out", exact=True).first.click()
    page.get_by_label("User name").fill("operator")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Second factor")
    reader.look()
    page.get_by_role("button", name="Use a security key").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Home")
    page.goto(f"{home}/account/check/")
    page.get_by_role("button", name="Use a security key").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Home")
    # Taken away it is asked for no more; the others need the console as it was.
    page.goto(f"{home}/account/second-factor/")
    page.get_by_role("button", name="Remove Blue key").click()
    expect(page.locator("#second-factor-key")).to_be_visible()
    # Setting one up ended the sessions of all other tests.
    console.signed_in = None
    reader.context.close()
