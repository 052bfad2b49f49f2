"""Pages of writes that need another person, and of the rules that say which."""

import pytest
from playwright.sync_api import expect

from tests.browser.reader import Reader


@pytest.mark.parametrize(
    ("name", "state", "decides"),
    [
        ("waiting", "waiting", True),
        ("record", "waiting", True),
        ("url", "waiting", True),
        ("own", "waiting", False),
        ("approved", "approved", False),
        ("refused", "refused", False),
        ("expired", "expired", False),
        ("void", "void", False),
    ],
)
def test_an_approval(
    name: str, state: str, decides: bool, reader: Reader, addresses: dict[str, str]
) -> None:
    page = reader.page
    page.goto(addresses[f"approval {name}"])
    expect(page.locator(f"[data-approval={state}]")).to_be_visible()
    expect(page.locator("#approve")).to_have_count(int(decides))
    reader.look()


def test_who_approves_reads_all_rows(reader: Reader, addresses: dict[str, str]) -> None:
    page = reader.page
    page.goto(addresses["approval waiting"])
    page.locator("#all-rows").click()
    expect(page.locator("#row-2")).to_be_visible()
    reader.look()
    page.get_by_role("link", name="Later rows").click()
    expect(page.locator("#row-2")).to_have_count(0)
    page.get_by_label("Row", exact=True).fill("401")
    page.get_by_role("button", name="Go").click()
    page.get_by_role("link", name="Show row 401").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Row 401")
    reader.look()
    page.get_by_role("link", name="Back to the grid").click()
    expect(page.locator("#row-401")).to_be_visible()


def test_a_form_of_a_decision_that_is_refused(
    reader: Reader, addresses: dict[str, str]
) -> None:
    page = reader.page
    page.goto(addresses["approval waiting"])
    page.get_by_label("Note").first.fill("Checked with the customer")
    page.get_by_role("button", name="Approve and queue").click()
    expect(page.locator("#id_name_error")).to_be_visible()
    expect(page.get_by_label("Note").first).to_have_value("Checked with the customer")
    reader.look()
    page.get_by_text("Refuse", exact=True).first.click()
    page.get_by_role("button", name="Refuse").click()
    expect(page.locator("#id_refuse_note_error")).to_be_visible()
    reader.look()


@pytest.mark.parametrize(
    ("name", "place"),
    [("own", "#waits-for-approval"), ("refused", "#approval-ended")],
)
def test_the_draft_of_who_asked(
    name: str, place: str, reader: Reader, addresses: dict[str, str]
) -> None:
    reader.page.goto(addresses[f"approval draft {name}"])
    expect(reader.page.locator(place)).to_be_visible()
    reader.look()


def test_home_shows_what_waits_for_me(reader: Reader) -> None:
    reader.page.goto("/")
    waiting = reader.page.locator("#approvals li")
    # Not what the reader asked for.
    expect(waiting).to_have_count(3)
    reader.look()


def test_the_rules_of_environments(reader: Reader) -> None:
    page = reader.page
    page.goto("/connections/environments/")
    expect(page.locator("#approval-production li")).to_have_count(3)
    expect(page.locator("#approval-sandbox li")).to_have_count(0)
    reader.look()
    page.locator("#approval-sandbox").get_by_role("link").click()
    trail = page.get_by_role("navigation", name="Breadcrumbs")
    cancel = page.get_by_role("link", name="Cancel")
    for back in (trail.get_by_role("link", name="Environments"), cancel):
        expect(back).to_have_attribute("href", "/connections/environments/")
    reader.look()
    page.get_by_label("More than this many rows").fill("-1")
    page.get_by_role("button", name="Add rule").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    reader.look()
