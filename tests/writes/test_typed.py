"""What was typed when a sign-in ended: other forms, secrets, and other people."""

import html
import json
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser

from console.access.roles import Role
from console.models import Integration, Project
from console.sign_in import kept_form
from tests.answers import levels
from tests.conftest import make_user
from tests.writes.making import make_draft, press_send
from tests.writes.pages import Page
from tests.writes.test_kept_form import end_session, sign_in
from writes.models import Write

pytestmark = [pytest.mark.pages, pytest.mark.django_db]


@pytest.fixture
def admin() -> tuple[Browser, User]:
    """Somebody signed in who may change projects, and whose name is the password."""
    user = make_user("ada", Role.ADMIN)
    browser = Browser()
    browser.force_login(user)
    return browser, user


def box_of(answer: Any) -> Any:
    """Return what a page has for its script to put back, None if there is nothing."""
    found = re.search(r'id="kept-form"[^>]* data-kept="([^"]*)"', answer.text)
    return json.loads(html.unescape(found[1])) if found else None


def test_the_form_of_a_project_is_filled_again(
    admin: tuple[Browser, User], project: Project
) -> None:
    browser, _ = admin
    page = f"/connections/{project.pk}/edit/"
    form = Page(browser.get(page)).form()
    end_session(browser)
    answer = browser.post(page, {**form, "name": "Another name"})
    assert answer["Location"] == f"/login/?next={page}"
    shown = sign_in(browser, "ada", answer["Location"])
    assert Page(shown).submits["name"] == ["Another name"]
    assert set(levels(shown)) == {"info"}
    name = project.name
    project.refresh_from_db()
    assert project.name == name
    assert Page(browser.get(page)).submits["name"] == [name]


def test_a_form_that_asks_for_a_secret_is_not_kept(
    admin: tuple[Browser, User], project: Project
) -> None:
    browser, _ = admin
    page = f"/connections/{project.pk}/keys/new/"
    form = Page(browser.get(page)).submits
    assert kept_form.FIELD not in form
    end_session(browser)
    browser.post(page, {"label": "Main", "value": "key-very-secret-0000"})
    assert kept_form.KEPT not in browser.session


def test_the_cells_of_a_file_come_back_once_to_their_page_alone(
    browser: Browser, olga: User, integration: Integration
) -> None:
    data = b"id,Email\n1,x\n2,no\n"
    write = make_draft(integration, olga, csv=data, primary_key="id")
    page = f"/writes/{write.pk}/file/"
    note = Page(browser.get(page)).submits[kept_form.FIELD][0]
    end_session(browser)
    typed = {"do": "cells", "rule": "email", "cell": ["a@example.com", "<b>"]}
    answer = browser.post(page, {**typed, kept_form.FIELD: note})
    sign_in(browser, "olga", "/login/")
    assert box_of(browser.get("/")) is None
    shown = browser.get(page)
    assert box_of(shown) == [
        page,
        {"do": ["cells"], "rule": ["email"], "cell": ["a@example.com", "<b>"]},
    ]
    assert "<li><code>cell</code>: &lt;b&gt;</li>" in shown.text
    assert answer["Location"] == f"/login/?next={page}"
    assert box_of(browser.get(page)) is None


def test_a_form_with_a_file_stays_where_it_is(
    browser: Browser, olga: User, target: dict[str, Any]
) -> None:
    end_session(browser)
    file = SimpleUploadedFile("x.csv", b"id\n")
    headers = {"HX-Request": "true", "X-Stays": "1"}
    answer = browser.post("/writes/csv/", {**target, "file": file}, headers=headers)
    assert answer.status_code == 204
    assert "signed-out" in answer["HX-Trigger"]
    assert answer.content == b""
    assert "HX-Redirect" not in answer
    assert not Write.objects.exists()


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
@pytest.mark.parametrize("source", ["record", "csv", "url"])
def test_what_somebody_else_typed_is_not_taken(
    headers: dict[str, str],
    source: str,
    browser: Browser,
    olga: User,
    target: dict[str, Any],
) -> None:
    page = f"/writes/{source}/"
    form = Page(browser.get(page)).form()
    others = Browser()
    others.force_login(make_user("tim", Role.OPERATOR))
    typed = {**form, **target, "field_name": ["LastName"], "field_value": ["Muster"]}
    typed |= {"action": "create", "url": "https://files.example.com/a.csv"}
    if source == "csv":
        typed["file"] = SimpleUploadedFile("x.csv", b"id,Name\n1,x\n")
    answer = others.post(page, typed, headers=headers)
    assert (answer.get("HX-Redirect") or answer["Location"]) == "/"
    assert levels(others.get("/")) == ["warning"]
    assert not Write.objects.exists()


def test_a_review_that_somebody_else_has_open_sends_nothing(
    browser: Browser, olga: User, integration: Integration
) -> None:
    write = make_draft(integration, olga)
    form = Page(browser.get(write.get_absolute_url())).form()
    others = Browser()
    others.force_login(make_user("ada", Role.ADMIN))
    answer = press_send(others, write, {**form, "reason": "CASE-8"})
    assert answer["Location"] == "/"
    write.refresh_from_db()
    assert write.is_draft
