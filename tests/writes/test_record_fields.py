"""The fields of one record: rows and JSON say the same, and nothing is rounded."""

import json
from typing import Any

import pytest
from django.http import QueryDict
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.texts import quoted
from writes.forms.record_fields import (
    LINE_ENDS,
    MOST_ROWS,
    FieldRow,
    InvalidRecord,
    NotFlat,
    json_from_record,
    names_with_lines,
    number,
    read_rows,
    record_from_json,
    record_from_rows,
    rows_from_record,
)

pytestmark = pytest.mark.pages


def error_of(*rows: FieldRow) -> list[str]:
    """Return the errors that the rows get."""
    record_from_rows(list(rows))
    return [row.error for row in rows]


def test_each_type_has_its_value() -> None:
    rows = [
        FieldRow("LastName", "text", " Berg "),
        FieldRow("Kids__c", "number", " 3 "),
        FieldRow("Active__c", "boolean", "True"),
        FieldRow("Fax", "null"),
        FieldRow("Empty", "text"),
        FieldRow(),
    ]
    assert record_from_rows(rows) == {
        "LastName": " Berg ",
        "Kids__c": 3,
        "Active__c": True,
        "Fax": None,
        "Empty": "",
    }
    assert not any(row.error for row in rows)


NUMBERS: dict[str, float] = {
    "0": 0,
    "-7": -7,
    "123456789012345678901234567890": 123456789012345678901234567890,
    "9007199254740993": 9007199254740993,
    "0.1": 0.1,
    "1.10": 1.1,
    "1e5": 100000.0,
    "1E-3": 0.001,
}


@pytest.mark.parametrize(("text", "value"), NUMBERS.items())
def test_a_number_arrives_as_it_was_typed(text: str, value: float) -> None:
    assert number(text) == value
    assert type(number(text)) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "01",
        "+1",
        ".5",
        "1.",
        "1,234",
        "1 000",
        "٣",
        "0x10",
        "NaN",
        "Infinity",
        "1\n",
    ],
)
def test_what_json_does_not_write_as_a_number_is_refused(text: str) -> None:
    with pytest.raises(InvalidRecord) as caught:
        number(text)
    assert caught.value.code == "number"


@pytest.mark.parametrize(
    "text",
    [
        "0.1234567890123456789",
        "9007199254740993.0",
        "1e400",
        "1e-400",
        "1e99999999999999999999",
        "1e-99999999999999999999",
    ],
)
def test_a_number_that_would_be_rounded_is_refused(text: str) -> None:
    with pytest.raises(InvalidRecord) as caught:
        number(text)
    assert caught.value.code == "not-exact"


def test_a_number_of_thousands_of_digits_is_refused_in_both_views() -> None:
    digits = "9" * 5000
    with pytest.raises(InvalidRecord) as caught:
        record_from_json(f'{{"a": {digits}}}')
    assert caught.value.code == "too-long"
    assert error_of(FieldRow("a", "number", digits)) == [str(caught.value)]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (FieldRow("", "text", "x"), "no field name"),
        (FieldRow("  ", "text", "x"), "no field name"),
        (FieldRow("", "null"), "no field name"),
        (FieldRow("a", "null", "x"), "leave the value empty"),
        (FieldRow("a", "boolean", "yes"), "true or false"),
        (FieldRow("a", "boolean", ""), "true or false"),
        (FieldRow("a", "list", "x"), "not known"),
        (FieldRow("a", "text", "x\0y"), "NUL"),
        (FieldRow("a\0", "text", "x"), "NUL"),
        (FieldRow("a", "text", "\ud800"), "surrogate"),
    ],
)
def test_a_wrong_row_is_told_why(row: FieldRow, words: str) -> None:
    [error] = error_of(row)
    assert words in error


@pytest.mark.parametrize(
    "names", [("a", "a"), ("LastName", "LastName"), ("Name", "NAME"), ("a", " a ")]
)
def test_a_name_typed_twice_is_refused_at_the_second_row(
    names: tuple[str, str],
) -> None:
    first, second = error_of(*(FieldRow(name, "text", "x") for name in names))
    assert first == ""
    assert quoted(second) == [names[1].strip()]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1, column 1"),
        ('{\n  "a": 1,\n  b: 2\n}', "line 3, column 3"),
        ("[]", "JSON object"),
        ("null", "JSON object"),
        ('"text"', "JSON object"),
        ('{"a": NaN}', "NaN"),
        ('{"a": -Infinity}', "-Infinity"),
        ('{"a": 1e400}', "more digits"),
        ('{"a": 1, "a": 2}', "here twice"),
        ('{"LastName": 1, "LASTNAME": 2}', "here twice"),
        ('{"a": {"b": 1, "b": 2}}', "here twice"),
        ('{"": 1}', "no field name"),
        ('{" a": 1}', "leading or trailing spaces"),
        ('{"a": "\\u0000"}', "NUL"),
        ('{"a": "\\ud800"}', "surrogate"),
        ('{"\\ud800": 1}', "surrogate"),
        ('{" \\ud800": 1}', "surrogate"),
        ('{"a": [{"b": ["\\udfff"]}]}', "surrogate"),
        ('{"a": ' + "[" * 500 + "]" * 500 + "}", "too deeply"),
        ('{"a": ' * 100_000, "too deeply"),
    ],
)
def test_json_that_is_no_record_is_told_why(text: str, words: str) -> None:
    with pytest.raises(InvalidRecord, match=words) as caught:
        record_from_json(text)
    str(caught.value).encode()


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert record_from_json('{"a": "\\ud83d\\ude00"}') == {"a": "😀"}


@pytest.mark.parametrize(
    "record",
    [
        {"a": [1]},
        {"a": {"b": 1}},
        {"a": "x\r\ny"},
        {"a": "x\ry"},
        {"a\nb": 1},
        {f"f{index}": 1 for index in range(MOST_ROWS + 1)},
    ],
)
def test_what_rows_cannot_show_stays_json(record: dict[str, Any]) -> None:
    with pytest.raises(NotFlat, match="JSON"):
        rows_from_record(record)


def test_missing_types_and_values_are_read_as_empty_text() -> None:
    post = QueryDict("field_name=a&field_name=b&field_type=null")
    assert read_rows(post) == [FieldRow("a", "null"), FieldRow("b", "text")]


def test_no_row_is_dropped() -> None:
    assert len(read_rows(QueryDict("field_name=a&" * 900))) == 900


def test_line_ends_that_a_browser_sends_are_the_ones_typed() -> None:
    post = QueryDict("field_name=a&field_value=x%0D%0Ay")
    assert record_from_rows(read_rows(post)) == {"a": "x\ny"}


PRINTED = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"))
# Of a value of one line the form leaves out the line end behind it.
LINES = TEXT.filter(lambda text: text == text.rstrip(LINE_ENDS))
SIMPLE = (
    LINES | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False)
).filter(lambda value: value not in (float("inf"), float("-inf")))
RECORDS = st.lists(st.tuples(PRINTED, SIMPLE), unique_by=lambda f: f[0].casefold())


@settings(deadline=None)
@given(RECORDS.map(dict))
def test_rows_and_json_say_the_same_record(record: dict[str, Any]) -> None:
    rows = rows_from_record(record)
    post = QueryDict(mutable=True)
    for row in rows:
        post.appendlist("field_name", row.name)
        post.appendlist("field_type", row.type)
        post.appendlist("field_value", row.value.replace("\n", "\r\n"))
    text = json_from_record(record_from_rows(read_rows(post)))
    assert not any(row.error for row in rows)
    again = record_from_json(text)
    assert json.dumps(again) == json.dumps(record)
    assert list(again) == list(record)


@settings(deadline=None)
@given(st.text())
def test_no_text_makes_reading_json_fail(text: str) -> None:
    try:
        record = record_from_json(text)
    except InvalidRecord:
        return
    json_from_record(record).encode()


class TestLineEnds:
    """One line has none: what a CRM would keep of them nobody would see."""

    @staticmethod
    def typed(value: str, kind: str = "text") -> list[FieldRow]:
        post = QueryDict(mutable=True)
        post.update({"field_name": "A", "field_type": kind, "field_value": value})
        return read_rows(post)

    @pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\r\n\r\n", "\x85", "\u2028"])
    def test_behind_one_line_it_is_left_out_and_told(self, end: str) -> None:
        [row] = self.typed(f"Muster{end}")
        assert (row.value, row.is_cut) == ("Muster", True)
        assert record_from_rows([row]) == {"A": "Muster"}

    def test_alone_it_is_nothing(self) -> None:
        assert record_from_rows(self.typed("\r\n", "null")) == {"A": None}
        [row] = self.typed("\r\n")
        row.name = ""
        assert row.is_blank

    @pytest.mark.parametrize("value", ["Muster", " Muster ", "one\ntwo", "one\ntwo\n"])
    def test_what_has_none_or_several_lines_stays(self, value: str) -> None:
        [row] = self.typed(value.replace("\n", "\r\n"))
        assert (row.value, row.is_cut) == (value, False)

    @pytest.mark.parametrize("value", ["Muster\n", "Muster\u2028", "a\rb", "\n"])
    def test_rows_show_no_record_that_they_would_change(self, value: str) -> None:
        with pytest.raises(NotFlat):
            rows_from_record({"A": value})

    def test_the_fields_that_have_some_are_named(self) -> None:
        record = {"A": "one\ntwo", "B": "one", "C": 1, "D": "x\n"}
        assert names_with_lines(record) == ["A", "D"]
