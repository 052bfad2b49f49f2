"""The file first: dropped or pasted on any page, and few clicks to what is sent.

A click, a key and the choice of an option count one each, a drop as well; what a file
or a record holds is not counted.
"""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import Console, no_axe_findings
from tests.browser.steps import expect_state

DRAFT = re.compile(r"/writes/\d+/$")
DROP = """([name, text]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name, {type: "text/csv"}));
  for (const type of ["dragenter", "dragover", "drop"]) {
    const options = {dataTransfer: data, bubbles: true, cancelable: true};
    document.querySelector("main").dispatchEvent(new DragEvent(type, options));
  }
}"""
PASTE = """(text) => {
  const data = new DataTransfer();
  data.setData("text/plain", text);
  const options = {clipboardData: data, bubbles: true, cancelable: true};
  document.querySelector("main").dispatchEvent(new ClipboardEvent("paste", options));
}"""


class Hand:
    """Does things on a page and counts them."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.count = 0

    def drop(self, text: str, name: str = "people.csv") -> None:
        self.count += 1
        self.page.evaluate(DROP, [name, text])

    def click(self, control: Locator) -> None:
        self.count += 1
        control.click()

    def press(self, key: str) -> None:
        self.count += 1
        self.page.keyboard.press(key)

    def choose(self, control: Locator, label: str) -> None:
        self.count += 1
        control.select_option(label=label)


@pytest.fixture(scope="module")
def console(make_console: Callable[..., Console]) -> Console:
    """A console where nobody wrote anything before."""
    return make_console()


@pytest.fixture
def page(open_page: Callable[..., Page], console: Console) -> Page:
    return open_page(console, viewport={"width": 1440, "height": 900})


@pytest.fixture
def hand(page: Page) -> Hand:
    page.goto("/")
    return Hand(page)


def sent(page: Page) -> None:
    page.wait_for_url("**/operations/*/")
    expect_state(page, "succeeded")


def fill(page: Page, *, object_name: str) -> None:
    page.locator("#id_project").select_option(label="Demo")
    page.locator("#id_object").select_option(label=object_name)
    page.locator("#id_group").select_option(label="Demo customer (demo-group-id)")


def test_a_first_record_takes_five_steps_and_its_values(
    hand: Hand, console: Console
) -> None:
    page = hand.page
    menu = page.get_by_role("navigation")
    hand.click(menu.get_by_role("link", name="Record", exact=True))
    project = page.locator("#id_object optgroup[label='Demo: salesforce']")
    value = project.locator("option", has_text=re.compile("^lead$"))
    hand.count += 1
    page.locator("#id_object").select_option(value=str(value.get_attribute("value")))
    expect(page.locator("#id_project option:checked")).to_have_text("Demo")
    hand.choose(page.locator("#id_group"), "Demo customer (demo-group-id)")
    page.locator("#id_name_0").fill("LastName")
    page.locator("#id_value_0").fill("Firstly")
    page.locator("#id_name_1").fill("Company")
    page.locator("#id_value_1").fill("Five Ltd")
    hand.click(page.get_by_role("button", name="Review").last)
    hand.click(page.get_by_role("button", name="Send"))
    sent(page)
    assert hand.count <= 5
    assert console.get("/sandbox/records/lead")[-1]["LastName"] == "Firstly"


def test_a_clean_file_to_the_same_destination_takes_four_steps(
    hand: Hand, console: Console
) -> None:
    page = hand.page
    hand.drop("external_id__c,LastName\nfirst-1,Berg\n")
    expect(page.locator("#kept-file")).to_contain_text("people.csv")
    # Nothing is known yet of where such a file goes, but for its key.
    expect(page.locator("#id_primary_key")).to_have_value("external_id__c")
    fill(page, object_name="contact")
    page.locator("#review").click()
    page.wait_for_url(DRAFT)
    page.get_by_role("button", name="Send").click()
    sent(page)

    page.goto("/audit/")
    hand.count = 0
    hand.drop("external_id__c,LastName\nfirst-2,Tal\n")
    expect(page.locator("#proposed")).to_be_visible()
    expect(page.locator("#review")).to_be_focused()
    no_axe_findings(page)
    hand.press("Enter")
    page.wait_for_url(DRAFT)
    hand.click(page.get_by_role("button", name="Send"))
    sent(page)
    assert hand.count <= 4
    keys = {each["external_id__c"] for each in console.get("/sandbox/records/contact")}
    assert {"first-1", "first-2"} <= keys


def test_cells_are_pasted_on_any_page_and_not_in_a_field(page: Page) -> None:
    page.goto("/operations/")
    in_a_field = PASTE.replace("main", "#top-search")
    page.evaluate(in_a_field, "id\tName\n1\tx\n")
    expect(page.get_by_role("heading", level=1)).to_have_text("Operations")
    page.evaluate(PASTE, "external_id__c\tLastName\np-1\tLau, Ltd\n")
    expect(page.locator("#kept-file")).to_contain_text("pasted.csv")
    expect(page.locator("#kept-columns")).to_have_text("external_id__c, LastName")


def test_a_chosen_file_is_read_at_once_and_what_was_typed_stays(page: Page) -> None:
    page.goto("/writes/csv/")
    fill(page, object_name="account")
    page.locator("#id_file").set_input_files(
        {
            "name": "a.csv",
            "mimeType": "text/csv",
            "buffer": b"external_id__c,Name\nx,y\n",
        }
    )
    expect(page.locator("#kept-file")).to_contain_text("a.csv")
    expect(page.locator("#id_object option:checked")).to_have_text("account")
    expect(page.locator("#id_primary_key")).to_have_value("external_id__c")
    # It is still there once the page is loaded anew.
    page.reload()
    expect(page.locator("#kept-file")).to_contain_text("a.csv")


def test_what_is_typed_while_a_file_is_on_its_way_stays(page: Page) -> None:
    page.goto("/writes/csv/")
    waiting: list[Route] = []
    page.route("**/writes/csv/", lambda route: waiting.append(route))
    with page.expect_request("**/writes/csv/"):
        Hand(page).drop("external_id__c,Name\nx,y\n")
    fill(page, object_name="account")
    page.locator("#id_primary_key").fill("Name")
    expect(page.locator("#review")).to_be_disabled()
    waiting.pop().continue_()
    expect(page.locator("#kept-file")).to_be_visible()
    expect(page.locator("#id_primary_key")).to_have_value("Name")
    expect(page.locator("#id_object option:checked")).to_have_text("account")
    expect(page.locator("#id_group option:checked")).to_contain_text("Demo customer")


def test_a_file_dropped_on_its_own_form_takes_the_place_of_another(page: Page) -> None:
    page.goto("/writes/csv/")
    hand = Hand(page)
    for name in ("one.csv", "two.csv"):
        hand.drop("id,Name\n1,x\n", name)
        expect(page.locator("#kept-file")).to_contain_text(name)


def test_what_is_typed_elsewhere_is_not_left_unasked(page: Page) -> None:
    page.goto("/writes/record/")
    page.locator("#id_value_0").fill("Typed")
    asked: list[str] = []

    def stay(dialog: object) -> None:
        asked.append(str(dialog))
        dialog.dismiss()  # type: ignore[attr-defined]

    page.on("dialog", stay)
    Hand(page).drop("id\n1\n")
    expect(page.locator("#id_value_0")).to_have_value("Typed")
    assert len(asked) == 1


def test_it_all_works_without_javascript(
    open_page: Callable[..., Page], console: Console
) -> None:
    page = open_page(console, java_script_enabled=False)
    page.goto("/writes/csv/")
    page.locator("#paste summary").click()
    page.locator("#id_pasted").fill("external_id__c\tName\nno-script\tBerg, Ltd\n")
    page.get_by_role("button", name="Read the header").click()
    expect(page.locator("#kept-file")).to_contain_text("pasted.csv")
    expect(page.locator("#id_primary_key")).to_have_value("external_id__c")
    page.locator("#id_project").select_option(label="Demo")
    for name, label in (
        ("integration", "salesforce"),
        ("object", "account"),
        ("group", "Demo customer (demo-group-id)"),
    ):
        group = page.locator(f"#id_{name} optgroup[label^='Demo:']")
        if name == "integration":
            group = page.locator("#id_integration optgroup[label='Demo']")
        option = group.locator("option", has_text=re.compile(f"^{re.escape(label)}$"))
        page.locator(f"#id_{name}").select_option(option.get_attribute("value"))
    page.locator("#review").click()
    page.wait_for_url(DRAFT)
