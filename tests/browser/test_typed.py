"""Nothing typed is lost: where a sign-in ends, and where somebody goes back."""

import re
import subprocess
import sys
from urllib.parse import parse_qs

import pytest
from django.conf import settings
from playwright.sync_api import Page, Request, expect

from tests.browser.conftest import PASSWORD, ROOT, Console
from tests.browser.steps import choose_target

CSV = b"external_id__c,Name,StageName,CloseDate\nopp-1,Renewal,Prospecting,2024-05-01\n"


def end_session(page: Page) -> None:
    """Have the sign-in be over: the browser has no session any more."""
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)


def sign_in(page: Page, name: str = "operator") -> None:
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".user-name")).to_be_visible()


def test_a_chosen_file_outlives_the_sign_in(page: Page) -> None:
    page.goto("/writes/csv/")
    choose_target(page, "opportunity")
    page.get_by_label("Primary key").fill("external_id__c")
    end_session(page)
    # It is read at once.
    file = {"name": "kept.csv", "mimeType": "text/csv", "buffer": CSV}
    page.get_by_label("CSV file").set_input_files(file)
    notice = page.locator("#form-stays")
    expect(notice).to_be_visible()
    expect(notice).to_be_focused()
    expect(page.locator("#page-problem")).to_be_hidden()
    with page.context.expect_page() as opened:
        notice.get_by_role("link").click()
    sign_in(opened.value)
    opened.value.close()
    page.get_by_role("button", name="Review").click()
    page.wait_for_url(lambda url: "/csv/" not in url)
    expect(page.locator("main")).to_contain_text("kept.csv")


def test_cells_are_in_their_form_again(page: Page) -> None:
    page.goto("/writes/csv/")
    choose_target(page, "opportunity")
    page.get_by_label("Primary key").fill("external_id__c")
    rows = CSV + b"opp-2,#REF!,Prospecting,2024-12-31\n"
    file = {"name": "cells.csv", "mimeType": "text/csv", "buffer": rows}
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Review").click()
    cell = page.get_by_label("Name in row 3").first
    cell.fill("Other")
    end_session(page)
    page.get_by_role("button", name="Save cells").first.click()
    sign_in(page)
    expect(cell).to_have_value("Other")
    expect(page.locator("[data-kept-filled]")).to_be_visible()
    expect(page.locator("[data-kept-list]")).to_have_count(0)


def fill_rows(page: Page, count: int) -> None:
    """Type a record of so many rows, more than the form begins with."""
    choose_target(page, "contact")
    for number in range(1, count + 1):
        name = page.get_by_label(f"Field {number}", exact=True)
        if not name.count():
            page.get_by_role("button", name="Add a field").click()
        name.fill(f"Field{number}__c")
        page.get_by_label(f"Value {number}", exact=True).fill(f"value {number}")


def test_the_fields_of_a_choice_are_asked_for_once(page: Page) -> None:
    asked: list[str] = []

    def asks(request: Request) -> bool:
        return parse_qs(request.post_data or "").get("do") == ["fields"]

    def keep(request: Request) -> None:
        if asks(request):
            typed = parse_qs(request.post_data or "")
            asked.append(f"{typed['object']} {typed.get('group')} {typed['action']}")

    page.on("request", keep)
    page.goto("/writes/record/")
    # The form comes with the last destination, whose fields it was drawn with.
    drawn = page.get_by_label("Object", exact=True).locator("option:checked")
    other = "opportunity" if drawn.inner_text() == "contact" else "contact"
    with page.expect_request(asks):
        choose_target(page, other)
    rows = page.get_by_label(re.compile(r"^Field \d+$"))
    count = rows.count()
    rows.last.fill("Named__c")
    for added in range(1, 4):
        page.get_by_role("button", name="Add a field").click()
        expect(rows).to_have_count(count + added)
        # Fires after a timer that the new form may have set.
        page.evaluate("new Promise((done) => setTimeout(done, 100))")
    expect(rows.nth(count - 1)).to_have_value("Named__c")
    assert asked
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize("leave", ["by a link", "by reloading"])
def test_back_has_names_and_values_of_rows_that_were_added(
    leave: str, page: Page
) -> None:
    page.goto("/writes/record/")
    fill_rows(page, 6)
    page.get_by_label("Value 6", exact=True).press("Shift+Enter")
    page.keyboard.type("and a line")
    if leave == "by reloading":
        page.reload()
    else:
        page.get_by_role("link", name="Operations").click()
        page.wait_for_url("**/operations/")
        page.go_back()
    for number in range(1, 7):
        name = page.get_by_label(f"Field {number}", exact=True)
        expect(name).to_have_value(f"Field{number}__c")
        value = page.get_by_label(f"Value {number}", exact=True)
        line = "\nand a line" if number == 6 else ""
        expect(value).to_have_value(f"value {number}{line}")


MAKE_OLGA = """
import sys, django
django.setup()
from console.access.roles import Role
from console.models import FirstPassword
from tests.conftest import make_user
user = make_user("olga", Role.OPERATOR)
user.set_password(sys.argv[1])
user.save()
FirstPassword.objects.filter(user=user).delete()
"""


@pytest.fixture
def olga(console: Console) -> str:
    """The name of somebody else who may write in the shared console."""
    command = [sys.executable, "-c", MAKE_OLGA, PASSWORD]
    subprocess.run(command, cwd=ROOT, env=console.environment, check=True)
    return "olga"


def test_somebody_else_gets_nothing_by_back(page: Page, olga: str) -> None:
    page.goto("/writes/record/")
    fill_rows(page, 5)
    end_session(page)
    page.get_by_role("link", name="Operations").click()
    sign_in(page, olga)
    while "/writes/record/" not in page.url:
        page.go_back()
    expect(page.locator(".user-name")).to_have_text(olga)
    expect(page.get_by_label("Field 1", exact=True)).to_have_value("")
    expect(page.get_by_label("Value 1", exact=True)).to_have_value("")
    expect(page.get_by_label("Field 5", exact=True)).to_have_count(0)


def test_the_button_says_how_many_drafts_it_discards(page: Page) -> None:
    for number in range(2):
        page.goto("/writes/record/")
        choose_target(page, "contact")
        page.get_by_label("Field 1", exact=True).fill("LastName")
        page.get_by_label("Value 1", exact=True).fill(f"Draft {number}")
        page.get_by_role("button", name="Review").last.click()
        page.wait_for_url(lambda url: "/record/" not in url)
    page.goto("/writes/drafts/")
    boxes = page.get_by_role("checkbox")
    before = boxes.count()
    boxes.first.check()
    expect(
        page.get_by_role("button", name="Discard 1 draft", exact=True)
    ).to_be_visible()
    page.get_by_role("button", name="Select all").click()
    page.get_by_role("button", name=f"Discard {before} drafts", exact=True).click()
    expect(boxes).to_have_count(0)
