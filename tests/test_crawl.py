"""Every address at once: what it must carry, and what it must never do.

Who may see it is told in docs/permissions.md and tested in test_permissions.py.
"""

import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client as Browser
from django.urls import URLPattern, URLResolver, get_resolver

from console.access.roles import Role
from console.models import Project

pytestmark = pytest.mark.pages

# Not pages: a probe, the files that are handed out, and a fragment of the list.
NOT_PAGES = {
    *("/healthz", "/livez", "/readyz"),
    *("/audit/audit.csv", "/operations/rows/", "/writes/verify.py"),
    *("/operations/operations.csv", "/operations/views/counts/", "/metrics"),
    # Where a provider is set they lead to it.
    *("/login/oidc/", "/login/oidc/callback/", "/account/connect/"),
    *("/operations/report/report.csv", "/operations/report/report.json"),
    *("/api/v1/operations", "/api/v1/writes", "/api/v1/audit", "/api/v1/openapi.json"),
}
# Without workers, as here, one of them is 503.
PROBES = ("/healthz", "/readyz")
POST_ONLY = {
    *("/logout/", "/account/sign-out-everywhere/", "/account/sign-out-elsewhere/"),
    "/account/disconnect/",
    *("/account/second-factor/remove/", "/account/recovery-codes/"),
    *("/theme/", "/account/mail/", "/account/tokens/revoke/"),
    *("/operations/selected/", "/operations/columns/", "/operations/log-display/"),
}
HOSTILE = (
    "\x00",
    "'\"><script>alert(1)</script>",
    "-1",
    "99999999999999999999999",
    "%",
    "\ud7ff\uffff",
    "9999-99-99",
    "x" * 5000,
    "{{ 7 }}",
    "١٢",
)
NAMES = [
    *("again", "text", "status", "project", "integration", "object", "group", "user"),
    *("from", "to", "before", "after", "seen", "was", "q", "severity", "action"),
    *("environment", "next", "page", "period", "source", "write", "rows_min"),
    *("rows_max", "failures", "more", "undecided", "on", "at", "find", "start"),
]


def addresses() -> Iterator[str]:
    """Yield every address without an argument."""
    yield from _below(get_resolver(), "/")


def _below(resolver: URLResolver, prefix: str) -> Iterator[str]:
    for pattern in resolver.url_patterns:
        address = prefix + str(pattern.pattern)
        if "<" in address:
            continue
        if isinstance(pattern, URLResolver):
            yield from _below(pattern, address)
        elif isinstance(pattern, URLPattern):
            yield address


ALL = sorted(set(addresses()))
READABLE = [address for address in ALL if address not in POST_ONLY]
PAGES = [address for address in READABLE if address not in NOT_PAGES]


class Markup(HTMLParser):
    """What of a page's markup a strict policy would not let pass."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.headings = 0
        self.inline: list[str] = []
        self._in_script = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.headings += tag == "h1"
        self._in_script = tag == "script"
        self.inline += [
            f"<{tag} {name}>"
            for name, value in attrs
            if name == "style"
            or name.startswith(("on", "hx-on"))
            or (value or "").strip().lower().startswith("javascript:")
        ]
        if tag == "style":
            self.inline.append("<style>")

    def handle_data(self, data: str) -> None:
        if self._in_script and data.strip():
            self.inline.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False


def check_page(response: Any) -> None:
    """Fail unless a page has one heading, nothing inline, and the headers it needs."""
    markup = Markup(response.content.decode())
    assert markup.headings == 1
    assert markup.inline == []
    policy = response["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert re.search(r"style-src 'self'( 'nonce-[^' ]+')?;", policy)
    assert "frame-ancestors 'none'" in policy
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"


def test_the_crawl_finds_the_pages_that_people_know() -> None:
    known = {"/", "/operations/", "/audit/", "/connections/", "/healthz", "/login/"}
    assert known | {"/writes/csv/", "/connections/new/"} | POST_ONLY <= set(ALL)


@pytest.mark.parametrize("address", PAGES)
def test_a_page_carries_what_every_page_carries(
    address: str, sign_in: Callable[..., Browser], project: Project
) -> None:
    response = sign_in(Role.ADMIN).get(address)
    if address in ("/login/", "/login/code/"):
        assert response.status_code == 302
        return
    assert response.status_code == 200
    check_page(response)
    # No page may be kept by a cache that others share.
    cache = response.get("Cache-Control", "")
    assert "public" not in cache
    assert "Cookie" in response.get("Vary", "") or "no-store" in cache


def test_the_sign_in_page_carries_what_every_page_carries(db: None) -> None:
    check_page(Browser().get("/login/"))


def test_a_page_that_is_not_there_is_still_a_page(
    sign_in: Callable[..., Browser],
) -> None:
    response = sign_in().get("/nothing/here/")
    assert response.status_code == 404
    check_page(response)


@pytest.mark.hostile
@pytest.mark.parametrize("address", READABLE)
def test_a_hostile_query_is_answered_and_echoed_only_as_text(
    address: str, sign_in: Callable[..., Browser], project: Project
) -> None:
    browser = sign_in(Role.ADMIN)
    for value in HOSTILE:
        query = urlencode(dict.fromkeys(NAMES, value))
        response = browser.get(f"{address}?{query}")
        assert response.status_code < 500 or address in PROBES, value
        assert b"<script>alert" not in b"".join(response), value


@pytest.mark.hostile
@pytest.mark.parametrize("address", ["/", "/operations/", "/audit/", "/writes/csv/"])
def test_a_broken_query_is_answered(
    address: str, sign_in: Callable[..., Browser], project: Project
) -> None:
    browser = sign_in(Role.ADMIN)
    for query in ("%ff%fe=%ff", "a[]=1&a[]=2", "&&&==", "text=%00", "before=%2e%2e"):
        assert browser.get(f"{address}?{query}").status_code in (200, 400), query
