"""The file comes first: it is kept, and its header says where it may be meant to go."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser
from django.utils import timezone

from console.access.roles import Role
from console.models import Integration, Project, WriteObject
from files.field import Field
from files.fields.field_lists import as_json
from tests.answers import codes, levels
from tests.conftest import make_user
from tests.writes.making import confirm, make_draft
from tests.writes.pages import Page
from writes.actions.quota import kept_by
from writes.actions.retention import DRAFTS_KEPT, sweep
from writes.models import KeptFile, Write

SOUND = b"external_id__c,LastName\nk-1,Berg\n"

pytestmark = [pytest.mark.pages, pytest.mark.django_db]


def drop(browser: Browser, data: bytes = SOUND, name: str = "people.csv") -> Any:
    """Drop a file on some page, and go where that leads."""
    file = SimpleUploadedFile(name, data)
    form = {"do": "file", "file": file}
    return browser.post("/writes/csv/", form, follow=True)


def target_of(page: Page) -> tuple[str, ...]:
    names = ("project", "integration", "object", "group", "primary_key", "action")
    return tuple((page.submits.get(name) or [""])[-1] for name in names)


@pytest.fixture
def listed(integration: Integration) -> Integration:
    """Contacts and leads whose fields are known; a contact has an External ID."""
    own = {
        "contact": [
            Field(name="external_id__c", label="External ID", is_external_id=True),
            Field(name="LastName", label="Last Name"),
            Field(name="Email"),
        ],
        "lead": [Field(name="LastName"), Field(name="Company")],
    }
    for name, fields in own.items():
        row = WriteObject.objects.get(integration=integration, name=name)
        row.fields = as_json(fields)
        row.save(update_fields=["fields"])
    return integration


def test_a_dropped_file_is_kept_and_reviewed_without_being_sent_once_more(
    browser: Browser, olga: User, target: dict[str, Any]
) -> None:
    answer = drop(browser)
    kept = KeptFile.objects.get()
    assert (kept.user, kept.columns) == (olga, ["external_id__c", "LastName"])
    form = Page(answer).form()
    assert form["kept"] == [str(kept.token)]
    browser.post("/writes/csv/", {**form, **target, "primary_key": "external_id__c"})
    write = Write.objects.get()
    assert (write.file_name, write.row_count) == ("people.csv", 1)
    assert write.path_of("original").read_bytes() == SOUND
    assert not KeptFile.objects.exists()


def test_pasted_cells_are_a_file(browser: Browser, target: dict[str, Any]) -> None:
    form = {**target, "primary_key": "id", "pasted": "id\tName\r\n1\tBerg, Ltd\r\n"}
    browser.post("/writes/csv/", form)
    original = Write.objects.get().path_of("original").read_bytes()
    assert original == b'id,Name\n1,"Berg, Ltd"\n'


def test_a_form_with_errors_loses_no_file(
    browser: Browser, target: dict[str, Any]
) -> None:
    form = {**target, "primary_key": "", "file": SimpleUploadedFile("a.csv", SOUND)}
    answer = browser.post("/writes/csv/", form)
    assert answer.status_code == 422
    assert codes(answer.context["form"]) == {"primary_key": ["required"]}
    again = Page(answer).form() | target | {"primary_key": "external_id__c"}
    assert browser.post("/writes/csv/", again).status_code == 302
    assert Write.objects.get().path_of("original").read_bytes() == SOUND


def test_pressing_review_twice_leads_to_the_one_draft(
    browser: Browser, target: dict[str, Any]
) -> None:
    form = Page(drop(browser)).form() | target | {"primary_key": "external_id__c"}
    places = [browser.post("/writes/csv/", form)["Location"] for _ in range(2)]
    assert places == [Write.objects.get().get_absolute_url()] * 2


def test_a_file_is_there_for_nobody_else(browser: Browser) -> None:
    drop(browser)
    token = str(KeptFile.objects.get().token)
    make_user("tim", Role.OPERATOR)
    other = Browser()
    other.login(username="tim", password="tim")
    answer = other.get("/writes/csv/", {"kept": token})
    assert levels(answer) == ["warning"]
    assert "kept" not in Page(answer).submits
    assert "people.csv" not in answer.text


def test_it_counts_as_a_draft_and_goes_after_a_day(
    browser: Browser, olga: User, tmp_path: Path
) -> None:
    drop(browser)
    assert kept_by(olga) == len(SOUND)
    sweep(timezone.now())
    assert KeptFile.objects.exists()
    sweep(timezone.now() + DRAFTS_KEPT * 2)
    assert not KeptFile.objects.exists()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


class TestProposals:
    """What the form starts with once there is a file."""

    @pytest.mark.parametrize("action", ["create", "by_id"])
    def test_an_action_that_was_chosen_before_the_file_stays(
        self, action: str, browser: Browser, target: dict[str, Any]
    ) -> None:
        file = SimpleUploadedFile("people.csv", SOUND)
        form = {**target, "do": "file", "token": uuid4(), "file": file}
        form |= {"action": action, "primary_key": ""}
        page = Page(browser.post("/writes/csv/", form))
        assert page.submits["action"] == [action]

    def test_the_object_whose_fields_the_header_names(
        self, browser: Browser, listed: Integration
    ) -> None:
        page = Page(drop(browser, b"Last Name,External ID,Email\nBerg,1,a@b.c\n"))
        contact = listed.write_objects.get(name="contact").pk
        group = listed.groups.get().pk
        where = (listed.project_id, listed.pk, contact, group)
        # The External ID comes before the id, by its nearest name.
        expected = (*map(str, where), "External ID", "upsert")
        assert target_of(page) == expected

    def test_an_object_that_others_fit_as_well_is_for_a_person_to_choose(
        self, browser: Browser, listed: Integration
    ) -> None:
        answer = drop(browser, b"LastName\nBerg\n")
        page = Page(answer)
        assert "fitting" in page.ids
        assert (page.submits["object"], page.submits["group"]) == ([""], [""])
        # Unless the name of the file tells.
        page = Page(drop(browser, b"LastName\nBerg\n", "leads of May.csv"))
        lead = listed.write_objects.get(name="lead").pk
        assert page.submits["object"] == [str(lead)]

    def test_where_a_file_with_these_columns_went_last(
        self, browser: Browser, integration: Integration, olga: User
    ) -> None:
        key = {"primary_key": "external_id__c", "object_name": "account"}
        confirm(make_draft(integration, olga, csv=SOUND, **key), olga)
        page = Page(drop(browser, SOUND.replace(b"Berg", b"Tal")))
        account = integration.write_objects.get(name="account").pk
        assert target_of(page)[2] == str(account)
        assert target_of(page)[4:] == ("external_id__c", "upsert")
        assert "proposed" in page.ids

    def test_not_where_nobody_may_send_any_more(
        self, browser: Browser, integration: Integration, olga: User, project: Project
    ) -> None:
        key = {"primary_key": "external_id__c"}
        confirm(make_draft(integration, olga, csv=SOUND, **key), olga)
        olga.grants.exclude(environment="test").delete()
        page = Page(drop(browser))
        assert "proposed" not in page.ids
        assert page.submits["object"] == [""]

    def test_what_somebody_chose_stays(
        self, browser: Browser, listed: Integration, target: dict[str, Any]
    ) -> None:
        lead = listed.write_objects.get(name="lead").pk
        file = SimpleUploadedFile("a.csv", SOUND)
        form = {**target, "object": lead, "do": "file", "file": file}
        page = Page(browser.post("/writes/csv/", form))
        assert page.submits["object"] == [str(lead)]

    def test_a_file_that_is_no_text_is_kept_all_the_same(
        self, browser: Browser, listed: Integration
    ) -> None:
        assert "kept" in Page(drop(browser, b"PK\x03\x04 no workbook")).submits
        assert KeptFile.objects.get().columns == []
