"""The field list of an object: seen, imported from a describe, written by hand."""

import json
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from console.access.roles import Role
from console.connections.field_list_forms import LARGEST_DESCRIBE
from console.models import AuditEvent, Integration, Project, WriteObject
from files.field import Field
from sandbox.describe import describe
from sandbox.schema import find
from tests.answers import codes, levels
from tests.texts import numbers, quoted

LINES = "Name: string(80) required\ntier__c: picklist restricted = Gold | Silver\n"
FIELDS = (
    Field(name="Name", length=80, is_required=True),
    Field(
        name="tier__c", type="picklist", is_restricted=True, values=("Gold", "Silver")
    ),
)


@pytest.fixture
def admin(sign_in: Callable[..., Browser]) -> Browser:
    """A browser of somebody who may change connections."""
    return sign_in(Role.ADMIN)


@pytest.fixture
def account(integration: Integration) -> WriteObject:
    """An object without a field list."""
    return integration.write_objects.get(name="account")


def described(name: str = "account") -> str:
    """Return the describe of an object of the sandbox."""
    sobject = find(name)
    assert sobject is not None
    return json.dumps(describe(sobject))


def address(name: str, row: WriteObject) -> str:
    return reverse(f"connections:{name}", args=[row.pk])


def page(browser: Browser, row: WriteObject) -> str:
    """Return the page of an object's fields."""
    return browser.get(row.get_absolute_url()).content.decode()


def edit(browser: Browser, row: WriteObject, lines: str) -> Any:
    return browser.post(address("fields_edit", row), {"lines": lines}, follow=True)


def import_text(browser: Browser, row: WriteObject, text: str) -> Any:
    return browser.post(address("fields_import", row), {"text": text}, follow=True)


def import_file(browser: Browser, row: WriteObject, content: bytes) -> Any:
    file = SimpleUploadedFile("describe.json", content)
    return browser.post(address("fields_import", row), {"file": file}, follow=True)


def test_an_object_without_a_list_says_what_one_is_good_for(
    admin: Browser, account: WriteObject
) -> None:
    html = page(admin, account)
    assert "data-empty" in html
    assert "sf sobject describe --sobject account --json" in html
    assert "/services/data/v60.0/sobjects/account/describe" in html
    assert account.field_list() == ()


def test_fields_are_written_by_hand(admin: Browser, account: WriteObject) -> None:
    response = edit(admin, account, LINES)
    assert response.redirect_chain[-1][0] == account.get_absolute_url()
    assert levels(response) == ["success"]
    account.refresh_from_db()
    assert account.field_list() == FIELDS
    assert account.fields_from == "by hand"
    assert account.fields_at is not None
    html = response.content.decode()
    for words in ("Name", "tier__c", "required", "only these values", "Gold, Silver"):
        assert words in html


def test_lines_that_cannot_be_read_are_told_and_nothing_is_lost(
    admin: Browser, account: WriteObject
) -> None:
    edit(admin, account, LINES)
    broken = LINES + "Amount: curency(16,2)\n"
    response = edit(admin, account, broken)
    assert response.status_code == 422
    [problem] = response.context["form"].errors["lines"]
    assert (numbers(problem), quoted(problem)) == ([3], ["curency"])
    assert "Amount: curency(16,2)" in response.text
    account.refresh_from_db()
    assert account.field_list() == FIELDS


def test_many_problems_are_counted(admin: Browser, account: WriteObject) -> None:
    response = edit(admin, account, "x: no\n" * 30)
    told = response.context["form"].errors["lines"]
    assert [numbers(problem)[0] for problem in told] == [*range(1, 21), 10]


def test_the_list_is_offered_as_the_lines_it_was_written_in(
    admin: Browser, account: WriteObject
) -> None:
    edit(admin, account, LINES)
    html = admin.get(address("fields_edit", account)).content.decode()
    assert "tier__c: picklist restricted = Gold | Silver" in html


@pytest.mark.parametrize(
    "give", [import_text, lambda b, r, t: import_file(b, r, t.encode())]
)
def test_a_describe_is_imported(
    give: Callable[..., Any], admin: Browser, account: WriteObject
) -> None:
    response = give(admin, account, described())
    account.refresh_from_db()
    fields = {field.name: field for field in account.field_list()}
    assert fields["tier__c"].values == ("Gold", "Silver", "Bronze")
    assert fields["external_id__c"].is_external_id
    assert account.fields_from == "describe"
    assert levels(response) == ["success"]


def test_what_the_salesforce_cli_prints_is_imported(
    admin: Browser, account: WriteObject
) -> None:
    import_text(admin, account, f'{{"status": 0, "result": {described()}}}')
    account.refresh_from_db()
    assert account.fields_from == "describe"


def test_the_describe_of_another_object_is_noticed(
    admin: Browser, account: WriteObject
) -> None:
    response = import_text(admin, account, described("contact"))
    _, warning = response.context["messages"]
    assert levels(response) == ["success", "warning"]
    assert quoted(str(warning)) == ["Contact", "account"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{\n\n]", "Line 3: this is not JSON"),
        ("[]", "no list “fields”"),
        ("", "Choose a file or paste its text."),
        ('{"fields": [{"name": "a\\u0000"}]}', "cannot be stored"),
    ],
)
def test_what_is_no_describe_changes_nothing(
    text: str, says: str, admin: Browser, account: WriteObject
) -> None:
    edit(admin, account, LINES)
    response = import_text(admin, account, text)
    assert response.status_code == 422
    assert says in response.content.decode()
    account.refresh_from_db()
    assert account.field_list() == FIELDS


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\xff\xfe{", "not in UTF-8"),
        (b"[]" + b" " * LARGEST_DESCRIBE, "larger than 20 MiB"),
    ],
)
def test_a_file_that_is_no_describe_is_refused(
    content: bytes, says: str, admin: Browser, account: WriteObject
) -> None:
    response = import_file(admin, account, content)
    assert response.status_code == 422
    assert says in response.content.decode()


def test_a_file_and_a_text_at_once_are_refused(
    admin: Browser, account: WriteObject
) -> None:
    data = {"file": SimpleUploadedFile("d.json", b"{}"), "text": described()}
    response = admin.post(address("fields_import", account), data)
    assert response.status_code == 422
    assert codes(response.context["form"]) == {"__all__": ["not-one-place"]}


def test_no_line_removes_the_list(admin: Browser, account: WriteObject) -> None:
    edit(admin, account, LINES)
    response = edit(admin, account, "\n# nothing\n")
    account.refresh_from_db()
    assert (account.fields, account.fields_from, account.fields_at) == ([], "", None)
    assert levels(response) == ["success"]


def test_a_change_is_audited_by_name_and_once(
    admin: Browser, account: WriteObject, project: Project
) -> None:
    edit(admin, account, LINES)
    edit(admin, account, LINES)
    edit(admin, account, "Name: string(90)\nSite\n")
    first, second = AuditEvent.objects.filter(action="fields.changed").order_by("pk")
    assert first.subject == "account of salesforce"
    assert first.subject_url == account.get_absolute_url()
    assert first.project_name == project.name
    assert first.detail == {
        "from": "by hand",
        "fields": [0, 2],
        "added": ["Name", "tier__c"],
    }
    assert second.detail == {
        "from": "by hand",
        "fields": [2, 2],
        "added": ["Site"],
        "removed": ["tier__c"],
        "changed": ["Name"],
    }


def test_a_viewer_sees_the_list_and_no_way_to_change_it(
    admin: Browser, account: WriteObject, sign_in: Callable[..., Browser]
) -> None:
    edit(admin, account, LINES)
    html = page(sign_in(Role.VIEWER, "viewer"), account)
    assert "tier__c" in html
    for name in ("fields_import", "fields_edit"):
        assert address(name, account) not in html


def test_the_project_links_to_the_fields_of_each_object(
    admin: Browser, account: WriteObject, project: Project
) -> None:
    edit(admin, account, LINES)
    html = admin.get(project.get_absolute_url()).content.decode()
    assert html.count("data-has-fields") == 1
    for row in account.integration.write_objects.all():
        assert row.get_absolute_url() in html


def test_field_lists_are_read_only_where_they_are_needed(
    admin: Browser, account: WriteObject, project: Project
) -> None:
    with CaptureQueriesContext(connection) as queries:
        admin.get(project.get_absolute_url())
    read = [q["sql"] for q in queries if '"console_writeobject"."fields"' in q["sql"]]
    assert read == []


def test_hostile_names_are_shown_as_text(admin: Browser, account: WriteObject) -> None:
    html = edit(
        admin, account, '<script>alert(1)</script> "<b>": picklist = <i>x</i>'
    ).content.decode()
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert "<i>x" not in html


def test_the_explained_lines_are_lines_that_can_be_saved(
    admin: Browser, account: WriteObject
) -> None:
    html = admin.get(address("fields_edit", account)).content.decode()
    example = unescape(html.split("<pre>")[1].split("</pre>")[0])
    edit(admin, account, example)
    account.refresh_from_db()
    names = [field.name for field in account.field_list()]
    assert names[:3] == ["Name", "Code__c", "CloseDate"]
    assert len(names) == 7
