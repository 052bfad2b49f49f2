"""A sign-in that ends in the middle of a form: what was typed comes back."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser
from django.utils import timezone
from pytest_django import Settings

from console.access.roles import Role
from console.models import Grant, Integration, Session
from console.sign_in import kept_form
from console.sign_in.session_expiry import SEEN_AT
from tests.answers import levels
from tests.conftest import make_user
from tests.writes.making import make_draft, press_send
from tests.writes.pages import Page
from writes.models import Write

pytestmark = [pytest.mark.pages, pytest.mark.django_db]
RECORD = "/writes/record/"
LOGIN = f"/login/?next={RECORD}"
ENDS = ("idle", "signed out in another tab", "gone")


@pytest.fixture
def typed(browser: Browser, target: dict[str, Any]) -> dict[str, Any]:
    """The form of a record as a browser sends it, with more rows than it began with."""
    names = ["LastName", "FirstName", "Fax", "A__c", "B__c", "C__c"]
    page = Page(browser.get(RECORD))
    return {
        **target,
        kept_form.FIELD: page.submits[kept_form.FIELD][0],
        "action": "create",
        "record_id": "",
        "view": "rows",
        "field_name": names,
        "field_type": ["text"] * 6,
        "field_value": ["Muster", "one\r\ntwo", "3", "4", "5", "<b>6"],
    }


def end_session(browser: Browser, how: str = "idle") -> None:
    """Have the sign-in be over, in one of the ways in which that happens."""
    if how == "idle":
        session = browser.session
        session[SEEN_AT] = 0
        session.save()
    elif how == "gone":
        browser.session.delete()
    else:
        browser.logout()


def sign_in(browser: Browser, name: str, page: str = LOGIN) -> Any:
    data = {"username": name, "password": name}
    return browser.post(page, data, follow=True)


@pytest.mark.parametrize("how", ENDS)
@pytest.mark.parametrize("do", ["review", "add", "json"])
@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_it_is_there_again_after_signing_in(
    headers: dict[str, str],
    do: str,
    how: str,
    browser: Browser,
    olga: User,
    typed: dict[str, Any],
) -> None:
    end_session(browser, how)
    answer = browser.post(RECORD, {**typed, "do": do}, headers=headers)
    login = answer.get("HX-Redirect") or answer["Location"]
    assert login == LOGIN
    assert set(levels(browser.get(login))) == {"info"}
    answer = sign_in(browser, "olga", login)
    page = Page(answer)
    for name in ("field_name", "field_value", "token"):
        value = typed[name]
        assert page.submits[name] == (value if isinstance(value, list) else [value])
    assert levels(answer) == ["info"]
    assert not Write.objects.exists()
    # Once: the next form is a new one, and this one is sent as any other.
    assert Page(browser.get(RECORD)).submits["field_name"] == [""] * 4
    browser.post(RECORD, {**page.form(), "do": "review"})
    assert list(Write.objects.get().record_fields()) == typed["field_name"]


def test_nobody_else_gets_it(browser: Browser, typed: dict[str, Any]) -> None:
    make_user("tim", Role.OPERATOR)
    end_session(browser)
    browser.post(RECORD, typed)
    assert "Muster" not in sign_in(browser, "tim").text
    browser.post("/logout/")
    assert "Muster" not in sign_in(browser, "olga").text


def test_who_has_the_role_no_more_does_not_get_it(
    browser: Browser, olga: User, typed: dict[str, Any]
) -> None:
    end_session(browser)
    browser.post(RECORD, typed)
    Grant.objects.filter(user=olga).update(role="viewer")
    answer = sign_in(browser, "olga")
    assert answer.status_code == 403
    assert "Muster" not in answer.text


def test_it_is_not_kept_for_long(
    browser: Browser, typed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    end_session(browser)
    browser.post(RECORD, typed)
    later = timezone.now() + timedelta(seconds=kept_form.KEPT_SECONDS + 1)
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert "Muster" not in sign_in(browser, "olga").text


def test_what_nobody_came_back_for_goes_with_its_session(
    browser: Browser, typed: dict[str, Any]
) -> None:
    end_session(browser, "gone")
    browser.post(RECORD, typed)
    assert kept_form.KEPT in browser.session
    kept_form.forget_old(timezone.now())
    assert Session.objects.exists()
    kept_form.forget_old(timezone.now() + timedelta(days=1))
    assert not Session.objects.exists()


@pytest.mark.parametrize("by", ["", "x", "WyIxIiwgIi8iXQ:1:abc"])
def test_what_no_form_of_ours_says_is_not_kept(
    by: str, browser: Browser, typed: dict[str, Any]
) -> None:
    browser.logout()
    answer = browser.post(RECORD, {**typed, kept_form.FIELD: by})
    assert answer["Location"].startswith("/login/")
    assert kept_form.KEPT not in browser.session


def test_a_reason_is_there_again_at_the_review(
    browser: Browser, olga: User, integration: Integration
) -> None:
    write = make_draft(integration, olga)
    form = Page(browser.get(write.get_absolute_url())).form()
    end_session(browser)
    answer = press_send(browser, write, {**form, "reason": "CASE-8"})
    assert answer["Location"] == f"/login/?next={write.get_absolute_url()}"
    answer = sign_in(browser, "olga", answer["Location"])
    assert Page(answer).submits["reason"] == ["CASE-8"]
    write.refresh_from_db()
    assert write.is_draft


def test_the_columns_of_a_file_are_there_again_and_not_applied(
    browser: Browser, olga: User, integration: Integration
) -> None:
    data = b"id,Name,Extra\n1,x,y\n"
    write = make_draft(integration, olga, csv=data, primary_key="id")
    page = f"/writes/{write.pk}/file/"
    form = Page(browser.get(page)).form()
    end_session(browser)
    typed = {
        **{name: form[name] for name in (kept_form.FIELD, "edition", "zone")},
        "name_0": "id",
        "name_1": "LastName",
        "name_2": "Extra",
        "leave_2": "on",
        "constant_name": ["Type"],
        "constant_value": ["New"],
        "do": "columns",
    }
    answer = browser.post(page, typed)
    assert answer["Location"] == f"/login/?next={page}"
    shown = sign_in(browser, "olga", answer["Location"])
    columns = [(c["sent_as"], c["is_left_out"]) for c in shown.context["columns"]]
    assert columns == [("id", False), ("LastName", False), ("", True)]
    assert Page(shown).submits["constant_value"] == ["New", ""]
    write.refresh_from_db()
    assert write.recipe.is_empty


def test_a_file_is_not_kept_and_that_is_said(
    browser: Browser, olga: User, target: dict[str, Any], settings: Settings
) -> None:
    page = Page(browser.get("/writes/csv/"))
    form = {**target, kept_form.FIELD: page.submits[kept_form.FIELD][0]}
    end_session(browser)
    file = SimpleUploadedFile("x.csv", b"id\n" * 4_000_000)
    form |= {"primary_key": "external_id__c", "file": file}
    answer = browser.post("/writes/csv/", form)
    assert list(settings.FILE_UPLOAD_TEMP_DIR.iterdir()) == []
    answer = sign_in(browser, "olga", answer["Location"])
    page = Page(answer)
    assert page.submits["primary_key"] == ["external_id__c"]
    assert page.submits["object"] == [str(target["object"])]
    assert set(levels(answer)) == {"info", "warning"}
    assert not Write.objects.exists()


def test_the_content_that_a_form_took_over_is_still_taken_over(
    browser: Browser, olga: User, integration: Integration, target: dict[str, Any]
) -> None:
    earlier = make_draft(integration, olga, csv=b"id,Name\n1,x\n", primary_key="id")
    page = Page(browser.get("/writes/csv/", {"again": earlier.pk}))
    end_session(browser)
    answer = browser.post("/writes/csv/", {**page.form(), "primary_key": "Name"})
    page = Page(sign_in(browser, "olga", answer["Location"]))
    assert page.submits["again"] == [str(earlier.pk)]
    assert page.submits["primary_key"] == ["Name"]
    browser.post("/writes/csv/", page.form())
    assert Write.objects.get().file_name == earlier.file_name


def test_an_address_is_there_again(
    browser: Browser, target: dict[str, Any], olga: User
) -> None:
    page = Page(browser.get("/writes/url/"))
    form = {**target, kept_form.FIELD: page.submits[kept_form.FIELD][0]}
    end_session(browser)
    url = "https://files.example.com/a.csv"
    answer = browser.post("/writes/url/", {**form, "primary_key": "id", "url": url})
    page = Page(sign_in(browser, "olga", answer["Location"]))
    assert page.submits["url"] == [url]


@pytest.mark.parametrize("source", ["record", "csv", "url"])
class TestBack:
    """Back from Review leads to the draft's form, while it is a draft."""

    @pytest.fixture
    def write(self, source: str, integration: Integration, olga: User) -> Write:
        key = {"primary_key": "id"}
        made: dict[str, Any] = {
            "record": {"record": {"LastName": "Berg"}},
            "csv": {"csv": b"id,Name\n1,x\n", **key},
            "url": {"url": "https://files.example.com/a.csv", **key},
        }
        return make_draft(integration, olga, **made[source])

    def test_it_is_the_same_draft(
        self, source: str, write: Write, browser: Browser
    ) -> None:
        back = {"again": write.pk, "draft": ""}
        answer = browser.get(f"/writes/{source}/", back)
        assert Page(answer).submits["token"] == [str(write.token)]
        # No browser shows it without asking whether it still is one.
        assert "no-store" in answer["Cache-Control"]
        form = browser.get(f"/writes/{source}/", {"again": write.pk})
        assert "no-store" not in form["Cache-Control"]

    @pytest.mark.parametrize("state", ["confirmed", "discarded"])
    def test_what_is_a_draft_no_more_becomes_no_second_write(
        self, source: str, state: str, write: Write, browser: Browser
    ) -> None:
        at = timezone.now() if state == "confirmed" else None
        Write.objects.filter(pk=write.pk).update(state=state, confirmed_at=at)
        back = {"again": write.pk, "draft": ""}
        answer = browser.get(f"/writes/{source}/", back)
        assert answer["Location"] == write.get_absolute_url()


def test_review_says_where_back_leads(browser: Browser, typed: dict[str, Any]) -> None:
    answer = browser.post(RECORD, typed, headers={"HX-Request": "true"})
    write = Write.objects.get()
    assert answer["X-Back-To"] == f"{RECORD}?again={write.pk}&draft="
    page = Page(browser.get(answer["X-Back-To"]))
    assert page.submits["field_name"] == typed["field_name"]
    assert page.submits["field_value"] == typed["field_value"]


def test_a_line_end_that_was_left_out_is_told(
    browser: Browser, typed: dict[str, Any]
) -> None:
    typed["field_value"][0] = "Muster\r\n"
    answer = browser.post(RECORD, typed, follow=True)
    write = Write.objects.get()
    assert write.record_fields()["LastName"] == "Muster"
    assert levels(answer) == ["info"]
    assert answer.context["with_lines"] == ["FirstName"]
