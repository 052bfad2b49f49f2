"""The form for one record: rows and JSON, and that nothing typed is lost."""

import json
from typing import Any

import pytest
from django.test import Client as Browser

from console.models import Integration
from tests.writes.making import make_draft
from tests.writes.pages import Page
from writes.forms.record_fields import MOST_ROWS
from writes.models import Write

HOSTILE = '"><img src=x onerror=alert(1)>'

pytestmark = [pytest.mark.pages, pytest.mark.django_db]


@pytest.fixture
def typed(target: dict[str, Any]) -> dict[str, Any]:
    """A form with four rows, one of each kind, as a browser sends it."""
    return {
        **target,
        "action": "update",
        "record_id": "003000000000001AAA",
        "view": "rows",
        "field_name": ["LastName", "Kids__c", "Fax", ""],
        "field_type": ["text", "number", "null", "text"],
        "field_value": ["\r\nfirst\r\nsecond <b>", "1.50", "", ""],
    }


def shown(page: Page) -> dict[str, list[str]]:
    """Return what the page would send, without its buttons."""
    return {name: page.submits.get(name, []) for name in page.submits if name != "do"}


def assert_still_typed(page: Page, typed: dict[str, Any]) -> None:
    """Compare what the page shows with what was typed into it."""
    for name, value in typed.items():
        expected = value if isinstance(value, list) else [value]
        assert page.submits[name] == [str(each) for each in expected], name


def test_what_was_typed_is_the_record_of_the_draft(
    browser: Browser, typed: dict[str, Any]
) -> None:
    browser.post("/writes/record/", typed)
    write = Write.objects.get()
    assert (write.action, write.record_id) == ("update", "003000000000001AAA")
    assert list(write.record_fields().items()) == [
        ("LastName", "\nfirst\nsecond <b>"),
        ("Kids__c", 1.5),
        ("Fax", None),
    ]


def test_adding_a_row_keeps_the_others(browser: Browser, typed: dict[str, Any]) -> None:
    answer = browser.post("/writes/record/", {**typed, "do": "add"})
    assert answer.status_code == 200
    for name, empty in (("name", ""), ("type", "text"), ("value", "")):
        typed[f"field_{name}"].append(empty)
    assert_still_typed(Page(answer), typed)
    assert not Write.objects.exists()


def test_removing_a_row_keeps_the_others(
    browser: Browser, typed: dict[str, Any]
) -> None:
    answer = browser.post("/writes/record/", {**typed, "do": "remove:1"})
    for name in ("name", "type", "value"):
        del typed[f"field_{name}"][1]
    assert_still_typed(Page(answer), typed)


@pytest.mark.parametrize("which", ["", "4", "-1", "x", "²", "9" * 5000])
def test_removing_a_row_that_is_not_there_keeps_all(
    which: str, browser: Browser, typed: dict[str, Any]
) -> None:
    answer = browser.post("/writes/record/", {**typed, "do": f"remove:{which}"})
    assert answer.status_code == 200
    assert_still_typed(Page(answer), typed)


def test_a_button_that_is_not_known_keeps_all(
    browser: Browser, typed: dict[str, Any]
) -> None:
    answer = browser.post("/writes/record/", {**typed, "do": "explode"})
    assert answer.status_code == 200
    assert_still_typed(Page(answer), typed)


def test_json_and_back_is_the_same_record(
    browser: Browser, typed: dict[str, Any]
) -> None:
    as_json = Page(browser.post("/writes/record/", {**typed, "do": "json"}))
    record = json.loads(as_json.submits["json"][0])
    assert record == {"LastName": "\nfirst\nsecond <b>", "Kids__c": 1.5, "Fax": None}
    again = Page(browser.post("/writes/record/", {**shown(as_json), "do": "rows"}))
    typed["field_value"][1] = "1.5"
    for name in ("name", "type", "value"):
        typed[f"field_{name}"].pop()
    assert_still_typed(again, typed)


def test_rows_that_json_cannot_say_stay_rows(
    browser: Browser, typed: dict[str, Any]
) -> None:
    typed["field_value"][1] = "1,50"
    answer = browser.post("/writes/record/", {**typed, "do": "json"})
    assert "id_row_1_error" in Page(answer).ids
    assert_still_typed(Page(answer), typed)


@pytest.mark.parametrize(
    ("text", "words"), [('{"a": {"b": 1}}', "lists or objects"), ("{,", "not JSON")]
)
def test_json_that_rows_cannot_show_stays_json(
    text: str, words: str, browser: Browser, typed: dict[str, Any]
) -> None:
    form = {**typed, "view": "json", "json": text, "do": "rows"}
    answer = browser.post("/writes/record/", form)
    assert words in answer.content.decode()
    assert Page(answer).submits["json"] == [text]


def test_nested_json_is_sent_as_it_was_typed(
    browser: Browser, target: dict[str, Any]
) -> None:
    text = '{"attributes": {"type": "Contact"}, "LastName": "Berg"}'
    form = {**target, "action": "create", "view": "json", "json": text}
    answer = browser.post("/writes/record/", form, follow=True)
    assert answer.status_code == 200
    assert Write.objects.get().record_fields() == json.loads(text)


@pytest.mark.hostile
@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"record_id": ""}, "Update needs the id"),
        ({"record_id": "003 1"}, "no spaces or invisible"),
        ({"record_id": "x" * 101}, "at most 100"),
        ({"action": "erase"}, "Select a valid choice"),
        ({"field_value": ["a", "1,5", "", ""]}, "not a JSON number"),
        ({"field_name": ["a", "b", "a", ""]}, "here twice"),
        ({"field_name": ["", "b", "c", ""]}, "no field name"),
        ({"field_value": ["x\0y", "1", "", ""]}, "NUL"),
        (
            {
                "field_name": [""] * 4,
                "field_value": [""] * 4,
                "field_type": ["text"] * 4,
            },
            "at least one field",
        ),
    ],
)
def test_what_is_wrong_is_told_and_all_of_it_is_still_there(
    changed: dict[str, Any], words: str, browser: Browser, typed: dict[str, Any]
) -> None:
    form = {**typed, **changed}
    answer = browser.post("/writes/record/", form)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    shown = Page(answer)
    # No browser shows an unknown choice, and no page can hold NUL.
    lost = "action" if "action" in changed else ""
    if words != "NUL":
        assert_still_typed(shown, {k: v for k, v in form.items() if k != lost})
    assert not Write.objects.exists()


def test_the_error_stands_at_its_row(browser: Browser, typed: dict[str, Any]) -> None:
    typed["field_value"][1] = "many"
    page = Page(browser.post("/writes/record/", typed))
    assert "id_row_1_error" in page.ids
    assert not {"id_row_0_error", "id_row_2_error"} & page.ids


@pytest.mark.parametrize(
    "text",
    ['{"a": "\\ud800"}', '{"a": "\\u0000"}', '{"a": 1e400}', "[" * 9999, "\ufeff"],
)
def test_json_that_cannot_be_stored_is_refused_in_words(
    text: str, browser: Browser, target: dict[str, Any]
) -> None:
    form = {**target, "action": "create", "view": "json", "json": text}
    answer = browser.post("/writes/record/", form)
    assert answer.status_code == 422
    assert 'id="fields-error"' in answer.content.decode()
    assert Page(answer).submits["json"] == [text]


def test_rows_stop_where_a_form_becomes_too_large(
    browser: Browser, target: dict[str, Any]
) -> None:
    record = {f"f{number}": number for number in range(MOST_ROWS)}
    form = {**target, "action": "create", "view": "json", "json": json.dumps(record)}
    page = Page(browser.post("/writes/record/", {**form, "do": "rows"}))
    answer = browser.post("/writes/record/", {**shown(page), "do": "add"})
    assert "fields-error" in Page(answer).ids
    assert len(Page(answer).submits["field_name"]) == MOST_ROWS
    assert browser.post("/writes/record/", shown(page)).status_code == 302
    record["one_more"] = 1
    form["json"] = json.dumps(record)
    answer = browser.post("/writes/record/", {**form, "do": "rows"})
    assert "fields-error" in Page(answer).ids
    assert "field_name" not in Page(answer).submits


def test_hostile_text_is_escaped(browser: Browser, target: dict[str, Any]) -> None:
    form = {
        **target,
        "action": "create",
        "field_name": [HOSTILE, HOSTILE],
        "field_value": [f"</textarea><script>{HOSTILE}", HOSTILE],
        "record_id": HOSTILE,
    }
    answer = browser.post("/writes/record/", form)
    assert answer.status_code == 422
    content = answer.content.decode()
    assert "<img src=x" not in content
    assert Page(answer).inline == []
    form["field_name"] = [HOSTILE, "other"]
    review = browser.post("/writes/record/", form, follow=True)
    assert "<img src=x" not in review.content.decode()
    assert Page(review).inline == []


def test_an_earlier_record_is_filled_in(
    browser: Browser, integration: Integration, olga: Any
) -> None:
    record = {"LastName": "\nBerg", "Kids__c": 1, "Fax": None, "Active__c": False}
    write = make_draft(
        integration, olga, action="update", record_id="003A", record=record
    )
    page = Page(browser.get("/writes/record/", {"again": write.pk}))
    assert page.submits["field_name"] == list(record)
    assert page.submits["field_type"] == ["text", "number", "null", "boolean"]
    assert page.submits["field_value"] == ["\r\nBerg", "1", "", "false"]
    assert page.submits["record_id"] == ["003A"]
    assert page.submits["action"] == ["update"]


def test_an_earlier_record_that_rows_cannot_show_is_shown_as_json(
    browser: Browser, integration: Integration, olga: Any
) -> None:
    write = make_draft(integration, olga, record={"a": [1]})
    page = Page(browser.get("/writes/record/", {"again": write.pk}))
    assert json.loads(page.submits["json"][0]) == {"a": [1]}
