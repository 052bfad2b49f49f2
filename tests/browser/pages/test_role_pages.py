"""Pages as they are for people who may do less."""

from playwright.sync_api import Browser, expect

from tests.browser.conftest import Console
from tests.browser.reader import Reader


def test_what_a_viewer_may_not_do(
    chromium: Browser, full: Console, addresses: dict[str, str]
) -> None:
    reader = Reader(chromium, full, "vera")
    reader.look()
    reader.look_at("/writes/record/", "operator role")
    reader.page.goto(addresses["sent partly failed"])
    expect(reader.page.get_by_role("link", name="Send again")).to_have_count(0)
    reader.look()
    reader.context.close()


def test_pages_of_somebody_who_may_write_only_in_the_sandbox(
    chromium: Browser, full: Console, addresses: dict[str, str]
) -> None:
    eve = Reader(chromium, full, "eve")
    page = eve.page
    eve.look()
    page.goto("/operations/")
    live = page.get_by_role("table").get_by_text("Live customers EMEA")
    expect(live.first).to_be_visible()
    eve.look()
    page.goto("/writes/record/")
    choices = page.get_by_label("Project").locator("option")
    expect(choices.filter(has_text="Demo")).to_have_count(3)
    expect(choices.filter(has_text="Live customers EMEA")).to_have_count(0)
    # What she may only look at has no buttons that change it.
    page.goto(addresses["state live partly failed"])
    expect(page.get_by_text("Partly failed").first).to_be_visible()
    expect(page.get_by_role("link", name="Send again")).to_have_count(0)
    eve.look()
    page.goto(addresses["project"])
    expect(page.get_by_role("button", name="Test connection")).to_be_visible()
    eve.look()
    eve.context.close()


def test_the_page_of_a_refusal(chromium: Browser, full: Console) -> None:
    eve = Reader(chromium, full, "eve")
    eve.page.goto("/connections/")
    eve.page.evaluate("location.assign('/connections/new/')")
    expect(eve.page.get_by_role("heading", level=1)).to_have_text("Not allowed")
    expect(eve.page.get_by_text("This needs the admin role.")).to_be_visible()
    eve.complaints.clear()
    eve.look()
    eve.page.get_by_role("link", name="Back").click()
    expect(eve.page.get_by_role("heading", level=1)).to_have_text("Connections")
    eve.context.close()
