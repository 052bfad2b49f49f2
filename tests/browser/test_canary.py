"""An API key in daily use is found nowhere: disk, log, page or download."""

import re
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Console
from tests.browser.steps import expect_state, review_csv, review_record, send

CANARY = "SANDBOX-KEY"
# Pages of one address that differ in the values of their query alone.
MOST_ALIKE = 10


@pytest.fixture
def own_console(make_console: Callable[..., Console]) -> Console:
    """A console of its own, so that everything that it keeps can be searched."""
    return make_console(LOG_LEVEL="DEBUG")


def test_the_key_is_found_nowhere(
    own_console: Console, open_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = open_page(own_console)
    use_the_key(page, tmp_path)
    pages = crawl(page)
    assert len(pages) > 25
    leaking = [address for address, text in pages.items() if CANARY in text]
    assert leaking == []
    page.goto("about:blank")
    own_console.stop()
    assert CANARY not in own_console.log()
    with closing(sqlite3.connect(own_console.data / "console.sqlite3")) as database:
        dump = "\n".join(database.iterdump())
    assert "confirmed" in dump
    assert CANARY not in dump
    for path in own_console.data.rglob("*"):
        if path.is_file():
            assert CANARY.encode() not in path.read_bytes(), path


def use_the_key(page: Page, tmp_path: Path) -> None:
    """Send, be refused, fail without an answer, watch, and test the connection."""
    review_record(page, "contact", {"LastName": "Berg"})
    send(page)
    expect_state(page, "succeeded")
    review_record(page, "fault_401__c", {"Name": "Refused"})
    send(page)
    expect_state(page, "rejected")
    review_record(page, "fault_truncated__c", {"Name": "Cut"})
    send(page)
    expect_state(page, "unknown")
    file = tmp_path / "rows.csv"
    file.write_text("external_id__c,LastName\na-1,Berg\na-2,\n")
    review_csv(page, "contact", "external_id__c", file)
    send(page)
    expect_state(page, "partly_failed")
    review_record(page, "lead", {"LastName": "Draft"})
    page.goto("/connections/")
    page.get_by_role("link", name="Demo", exact=True).click()
    page.get_by_role("button", name="Test connection").click()
    page.get_by_text("SANDBOX", exact=False).first.wait_for()


def crawl(page: Page) -> dict[str, str]:
    """Return the text of every page and download that a link leads to."""
    waiting, texts = ["/"], {}
    alike: Counter[tuple[str, ...]] = Counter()
    while waiting:
        address = waiting.pop()
        # Lists lead to themselves in many ways, by day, state and page.
        path, _, query = address.partition("?")
        alike[shape := (path, *sorted(dict(parse_qsl(query))))] += 1
        if address in texts or alike[shape] > MOST_ALIKE:
            continue
        response = page.request.get(address)
        texts[address] = response.text()
        links = re.findall(r'(?:href|src|hx-get)="(/[^"#]*)"', texts[address])
        waiting += [link.replace("&amp;", "&") for link in links]
        assert response.status < 500, address
        assert len(texts) < 1_000
    return texts
