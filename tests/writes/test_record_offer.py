"""The form of one record knows the fields of its object, and checks their values."""

from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from console.models import Group, Integration, ObjectMetadata, WriteObject
from files.field import Field
from files.fields.field_lists import as_json
from tests.writes.pages import Page
from writes.models import Write

pytestmark = [pytest.mark.pages, pytest.mark.django_db]

FIELDS = (
    Field(name="LastName", label="Last name", length=20, is_required=True),
    Field(name="Level__c", type="picklist", values=("a", "b"), is_restricted=True),
    Field(name="Kids__c", type="int"),
    Field(name="Active__c", type="boolean"),
    Field(name="Born", type="date"),
    Field(name="CreatedDate", is_creatable=False, is_updateable=False),
    Field(name="Once__c", is_updateable=False),
)


@pytest.fixture
def known(integration: Integration) -> WriteObject:
    """The object contact, with a list of its fields."""
    row = integration.write_objects.get(name="contact")
    WriteObject.objects.filter(pk=row.pk).update(fields=as_json(FIELDS))
    return WriteObject.objects.get(pk=row.pk)


def typed(
    target: dict[str, Any], *rows: tuple[str, str, str], **more: Any
) -> dict[str, Any]:
    """Return the form with rows of name, type and value."""
    names, types, values = zip(*rows, strict=True) if rows else ((), (), ())
    return {
        **target,
        "action": "create",
        "record_id": "",
        "view": "rows",
        "field_name": names,
        "field_type": types,
        "field_value": values,
        **more,
    }


def post(browser: Browser, form: dict[str, Any]) -> Any:
    return browser.post("/writes/record/", form)


def test_the_fields_of_the_object_are_offered_and_required_ones_shown(
    browser: Browser, target: dict[str, Any], known: WriteObject
) -> None:
    answer = post(browser, typed(target, do="fields"))
    offer = answer.context["offer"]
    names = [each.name for each in offer.offered]
    assert names[0] == "LastName"
    assert "CreatedDate" not in names
    assert Page(answer).submits["field_name"] == ["LastName", "", "", ""]
    update = post(browser, typed(target, do="fields", action="update"))
    assert "Once__c" not in [each.name for each in update.context["offer"].offered]
    assert Page(update).submits["field_name"] == ["", "", "", ""]


def test_another_object_takes_its_own_fields_and_keeps_what_was_typed(
    browser: Browser, target: dict[str, Any], known: WriteObject
) -> None:
    rows = (("LastName", "auto", ""), ("Nick", "auto", "Bo"))
    other = known.integration.write_objects.get(name="account")
    answer = post(browser, typed({**target, "object": other.pk}, *rows, do="fields"))
    assert Page(answer).submits["field_name"] == ["Nick", "", "", ""]
    assert not answer.context["offer"].fields


def test_a_value_is_sent_as_its_field_is_written(
    browser: Browser, target: dict[str, Any], known: WriteObject
) -> None:
    rows = (
        ("lastname", "auto", "007"),
        ("Kids__c", "auto", "3"),
        ("Active__c", "auto", "true"),
        ("Born", "auto", "2001-02-03"),
        ("Level__c", "auto", ""),
    )
    post(browser, typed(target, *rows))
    assert Write.objects.get().record_fields() == {
        "lastname": "007",
        "Kids__c": 3,
        "Active__c": True,
        "Born": "2001-02-03",
    }


@pytest.mark.parametrize(
    ("row", "blocks"),
    [
        (("Born", "auto", "31.12.2024"), True),
        (("Level__c", "auto", "z"), True),
        (("LastName", "auto", "x" * 21), True),
        (("Nope__c", "auto", "x"), False),
        (("CreatedDate", "auto", "x"), False),
        (("Once__c", "number", "5"), False),
        (("Kids__c", "text", "5"), False),
    ],
)
def test_what_is_wrong_with_a_value_is_said_at_its_row(
    browser: Browser,
    target: dict[str, Any],
    known: WriteObject,
    row: tuple[str, str, str],
    blocks: bool,
) -> None:
    rows = (row,) if row[0] == "LastName" else (("LastName", "auto", "Berg"), row)
    form = typed(target, *rows)
    answer = post(browser, form)
    assert answer.status_code == 422
    shown = answer.context["typed"].rows[-1]
    assert bool(shown.error) == blocks
    assert bool(shown.warnings) != blocks
    assert not Write.objects.exists()
    anyway = answer.context["typed"].anyway
    assert bool(anyway) != blocks
    post(browser, {**form, "anyway": anyway or "x"})
    assert Write.objects.exists() != blocks


def test_a_required_field_that_is_missing_is_said_in_both_views(
    browser: Browser, target: dict[str, Any], known: WriteObject
) -> None:
    rows = typed(target, ("Kids__c", "auto", "3"))
    text = {**typed(target), "view": "json", "json": '{"Kids__c": 3}'}
    for form in (rows, text):
        told = post(browser, form).context["typed"].remarks
        assert [(each.name, each.level) for each in told] == [("LastName", "warns")]
    assert (
        post(browser, {**rows, "action": "update", "record_id": "1"}).status_code == 302
    )


def test_send_anyway_is_said_of_what_was_seen_and_of_nothing_else(
    browser: Browser, target: dict[str, Any], known: WriteObject
) -> None:
    seen = post(browser, typed(target, ("Nope__c", "auto", "x")))
    anyway = seen.context["typed"].anyway
    other = typed(target, ("Other__c", "auto", "x"), anyway=anyway)
    assert post(browser, other).status_code == 422
    assert not Write.objects.exists()


def test_what_ampersand_told_of_the_customer_comes_first(
    browser: Browser, target: dict[str, Any], known: WriteObject
) -> None:
    group = Group.objects.get(pk=target["group"])
    ObjectMetadata.objects.create(
        write_object=known,
        group=group,
        fields=as_json([Field(name="lastname"), Field(name="Theirs__c")]),
        fetched_at=timezone.now(),
    )
    offer = post(browser, typed(target, do="fields")).context["offer"]
    assert {each.name for each in offer.fields} == {"LastName", "Theirs__c"}


@pytest.mark.parametrize(
    ("may_write", "action", "name"),
    [
        ({"account": True}, "create", "object"),
        ({"contact": False}, "delete", "action"),
    ],
)
def test_what_an_installation_lacks_is_said_before_the_review(
    browser: Browser,
    target: dict[str, Any],
    may_write: dict[str, bool],
    action: str,
    name: str,
) -> None:
    told = {"may_write": may_write, "seen_at": timezone.now()}
    Group.objects.filter(pk=target["group"]).update(**told)
    Integration.objects.get().project.__class__.objects.update(generation="C")
    form = typed(target, ("LastName", "text", "x"), action=action, record_id="1")
    answer = post(browser, form)
    assert answer.status_code == 422
    assert answer.context["form"].errors.keys() == {name}


@pytest.mark.parametrize("chosen", ["", "x", "9" * 30, "²", "0"])
def test_a_choice_that_is_none_offers_nothing(
    browser: Browser, target: dict[str, Any], known: WriteObject, chosen: str
) -> None:
    answer = post(browser, typed({**target, "object": chosen}, do="fields"))
    assert answer.status_code == 200
    assert not answer.context["offer"].fields


def test_the_fields_of_an_environment_that_is_not_ones_own_are_not_offered(
    sign_in: Any, target: dict[str, Any], known: WriteObject
) -> None:
    from console.access.roles import Role

    stranger = sign_in(Role.NONE, test=Role.OPERATOR)
    answer = post(stranger, typed(target, do="fields"))
    assert not answer.context["offer"].fields


def test_showing_the_fields_keeps_where_it_goes(
    browser: Browser, target: dict[str, Any], known: WriteObject
) -> None:
    submits = Page(post(browser, typed(target, do="fields"))).submits
    for name in ("project", "integration", "object", "group"):
        assert submits[name] == [str(target[name])]


@pytest.mark.parametrize(
    ("action", "field", "words"),
    [
        ("update", "Description", ["not written on an update"]),
        ("create", "Description", []),
        ("update", "title", ["written only if it is empty"]),
        ("create", "LeadSource", ["default “Web”"]),
        ("update", "LeadSource", ["not written on an update"]),
        ("update", "LastName", []),
    ],
)
def test_what_an_installation_does_with_a_field_stands_beside_it(
    browser: Browser,
    target: dict[str, Any],
    action: str,
    field: str,
    words: list[str],
) -> None:
    never = {"create": "always", "update": "never", "default": ""}
    Group.objects.update(
        field_settings={
            "contact": {
                "description": never,
                "title": {**never, "update": "ifEmpty"},
                "leadsource": {**never, "default": "Web"},
            }
        }
    )
    typed = {
        **target,
        "action": action,
        "view": "rows",
        "field_name": [field],
        "field_type": ["text"],
        "field_value": ["x"],
        "do": "add",
    }
    page = browser.post("/writes/record/", typed)
    assert page.context["typed"].rows[0].settings == words
    said = "This customer's installation" in page.content.decode()
    assert said == bool(words)
