"""Lines of SOQL to copy: they ask for what was sent, and no value can escape them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from writes.hints.soql import by_fields, by_key, by_record_id, literal

pytestmark = pytest.mark.pages

TOLD = "SELECT Id, CreatedDate, LastModifiedDate FROM"


def test_a_file_is_looked_for_by_its_keys() -> None:
    (found,) = by_key("contact", "external_id__c", ["a", "b'c", ""])
    assert found.soql == f"{TOLD} contact WHERE external_id__c IN ('a', 'b\\'c')"
    (found,) = by_key("contact", "external_id__c", ["a"])
    assert found.soql == f"{TOLD} contact WHERE external_id__c = 'a'"
    assert by_key("contact", "external_id__c", []) == []


def test_a_key_that_is_a_number_has_no_quotes() -> None:
    (found,) = by_key("contact", "no__c", ["12", "1 OR 1=1"], is_number=True)
    assert found.soql.endswith("no__c IN (12, '1 OR 1=1')")


def test_an_update_is_looked_for_by_its_record() -> None:
    (found,) = by_record_id("contact", "003A")
    assert found.soql == f"{TOLD} contact WHERE Id = '003A'"


@pytest.mark.parametrize(
    ("record", "fields"),
    [
        ({"LastName": "Berg", "Email": "m@example.com"}, ["Email", "LastName"]),
        ({"external_id__c": "a", "Email": "b"}, ["external_id__c", "Email"]),
        ({"Name": "Acme", "Amount": 3.5, "Active__c": True}, ["Name"]),
        # None looks like a key: then all that can be searched by.
        (
            {"Title": "x", "Amount": 3, "Notes": "y" * 300, "A": None},
            ["Title", "Amount"],
        ),
        ({"A": {"B": 1}, "C": ["x"], "D": ""}, []),
    ],
)
def test_a_record_is_looked_for_by_what_it_is_known_by(
    record: dict[str, object], fields: list[str]
) -> None:
    assert [found.field for found in by_fields("contact", record)] == fields


def test_what_the_field_list_calls_an_external_id_comes_first() -> None:
    record = {"Email": "m@example.com", "Alien": "x-1"}
    found = by_fields("contact", record, external_ids=["alien"])
    assert [each.field for each in found] == ["Alien", "Email"]


@pytest.mark.parametrize("name", ["Account.Name", "a b", "x;--", "", "é", "1a"])
def test_a_name_that_soql_cannot_say_makes_no_line(name: str) -> None:
    assert by_key(name, "Email", ["x"])[0].soql == ""
    assert by_key("contact", name, ["x"])[0].soql == ""


@given(st.text(max_size=300))
def test_a_text_never_ends_its_quotes(text: str) -> None:
    written = literal(text)
    assert re.fullmatch(r"'(?:[^'\\\n\r]|\\.)*'", written)
