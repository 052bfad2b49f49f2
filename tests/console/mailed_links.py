"""What somebody does with a link that came by e-mail."""

from typing import Any

from django.test import Client as Browser

STRONG = "another-long-Passw0rd"


def choose(path: str, password: str = STRONG) -> Any:
    """Open a link in a browser of its own, and choose a password there."""
    browser = Browser()
    page = browser.get(path, follow=True)
    if not page.redirect_chain:
        return page
    values = {"new_password1": password, "new_password2": password}
    return browser.post(page.redirect_chain[-1][0], values)
