"""Guessing a column's field: only what nine of ten values say, and only to warn."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from files.fields.inference import infer
from files.values.rules import problem

GUESSED = [
    ("Start", ["2024-12-31", "2025-01-01"], "date"),
    ("Start", ["12/31/2024", "01/02/2025"], "date"),
    ("Start", ["31.12.2024"] * 9 + ["soon"], "date"),
    ("Start", ["2024-12-31T10:00:00Z"] * 2, "datetime"),
    ("Start", ["2024-12-31 10:00:00"] * 8 + ["2024-12-31"] * 2, "datetime"),
    ("Start", ["2024-12-31"] * 8 + ["2024-12-31T10:00:00Z"] * 2, "date"),
    ("Amount", ["1", "2.5", "-3"], "double"),
    ("Amount", ["1,234.50", "12"], "double"),
    ("Amount", ["1.5", "1.2E+17"], "double"),
    ("Customer No", ["1.23457E+15", "4711"], "string"),
    ("Active", ["true", "FALSE"], "boolean"),
    ("Mail", ["a@b.de", "c@d.org"], "email"),
    ("AccountId", ["001ak00000OQTieAAH"] * 2, "id"),
    ("Id", ["001ak00000OQTie", "001AK00000OQTIEAAH"], "id"),
]
TEXT = [
    ("Start", ["2024-12-31"]),
    ("Start", []),
    ("Start", ["2024-12-31"] * 8 + ["soon"] * 2),
    ("Zip", ["10115", "01067", "80331"]),
    ("Phone", ["+4930123", "+4989456"]),
    ("Phone", ["030123", "089456"]),
    ("Card", ["4111111111111111", "5500000000000004"]),
    ("Answer", ["yes", "no"]),
    ("Code", ["001ak00000OQTieAAH"] * 2),
    ("AccountId", ["4711", "4712"]),
    ("AccountId", ["internationally"] * 2),
    ("Name", ["Smith", "Jones"]),
]


@pytest.mark.parametrize(("name", "values", "type_"), GUESSED)
def test_a_column_is_what_nine_of_ten_values_are(
    name: str, values: list[str], type_: str
) -> None:
    field = infer(name, values)
    assert field is not None
    assert (field.name, field.type, field.is_inferred) == (name, type_, True)


@pytest.mark.parametrize(("name", "values"), TEXT)
def test_every_other_column_is_text(name: str, values: list[str]) -> None:
    assert infer(name, values) is None


def test_only_the_first_thousand_values_count() -> None:
    field = infer("Start", ["2024-12-31"] * 1_000 + ["soon"] * 1_000)
    assert field is not None
    assert field.type == "date"


def test_a_value_unlike_its_column_warns() -> None:
    field = infer("Start", ["2024-12-31"] * 9)
    assert field is not None
    found = problem(field, "12/31/2024")
    assert found is not None
    assert found.level == "warns"


@given(name=st.text(max_size=10), values=st.lists(st.text(max_size=20), max_size=20))
@settings(max_examples=200, deadline=None)
def test_no_column_is_too_strange(name: str, values: list[str]) -> None:
    assert infer(name, values) == infer(name, values)
