"""A person's writes, each of which passes Prism on its way to the sandbox and back."""

import time
from collections.abc import Callable
from pathlib import Path

import httpx
from playwright.sync_api import Page, expect

from tests.browser.steps import expect_state
from tests.browser.steps_today import change_record, connect, send, send_file, target
from tests.conformance.conftest import LONGEST, Watched

ROWS, LACKING = 250, 4


def test_what_the_console_sends_and_the_sandbox_answers_is_documented(
    watched: Watched, open_page: Callable[..., Page], tmp_path: Path
) -> None:
    console, page = watched.console, open_page(watched.console)
    earlier = list(watched.prism.violations)
    connect(page, console, write_url=watched.prism.url)
    page.goto("/writes/record/")
    target(page)
    page.get_by_label("Field 1", exact=True).fill("LastName")
    page.get_by_label("Value 1", exact=True).fill("Berg")
    page.get_by_role("button", name="Review").click()
    send(page)
    expect_state(page, "succeeded")
    (contact,) = console.get("/sandbox/records/contact")
    change_record(page, "update", contact["Id"], FirstName="Mara")
    change_record(page, "delete", contact["Id"])

    file = tmp_path / "contacts.csv"
    file.write_text(contacts(), encoding="utf-8")
    send_file(page, "create", file)
    expect_state(page, "partly_failed")
    totals = page.locator("#operation-counts .tile strong")
    expect(totals.nth(1)).to_have_text(str(ROWS - LACKING))
    expect(totals.nth(2)).to_have_text(str(LACKING))

    assert len(console.received("contact")) == 3 + 3
    forwarded = [line for line in watched.prism.lines if "Forwarding" in line]
    assert len(forwarded) == 3 + 3
    assert watched.prism.violations == earlier


def test_prism_would_have_said_so(watched: Watched) -> None:
    """The proxy is no mere pipe: it refuses what is not documented."""
    path = "/projects/demo-c/integrations/salesforce/objects/contact"
    before = len(watched.console.get("/sandbox/requests"))
    answer = httpx.post(
        f"{watched.prism.url}{path}",
        json={"groupRef": "demo-group-id", "type": "upsert", "record": {}},
        headers={"X-Api-Key": "SANDBOX-KEY"},
        timeout=LONGEST,
        trust_env=False,
    )
    assert answer.status_code == 422
    assert "stoplight.io/prism/errors" in answer.json()["type"]
    assert len(watched.console.get("/sandbox/requests")) == before
    until = time.monotonic() + LONGEST
    while not watched.prism.violations:
        assert time.monotonic() < until


def contacts() -> str:
    """Return contacts, some of which the sandbox refuses: nobody is their boss."""
    lines = ["LastName,FirstName,ReportsToId"]
    boss = "003SB0000000999"
    lines += [f"Last {n},First {n},{boss if n < LACKING else ''}" for n in range(ROWS)]
    return "\n".join([*lines, ""])
