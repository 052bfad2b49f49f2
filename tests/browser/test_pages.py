"""Every page, light and dark, at a desk and on a phone: nothing for axe to find."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import ClassVar, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.browser.conftest import (
    PASSWORD,
    ROOT,
    TOO_MANY,
    Console,
    complains,
    new_context,
    no_axe_findings,
    no_small_targets,
)
from tests.browser.steps import choose_target, expect_state, rows_table
from tests.tabler import left_out

DESK, PHONE = 1440, 390
Theme = Literal["light", "dark"]
# Where words are seen: by what CSS goes by from the body down to them, and whether they
# are large, for which less contrast will do. Given some places: the elements there.
WORDS = """([tooMany, places]) => {
  const name = (e) => [e.tagName, e.className.baseVal ?? e.className, e.disabled,
    e.ariaCurrent, e.getAttribute("aria-invalid"), !e.previousElementSibling].join(" ");
  const path = (e) =>
    e === document.body ? "" : `${path(e.parentElement)} > ${name(e)}`;
  const seen = {};
  for (const element of document.body.querySelectorAll("*")) {
    const box = element.getBoundingClientRect();
    const words = element.labels
      || [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!words || box.width <= 1 || box.height <= 1 || !element.checkVisibility()
      || element.closest(tooMany)) continue;
    const style = getComputedStyle(element);
    const large = parseFloat(style.fontSize) >= (style.fontWeight >= 700 ? 18.66 : 24);
    (seen[`${path(element)} ${large}`] ||= []).push(element);
  }
  return places ? places.flatMap((place) => seen[place] || []) : Object.keys(seen);
}"""
TELL_VIOLATIONS = """document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`))"""
CLASSES = "[...document.querySelectorAll('[class]')].flatMap((e) => [...e.classList])"
OPEN_SOME = """[...document.querySelectorAll("main details")].slice(0, 5).forEach(
  (details) => { details.open = true; })"""
STATES = {
    "sent succeeded": "succeeded",
    "sent upserted": "succeeded",
    "sent partly failed": "partly_failed",
    "sent failed": "failed",
    "sent 401": "rejected",
    "sent 500": "unknown",
    "sent never_ends": "in_progress",
    "state waiting": "waiting",
    "state frozen": "waiting",
    "state sending": "sending",
    "state cancelled": "cancelled",
    "state live unknown": "unknown",
    "state live partly failed": "partly_failed",
}


class Reader:
    """Somebody who looks at pages; `complaints` is what the browser said meanwhile.

    All of them share `looked_at`: the places whose colours were looked at, by theme.
    """

    looked_at: ClassVar[dict[str, set[str]]] = {"light": set(), "dark": set()}

    def __init__(self, chromium: Browser, at: Console, user: str = "") -> None:
        # Without motion no colour is caught half-way from one theme to the other.
        self.context = new_context(chromium, at, reduced_motion="reduce")
        self.context.add_init_script(TELL_VIOLATIONS)
        self.context.add_init_script(Axe().axe_script)
        self.complaints: list[str] = []
        self.page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "console",
            lambda m: self.complaints.append(m.text) if complains(m) else None,
        )
        if user:
            self.page.goto("/login/")
            self.page.get_by_label("User name").fill(user)
            self.page.get_by_label("Password").fill(PASSWORD)
            self.page.get_by_role("button", name="Sign in").click()
            expect(self.page.get_by_role("heading", level=1)).to_have_text("Home")

    def look(self) -> None:
        """Look at the open page in every way, and fail with what is wrong.

        All rules at both widths, each in another theme. In the theme that is left, a
        width needs only the colours of words that stand where none were looked at yet
        in that theme, here or on another page: colours depend on nothing else.
        """
        expect(self.page.locator("h1")).to_have_count(1)
        assert left_out() & set(self.page.evaluate(CLASSES)) == set()
        self._show(DESK, "light")
        no_axe_findings(self.page)
        no_small_targets(self.page)
        at_desk = self._places("light")
        self._show(PHONE, "dark")
        no_axe_findings(self.page)
        no_small_targets(self.page)
        at_phone = self._places("dark")
        self._look_at_colours(at_phone, PHONE, "light")
        self._look_at_colours(at_desk, DESK, "dark")
        assert self.complaints == []

    def _places(self, theme: Theme) -> set[str]:
        """Return where words are seen, and remember that they were looked at."""
        places = set(self.page.evaluate(WORDS, [TOO_MANY, None]))
        self.looked_at[theme] |= places
        return places

    def _look_at_colours(self, places: set[str], width: int, theme: Theme) -> None:
        new = places - self.looked_at[theme]
        if not new:
            return
        self._show(width, theme)
        words = self.page.evaluate_handle(WORDS, [TOO_MANY, sorted(new)])
        no_axe_findings(self.page, colours_of=words)
        self.looked_at[theme] |= new

    def _show(self, width: int, theme: Theme) -> None:
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.emulate_media(color_scheme=theme)
        html = self.page.locator("html")
        expect(html).to_have_attribute("data-bs-theme", theme)
        overflow = "document.documentElement.scrollWidth - innerWidth"
        assert self.page.evaluate(overflow) <= 0, (width, theme)


@pytest.fixture(scope="module")
def blank(make_console: Callable[..., Console]) -> Iterator[Console]:
    """A console in which nothing was done yet: see `full`, which fills it later."""
    console = make_console()
    yield console
    console.stop()


@pytest.fixture(scope="module")
def full(blank: Console) -> Console:
    """The same console with something of everything, see tests/browser/stage.py."""
    made = subprocess.run(
        [sys.executable, "-m", "tests.browser.stage"],
        cwd=ROOT,
        env=blank.environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    (blank.data / "stage.json").write_text(made.stdout)
    return blank


@pytest.fixture(scope="module")
def addresses(full: Console) -> dict[str, str]:
    """The addresses of what is in the full console, by name."""
    made: dict[str, str] = json.loads((full.data / "stage.json").read_text())
    return made


@pytest.fixture(scope="module")
def _reader(chromium: Browser, full: Console) -> Iterator[Reader]:
    reader = Reader(chromium, full, "operator")
    yield reader
    reader.context.close()


@pytest.fixture
def reader(_reader: Reader) -> Reader:
    """The admin of the full console, at a desk."""
    _reader.complaints.clear()
    _reader.page.set_viewport_size({"width": 1440, "height": 900})
    return _reader


def test_the_sign_in_page(chromium: Browser, blank: Console) -> None:
    reader = Reader(chromium, blank)
    reader.page.goto("/login/")
    reader.look()
    reader.page.get_by_label("User name").fill("nobody")
    reader.page.get_by_label("Password").fill("wrong")
    reader.page.get_by_role("button", name="Sign in").click()
    expect(reader.page.get_by_role("alert").first).to_contain_text("do not match")
    reader.look()
    reader.context.close()


def test_pages_without_anything_to_show(chromium: Browser, blank: Console) -> None:
    reader = Reader(chromium, blank, "operator")
    expect(reader.page.locator("main")).to_contain_text("No writes yet")
    reader.look()
    reader.page.goto("/operations/")
    expect(reader.page.locator("main")).to_contain_text("No operations yet")
    reader.look()
    reader.context.close()


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("/", "Your drafts"),
        ("/", "Ampersand is not responding, so sending is paused"),
        ("/writes/record/", "Write one record"),
        ("/writes/csv/", "Write a CSV file"),
        ("/writes/drafts/", "Discard selected"),
        ("/writes/url/", "Upsert a CSV from a URL"),
        ("/operations/", "Each may or may not have been written"),
        ("/operations/?object=nothing", "No matching operations"),
        ("/operations/?from=never", "not valid"),
        ("/operations/failures/", "Required fields are missing"),
        ("/operations/failures/?object=nothing", "No errors"),
        ("/operations/report/", "Rows per day"),
        ("/operations/report/?from=2001-01-01&to=2001-01-31", "Nothing was written"),
        ("/operations/views/", "Saved views"),
        ("/search/", "What is found"),
        ("/search/?q=contacts", "File name"),
        ("/search/?q=nothing-like-it", "Nothing found"),
        ("/writes/records/", "Has this record been written?"),
        ("/writes/records/?q=opp-0005", "opp-0005"),
        ("/writes/records/?q=nothing-like-it", "nothing-like-it"),
        ("/writes/destinations/", "Destinations"),
        ("/writes/retention/", "Verify an evidence pack"),
        ("/audit/", "Write confirmed"),
        ("/audit/?text=nothing-like-it", "No matching events"),
        ("/connections/", "No active key"),
        ("/connections/environments/", "Unfreeze Test"),
        ("/connections/new/", "New project"),
        ("/account/", "Sign out everywhere"),
        ("/shortcuts/", "Search everything"),
        ("/account/password/", "New password"),
        ("/account/invitation/MQ/no-token/", "Ask an admin for another link"),
        ("/users/", "Last sign-in"),
        ("/users/?q=nothing-like-it", "No matching users"),
        ("/users/new/", "First sign-in"),
        ("/account/tokens/new/", "token"),
        ("/not/there/", "Home"),
    ],
)
def test_a_page(address: str, text: str, reader: Reader) -> None:
    reader.page.goto(address)
    expect(reader.page.locator("main")).to_contain_text(text)
    reader.look()


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


@pytest.mark.parametrize("name", STATES)
def test_an_operation(name: str, reader: Reader, addresses: dict[str, str]) -> None:
    reader.page.goto(addresses[name])
    expect_state(reader.page, STATES[name])
    reader.page.evaluate(OPEN_SOME)
    reader.look()


@pytest.mark.parametrize("what", ["create", "file", "address"])
def test_finding_out_what_became_of_it(
    what: str, reader: Reader, addresses: dict[str, str]
) -> None:
    page = reader.page
    page.goto(addresses[f"reconcile {what}"])
    expect(page.get_by_role("heading", level=1)).to_have_text("Resolve unknown outcome")
    expect(page.locator("#unknown-too-long")).to_be_visible()
    page.evaluate(OPEN_SOME)
    reader.look()
    page.locator("#send-again").click()
    expect(page.get_by_role("alert").first).to_contain_text("Nothing was sent")
    reader.look()


def test_a_long_log(reader: Reader, addresses: dict[str, str]) -> None:
    address = f"{addresses['state live partly failed']}logs/"
    reader.page.goto(address)
    expect(reader.page.locator("main")).to_contain_text("Older entries")
    reader.look()
    reader.page.goto(f"{address}?q=nothing-like-it")
    expect(reader.page.locator("main")).to_contain_text("No matching entries")
    reader.look()


@pytest.mark.parametrize(
    "name", ["review record", "review update", "review csv", "review url"]
)
def test_a_review(name: str, reader: Reader, addresses: dict[str, str]) -> None:
    reader.page.goto(addresses[name])
    reader.page.get_by_text("Copy as cURL").click()
    buttons = reader.page.get_by_role("button", name="Send")
    expect(buttons).to_have_count(1)
    expect(buttons).to_have_text("Send")
    band = reader.page.locator(".target-band.production")
    expect(band).to_have_count(1 if name == "review update" else 0)
    reader.look()


def test_a_review_in_production_asks_for_the_name(
    reader: Reader, addresses: dict[str, str]
) -> None:
    page = reader.page
    page.goto(addresses["review update"])
    page.get_by_label("Reason or ticket").fill("CASE-1207")
    page.get_by_label("Name of the project").fill("Live customers")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#id_name_error")).to_contain_text("Live customers EMEA")
    expect(page.get_by_label("Reason or ticket")).to_have_value("CASE-1207")
    expect(page.get_by_role("alert")).to_be_focused()
    reader.look()


def test_the_same_content_stops_at_a_page_of_its_own(
    reader: Reader, addresses: dict[str, str]
) -> None:
    page = reader.page
    page.goto(addresses["review repeat"])
    reader.look()
    page.get_by_label("Why send it again?").fill(" ")
    page.get_by_role("button", name="Send it again").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This was already sent")
    expect(page.locator("#id_reason_error")).to_be_visible()
    reader.look()
    page.get_by_role("link", name="View the earlier write").click()
    expect(page).to_have_url(re.compile(addresses["sent succeeded"]))


def test_a_freeze_takes_a_reason(reader: Reader) -> None:
    page = reader.page
    page.goto("/connections/environments/")
    page.get_by_text("Stop all sending", exact=True).first.click()
    page.get_by_role("button", name="Freeze Sandbox").click()
    expect(page.locator("#id_sandbox_reason_error")).to_contain_text("reason")
    expect(page.locator(".alert-frozen")).to_have_count(1)
    reader.look()


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("", "API keys"),
        ("keys/new/", "New API key"),
        ("integrations/new/", "integration"),
        ("manifest/", "Import amp.yaml"),
        ("edit/", "Environment"),
        ("delete/", "still in use"),
    ],
)
def test_a_page_of_a_connection(
    page: str, text: str, reader: Reader, addresses: dict[str, str]
) -> None:
    reader.page.goto(addresses["project"] + page)
    expect(reader.page.locator("main")).to_contain_text(text)
    reader.look()


@pytest.mark.parametrize("name", ["group", "integration", "empty project"])
def test_another_page_of_a_connection(
    name: str, reader: Reader, addresses: dict[str, str]
) -> None:
    reader.page.goto(addresses[name])
    reader.look()


def test_the_preview_of_amp_yaml(reader: Reader, addresses: dict[str, str]) -> None:
    reader.page.goto(f"{addresses['empty project']}manifest/")
    file = ROOT / "sandbox" / "amp.yaml"
    reader.page.get_by_label("amp.yaml").set_input_files(file)
    reader.page.get_by_role("button", name="Preview").click()
    expect(reader.page.locator("main")).to_contain_text("Nothing was added yet")
    reader.look()


def test_a_form_of_connections_with_errors(reader: Reader) -> None:
    reader.page.goto("/connections/new/")
    reader.page.get_by_role("button", name="Add project").click()
    expect(reader.page.get_by_role("alert").first).to_contain_text("Nothing was")
    reader.look()


def test_a_record_as_json_and_with_errors(reader: Reader) -> None:
    page = reader.page
    page.goto("/writes/record/")
    choose_target(page, "contact")
    page.get_by_label("Field 1", exact=True).fill("LastName")
    page.get_by_label("Type 1", exact=True).select_option("number")
    page.get_by_label("Value 1", exact=True).fill("not a number")
    page.get_by_role("button", name="Review").click()
    expect(page.locator("#id_row_0_error")).to_be_visible()
    reader.look()
    page.get_by_label("Value 1", exact=True).fill("12")
    page.get_by_role("button", name="Show as JSON").click()
    expect(page.get_by_label("Record as JSON")).to_have_value('{\n  "LastName": 12\n}')
    reader.look()


def test_a_csv_form_with_errors(reader: Reader) -> None:
    page = reader.page
    page.goto("/writes/csv/")
    choose_target(page, "contact")
    page.get_by_label("Primary key").fill("id__c")
    page.get_by_role("button", name="Review").click()
    expect(page.locator("#id_file_error")).to_be_visible()
    reader.look()


@pytest.mark.parametrize(
    ("state", "text"),
    [
        ("findings", "Row 45 has no external_id__c"),
        ("doubts", "It may be Windows-1252"),
        ("refusal", "This file cannot be read"),
        ("waiting", "16,213 rows"),
        ("mended", "3 excluded"),
    ],
)
def test_a_file(
    state: str, text: str, reader: Reader, addresses: dict[str, str]
) -> None:
    reader.page.goto(addresses[f"file {state}"])
    expect(reader.page.locator("main")).to_contain_text(text)
    reader.page.evaluate(OPEN_SOME)
    reader.look()


@pytest.mark.parametrize(
    ("state", "text"),
    [
        ("ended", "12 of 60 rows failed"),
        ("stopped", "did not succeed"),
        ("moving", "Queued"),
        ("paused", "Paused by operator"),
        ("parallel", "parts are sent at the same time"),
        ("review", "Send parts in parallel"),
    ],
)
def test_what_was_sent_in_parts(
    state: str, text: str, reader: Reader, addresses: dict[str, str]
) -> None:
    reader.page.goto(addresses[f"parts {state}"])
    expect(reader.page.locator("main")).to_contain_text(text)
    reader.look()


@pytest.mark.parametrize(
    ("state", "text"),
    [
        ("review", "in 5 requests"),
        ("review delete", "Number of records to delete"),
        ("findings", "Missing keys"),
        ("succeeded", "All 120 were created"),
        ("failures", "12 failed"),
        ("under way", "Being sent"),
        ("unknown", "an unknown outcome"),
        ("refused", "Request 2 was refused: The API key is not valid."),
        ("paused", "Paused by operator"),
        ("request unknown", "Resolve"),
        ("request failures", "Required fields are missing"),
    ],
)
def test_a_run(
    state: str, text: str, reader: Reader, addresses: dict[str, str]
) -> None:
    reader.page.goto(addresses[f"run {state}"])
    expect(reader.page.locator("main")).to_contain_text(text)
    reader.page.evaluate(OPEN_SOME)
    reader.look()


def test_the_rows_and_the_retry_of_those_that_failed(
    reader: Reader, addresses: dict[str, str]
) -> None:
    page = reader.page
    page.goto(addresses["sent partly failed"])
    page.locator("#every-row").click()
    expect(rows_table(page)).to_have_count(40)
    reader.look()
    page.get_by_role("region", name="Errors", exact=True).get_by_role(
        "link"
    ).first.click()
    expect(rows_table(page)).to_have_count(8)
    reader.look()
    page.get_by_label("Key").fill("nothing-like-it")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("main")).to_contain_text("No row matches this filter")
    reader.look()
    page.get_by_role("button", name="Retry failed").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("8 opportunity")
    reader.look()


def test_rows_of_what_has_not_ended(reader: Reader, addresses: dict[str, str]) -> None:
    reader.page.goto(f"{addresses['parts moving']}rows/")
    expect(reader.page.locator("main")).to_contain_text("when the write has ended")
    reader.look()


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("", "Account Name"),
        ("import/", "Describe file"),
        ("edit/", "One field per line"),
    ],
)
def test_the_fields_of_an_object(
    page: str, text: str, reader: Reader, addresses: dict[str, str]
) -> None:
    reader.page.goto(addresses["fields"] + page)
    expect(reader.page.locator("main")).to_contain_text(text)
    reader.look()


def test_a_url_with_errors(reader: Reader) -> None:
    reader.page.goto("/writes/url/")
    choose_target(reader.page, "contact")
    reader.page.get_by_label("Primary key").fill("id__c")
    reader.page.get_by_label("URL", exact=True).fill("ftp://example.com/x")
    reader.page.get_by_role("button", name="Review").click()
    expect(reader.page.locator("#id_url_error")).to_contain_text("full URL")
    reader.look()


def test_what_a_viewer_may_not_do(
    chromium: Browser, full: Console, addresses: dict[str, str]
) -> None:
    reader = Reader(chromium, full, "vera")
    reader.look()
    reader.page.goto("/writes/record/")
    expect(reader.page.locator("main")).to_contain_text("operator role")
    reader.look()
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


def test_the_page_after_too_many_tries(chromium: Browser, full: Console) -> None:
    stranger = Reader(chromium, full)
    for _ in range(6):
        stranger.page.goto("/login/")
        stranger.page.get_by_label("User name").fill("nobody")
        stranger.page.get_by_label("Password").fill("guessed")
        stranger.page.get_by_role("button", name="Sign in").click()
    told = re.compile(r"Wait \d+ minutes")
    expect(stranger.page.get_by_role("alert")).to_contain_text(told)
    stranger.complaints.clear()
    stranger.look()
    stranger.context.close()


@pytest.mark.parametrize(
    ("page", "text"),
    [("compare/", "Compare with another"), ("logs/1/", "Raw entry")],
)
def test_a_page_of_an_operation(
    page: str, text: str, reader: Reader, addresses: dict[str, str]
) -> None:
    reader.page.goto(addresses["state live partly failed"] + page)
    expect(reader.page.locator("main")).to_contain_text(text)
    reader.look()


def test_two_operations_beside_each_other(
    reader: Reader, addresses: dict[str, str]
) -> None:
    reader.page.goto(f"{addresses['sent partly failed']}compare/")
    reader.page.locator("[id^=with-]").first.click()
    expect(reader.page.locator("#swap")).to_be_visible()
    reader.look()


def test_an_error_of_many_operations(reader: Reader) -> None:
    reader.page.goto("/operations/failures/")
    reader.page.locator("main tbody a").first.click()
    expect(reader.page.get_by_role("heading", level=1)).to_have_count(1)
    reader.look()


def test_what_is_done_to_selected_operations(reader: Reader) -> None:
    page = reader.page
    page.goto("/operations/")
    for box in page.locator("[name=operation]").all()[:3]:
        box.check()
    expect(page.locator(".selection-bar")).to_be_visible()
    reader.look()
    page.locator("button[value=cancel]").click()
    title = page.get_by_role("heading", level=1)
    expect(title).to_have_text("Cancel selected operations")
    reader.look()


def test_an_event_of_the_audit(reader: Reader) -> None:
    reader.page.goto("/audit/")
    reader.page.locator("main tbody a[href^='/audit/']").first.click()
    expect(reader.page.locator("#seal")).to_be_visible()
    reader.look()


@pytest.mark.parametrize("what", ["", "?show=errors"])
def test_the_grid_of_a_file(
    what: str, reader: Reader, addresses: dict[str, str]
) -> None:
    address = addresses["file findings"].removesuffix("file/")
    reader.page.goto(f"{address}grid/{what}")
    expect(reader.page.locator("#grid")).to_be_visible()
    reader.look()


@pytest.mark.parametrize("page", ["webhook/", "notifications/"])
def test_notices_of_a_project(
    page: str, reader: Reader, addresses: dict[str, str]
) -> None:
    reader.page.goto(addresses["project"] + page)
    expect(reader.page.get_by_role("heading", level=1)).to_have_count(1)
    reader.look()


def test_a_token_of_nothing_and_one_that_is_shown_once(reader: Reader) -> None:
    page = reader.page
    page.goto("/account/tokens/new/")
    page.get_by_role("button", name="Make token").click()
    expect(page.locator("#id_scopes_error")).to_be_visible()
    reader.look()
    page.get_by_label("Name").fill("Warehouse")
    page.get_by_label("Audit").check()
    page.get_by_role("button", name="Make token").click()
    expect(page.get_by_role("heading", level=1)).not_to_have_text("New API token")
    reader.look()
    page.goto("/account/")
    expect(page.get_by_role("main")).to_contain_text("Warehouse")
    reader.look()
