"""One value: what Salesforce takes, what it refuses, and how that is told."""

from dataclasses import replace
from datetime import date
from itertools import product
from typing import get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from files.field import Field, Type
from files.mending.column_recipes import DateConversion, DateFormat
from files.mending.conversions import converter
from files.values import moments, record_ids
from files.values.rules import kind_of, problem
from sandbox import schema
from sandbox import values as sandbox_values
from tests.texts import numbers, quoted

TIERS = ("Gold", "Silver", "Bronze")
FIELDS = {
    "date": Field(name="d", type="date"),
    "datetime": Field(name="dt", type="datetime"),
    "time": Field(name="t", type="time"),
    "int": Field(name="i", type="int", digits=9),
    "double": Field(name="f", type="double"),
    "currency": Field(name="c", type="currency", digits=4, scale=2),
    "percent": Field(name="p", type="percent", digits=3, scale=0),
    "boolean": Field(name="b", type="boolean"),
    "tier": Field(name="p", type="picklist", is_restricted=True, values=TIERS),
    "free": Field(name="p", type="picklist", length=10, values=TIERS),
    "tiers": Field(name="m", type="multipicklist", is_restricted=True, values=TIERS),
    "string": Field(name="s", type="string", length=10),
    "long": Field(name="l", type="textarea"),
    "phone": Field(name="p", type="phone", length=10),
    "email": Field(name="e", type="email", length=20),
    "id": Field(name="Id", type="id"),
    "reference": Field(name="AccountId", type="reference"),
    "key": Field(name="k", type="double", is_external_id=True),
    "other": Field(name="o", type="other"),
}

RIGHT = {
    "date": ["2024-12-31", "2024-02-29", "1700-01-01", "4000-12-31"],
    "datetime": [
        "2024-12-31T10:00:00Z",
        "2024-12-31T10:00:00.000Z",
        "2024-12-31T10:00:00.5+05:30",
        "2024-12-31T10:00:00-0800",
        "2024-02-29T23:59:59+14:00",
    ],
    "time": ["10:00:00.000Z", "23:59:59Z"],
    "int": ["0", "12", "-5", "+7", "000000000012", "999999999"],
    "double": ["1", "1.5", "-.5", "1.", "1e5", "1.2E+17", "9" * 400],
    "currency": ["1234.56", "0001234.5600", "-9999", ".5"],
    "percent": ["100", "12.000"],
    "boolean": ["true", "FALSE", "1", "0", "True"],
    "tier": ["Gold", "Bronze"],
    "free": ["anything"],
    "tiers": ["Gold", "Gold;Silver", "Gold;", "Gold;;Bronze"],
    "string": ["0123456789", "ééééééééé", "{}", "#N/B"],
    "long": ["x" * 200_000],
    "phone": ["+49 30 123"],
    "email": ["a@b.c", "o'neil+x@sub.co.uk"],
    "id": ["001ak00000OQTie", "001ak00000OQTieAAH", "a0D30000001n7PiEAI"],
    "reference": ["001xx000003DGbYAAW"],
    "key": ["12"],
    "other": ["x"],
}

# Field, value, level, rule, and what the message says.
WRONG = [
    ("date", "12/31/2024", "blocks", "date", "US order (month/day/year)"),
    ("date", "12/31/2024", "blocks", "date", "accepts 2024-12-31"),
    ("date", "12/31/2024", "blocks", "date", "Convert it under Columns."),
    ("date", "31/12/2024", "blocks", "date", "European order (day/month/year)"),
    ("date", "31.12.2024", "blocks", "date", "European order (day/month/year)"),
    ("date", "1.2.2024", "blocks", "date", "accepts 2024-02-01"),
    ("date", "03/04/2024", "blocks", "date", "2024-03-04 in US order"),
    ("date", "03/04/2024", "blocks", "date", "2024-04-03 in European order"),
    ("date", "3/3/2024", "blocks", "date", "US or European order"),
    ("date", "12-31-2024", "blocks", "date", "Convert it under Columns"),
    ("date", "2024/12/31", "blocks", "date", "accepts 2024-12-31"),
    ("date", "2024-1-5", "blocks", "date", "accepts 2024-01-05"),
    ("date", "20241231", "blocks", "date", "without hyphens"),
    ("date", "45292", "blocks", "date", "as Excel counts days"),
    ("date", "45292", "blocks", "date", "accepts 2024-01-01"),
    ("date", "31.12.24", "blocks", "date", "two-digit year"),
    ("date", "2024-02-30", "blocks", "date", "not a day in the calendar"),
    ("date", "2023-02-29", "blocks", "date", "not a day in the calendar"),
    ("date", "31/31/2024", "blocks", "date", "not a day in the calendar"),
    ("date", "1699-12-31", "blocks", "date", "1700 to 4000"),
    ("date", "4001-01-01", "blocks", "date", "1700 to 4000"),
    ("date", "2024-12-31 00:00:00", "blocks", "date", "accepts 2024-12-31"),
    ("date", "2024-12-31T10:00:00Z", "warns", "date", "shift the day"),
    ("date", "2024-12-31Z", "warns", "date", "with a zone"),
    ("date", "2024-12-31T99:00:00Z", "blocks", "date", "impossible time"),
    ("date", "2024", "blocks", "date", "not a date"),
    ("date", "soon", "blocks", "date", "year-month-day"),
    ("date", " 2024-12-31", "blocks", "date", "not a date"),
    ("date", "2024-12-31\n", "blocks", "date", "not a date"),
    ("date", "٢٠٢٤-١٢-٣١", "blocks", "date", "not a date"),
    ("datetime", "2024-12-31 10:00:00", "blocks", "date-time", "accepts a T"),
    ("datetime", "2024-12-31 10:00", "blocks", "date-time", "2024-12-31T10:00:00"),
    ("datetime", "2024-12-31T10:00:00", "warns", "date-time", "no time zone"),
    ("datetime", "2024-12-31", "warns", "date-time", "without a time"),
    ("datetime", "2024-12-31T10:00Z", "blocks", "date-time", "seconds"),
    ("datetime", "2024-12-31T10:00:00.1234Z", "warns", "date-time", "three digits"),
    ("datetime", "2024-12-31t10:00:00z", "warns", "date-time", "lower-case t or z"),
    ("datetime", "2024-12-31T10:00:00+15:00", "blocks", "date-time", "14 hours"),
    ("datetime", "2024-12-31T24:00:00Z", "blocks", "date-time", "impossible time"),
    (
        "datetime",
        "2024-02-30T10:00:00Z",
        "blocks",
        "date-time",
        "not a day in the calendar",
    ),
    ("datetime", "4000-12-31T23:00:00-05:00", "blocks", "date-time", "1700 to 4000"),
    ("datetime", "0001-01-01T00:00:00+05:00", "blocks", "date-time", "1700 to 4000"),
    ("datetime", "12/31/2024 10:00 PM", "blocks", "date-time", "2024-12-31T22:00:00"),
    ("datetime", "12/31/2024 12:00 AM", "blocks", "date-time", "2024-12-31T00:00:00"),
    ("datetime", "12/31/2024 13:00 PM", "blocks", "date-time", "impossible time"),
    ("datetime", "31.12.2024 10:00", "blocks", "date-time", "European order"),
    ("datetime", "45292.5", "blocks", "date-time", "2024-01-01T12:00:00"),
    ("datetime", "tomorrow", "blocks", "date-time", "not a date and time"),
    ("time", "10:00:00", "warns", "time", "without a time zone"),
    ("time", "10:00", "blocks", "time", "10:00:00.000Z"),
    ("time", "25:00:00Z", "blocks", "time", "10:00:00.000Z"),
    ("int", "12.0", "blocks", "number", "whole number"),
    ("int", "1E3", "blocks", "number", "exponent"),
    ("int", "1,234", "blocks", "number", "thousands separators"),
    ("int", "2999999999", "blocks", "number-range", "2,147,483,647"),
    ("int", "1" * 5_000, "blocks", "number-range", "2,147,483,647"),
    ("int", "1234567890", "blocks", "number-range", "accepts 9"),
    ("double", "1,234.56", "blocks", "number", "thousands separators"),
    ("double", "1.234.567,89", "blocks", "number", "thousands separators"),
    ("double", "1 234", "blocks", "number", "thousands separators"),
    ("double", "12,5", "blocks", "number", "accepts a point: 12.5"),
    ("double", "$12", "blocks", "number", "currency"),
    ("double", "12 EUR", "blocks", "number", "currency"),
    ("double", "abc", "blocks", "number", "is not a number"),
    ("double", "NaN", "blocks", "number", "is not a number"),
    ("double", "1٢", "blocks", "number", "is not a number"),
    ("currency", "1E3", "warns", "number", "exponent"),
    ("currency", "1E30", "blocks", "number-range", "4 digits"),
    ("currency", "12345", "blocks", "number-range", "5 digits"),
    ("currency", "1.234", "warns", "number-range", "rounds"),
    ("percent", "12%", "blocks", "number", "percent sign"),
    ("boolean", "yes", "blocks", "boolean", "true, false, 1 or 0"),
    ("boolean", "2", "blocks", "boolean", "true, false, 1 or 0"),
    ("tier", "Tin", "blocks", "picklist", "“Gold”, “Silver” and “Bronze”"),
    ("tier", "gold ", "warns", "picklist", "“Gold” by case or spaces"),
    ("free", "0123456789A", "blocks", "too-long", "11 characters"),
    ("tiers", "Gold;Tin", "blocks", "picklist", "“Tin”"),
    ("tiers", "gold;Tin", "blocks", "picklist", "“Tin”"),
    ("tiers", "Gold;silver", "warns", "picklist", "“Silver”"),
    ("string", "01234567890", "blocks", "too-long", "11 characters"),
    ("string", "é" * 11, "blocks", "too-long", "this field accepts 10"),
    ("string", "1.2E+17", "warns", "scientific", "Excel shortened"),
    ("string", "1,2E+17", "warns", "scientific", "Excel shortened"),
    ("phone", "+49 30 123 456", "blocks", "too-long", "14 characters"),
    ("email", "a@b", "blocks", "email", "not an e-mail"),
    ("email", "a b@c.de", "blocks", "email", "not an e-mail"),
    ("email", "a@b.de,c@d.de", "blocks", "email", "not an e-mail"),
    ("email", "a@b.de.", "blocks", "email", "not an e-mail"),
    ("email", "a" * 20 + "@b.de", "blocks", "too-long", "25 characters"),
    ("id", "003xx000001", "warns", "id", "11 characters"),
    ("id", "003Dp0X#@RG7IAP", "warns", "id", "“#”"),
    ("id", "1.2E+17", "warns", "scientific", "Excel shortened"),
    ("id", "001ak00000oqtieaah", "blocks", "altered-id", "001ak00000OQTieAAH"),
    ("id", "001AK00000OQTIEAAH", "blocks", "altered-id", "001ak00000OQTieAAH"),
    ("id", "001ak00000OQTieAA9", "blocks", "altered-id", "from the source again"),
    ("reference", "x", "warns", "id", "1 character;"),
    ("key", "1.2E+17", "warns", "scientific", "Excel shortened"),
]


@pytest.mark.parametrize(
    ("field", "text"), [(field, text) for field in RIGHT for text in RIGHT[field]]
)
def test_nothing_is_said_of_a_right_value(field: str, text: str) -> None:
    assert problem(FIELDS[field], text) is None


@pytest.mark.parametrize(("field", "text", "level", "rule", "says"), WRONG)
def test_a_wrong_value_is_named_as_what_it_is(
    field: str, text: str, level: str, rule: str, says: str
) -> None:
    found = problem(FIELDS[field], text)
    assert found is not None
    assert (found.level, found.rule) == (level, rule)
    assert says in found.message


@pytest.mark.parametrize(("field", "text"), [case[:2] for case in WRONG])
def test_a_guessed_field_only_warns(field: str, text: str) -> None:
    found = problem(replace(FIELDS[field], is_inferred=True), text)
    assert found is not None
    assert found.level == "warns"


def test_near_values_of_a_long_picklist_come_first() -> None:
    planets = ("Mercury", "Venus", "Earth", "Mars", "Jupiter", "Saturn")
    field = Field(name="p", type="picklist", is_restricted=True, values=planets)
    near, none_near = problem(field, "marble"), problem(field, "Pluto")
    assert near is not None
    assert none_near is not None
    assert (numbers(near.message), quoted(near.message)) == ([6], ["marble", "Mars"])
    assert quoted(none_near.message)[:5] == ["Pluto", *planets[:4]]
    assert "Saturn" not in none_near.message


def test_a_message_is_short_and_can_be_stored() -> None:
    found = problem(FIELDS["string"], "a\udcff\0\x1b" * 10_000)
    assert found is not None
    assert len(found.message) < 300
    assert found.message.isprintable()
    assert found.message.encode()


HOSTILE = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="0123456789-/.:TZ+ ,eE", max_size=30),
    st.dates().map(str),
    st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
    st.datetimes().map(lambda moment: f"{moment:%m/%d/%Y %H:%M}"),
    st.floats().map(str),
    st.integers().map(str),
    st.text(alphabet="abXYZ019", min_size=15, max_size=18),
)


@given(text=HOSTILE, name=st.sampled_from(sorted(FIELDS)))
@settings(max_examples=400, deadline=None)
def test_no_value_is_too_strange(text: str, name: str) -> None:
    found = problem(FIELDS[name], text)
    assert found is None or found.message.isprintable()
    assert kind_of(text)


@given(
    text=HOSTILE,
    type_=st.sampled_from(["date", "datetime", "double", "int", "boolean"]),
)
@example(text="0E00000", type_="double")
@example(text="1e-12345", type_="double")
@example(text="1E12345", type_="double")
@settings(max_examples=600, deadline=None)
def test_what_the_sandbox_refuses_is_told_and_what_it_takes_never_blocks(
    text: str, type_: Type
) -> None:
    theirs = schema.Field(name="X", type=type_, length=300)
    found = problem(Field(name="X", type=type_), text)
    try:
        sandbox_values.from_cell(theirs, text, 0)
    except sandbox_values.RowError:
        assert found is not None
    else:
        assert found is None or found.level == "warns"


@given(day=st.dates(date(1700, 1, 1), date(4000, 12, 31)))
@settings(max_examples=100, deadline=None)
def test_every_day_is_read_from_every_order(day: date) -> None:
    for form in ("%Y-%m-%d", "%d.%m.%Y", "%Y%m%d", "%Y/%m/%d"):
        text = day.strftime(form)
        moment = moments.read(text)
        assert moment is not None
        assert moment.day == day
    either = moments.read(f"{day.month}/{day.day}/{day.year}")
    assert either is not None
    assert day in (either.day, either.other)


def is_converted(text: str, into: str) -> bool:
    """Whether a conversion that the console offers takes the text."""
    return any(
        converter(DateConversion(into=into, format=form, zone="UTC"))(text)[1]
        == "converted"
        for form in get_args(DateFormat)
    )


DAYS = ["2024-12-31", "12/31/2024", "31.12.2024", "31/12/2024", "3/4/2024", "3/3/2024"]
DAYS += ["31-12-2024", "2024.12.31", "2024-1-5", "12/31/24", "31.12.24", "3-4-24"]
DAYS += ["31-Dec-24", "Dec 31, 2024", "5 January 2024", "2024-Dec-31", "5. Mai 2024"]
DAYS += ["12-31-2024", "12.31.2024", "2024/12/31", "20241231", "45292", "45292.25"]
TIMES = [
    "",
    " 10:00",
    " 00:00:00",
    "T10:00:00",
    "T00:00:00",
    " 10:00:00.1234",
    "  9:00",
]
TIMES += [
    " 9:00 PM",
    "t10:00:00",
    ", 9:00 a.m.",
    " 10:00:00.123456",
    " 9:00:00.1234567",
]


ZONES = ["", "Z", "+01:00", " UTC", "+0100", "+00"]


@pytest.mark.parametrize("type_", ["date", "datetime"])
def test_a_conversion_is_advised_where_there_is_one_and_only_there(type_: Type) -> None:
    for text in map("".join, product(DAYS, TIMES, ZONES)):
        found = problem(Field(name="d", type=type_), text)
        if found and "Convert it under Columns" in found.message:
            assert is_converted(text, type_), text
        if found and "Correct it in the file" in found.message:
            assert not is_converted(text, type_), text
        moment = moments.read(text)
        if moment is None:  # Excel's days have no time and no zone behind them
            continue
        is_midnight = not (moment.clock or "").strip("0:.")
        if found and (type_ == "datetime" or is_midnight):
            assert is_converted(text, type_), text


@given(
    short=st.text(
        alphabet="abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
        min_size=15,
        max_size=15,
    )
)
@settings(max_examples=200, deadline=None)
def test_an_id_whose_case_was_lost_is_restored_from_its_suffix(short: str) -> None:
    whole = record_ids.normal(short)
    assert whole is not None
    assert record_ids.normal(whole) == whole
    assert record_ids.repaired(whole.lower()) == whole
    assert record_ids.repaired(whole.upper()) == whole


@pytest.mark.parametrize(
    ("short", "suffix"),
    [
        ("001ak00000OQTie", "AAH"),
        ("a0D30000001n7Pi", "EAI"),
        ("001xx000003DGbY", "AAW"),
    ],
)
def test_the_suffix_of_real_ids(short: str, suffix: str) -> None:
    assert record_ids.suffix(short) == suffix


@pytest.mark.parametrize("text", ["", "001", "001ak00000OQTi#", "é" * 15, "a" * 17])
def test_what_is_no_id(text: str) -> None:
    assert record_ids.normal(text) is None
    assert record_ids.repaired(text) is None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("12/31/2024", "date"),
        ("2024-12-31", "date"),
        ("2024-02-30", "date"),
        ("2024-12-31T10:00:00Z", "datetime"),
        ("31.12.2024 10:00", "datetime"),
        ("10:00:00Z", "time"),
        ("45292", "number"),
        ("1,234.56", "number"),
        ("12 €", "number"),
        ("1.2E+17", "shortened"),
        ("007", "text"),
        ("+49301234", "text"),
        ("12345678901234567", "text"),
        ("true", "boolean"),
        ("yes", "text"),
        ("a@b", "email"),
        ("001ak00000OQTie", "id"),
        ("internationally", "text"),
        ("words", "text"),
        ("", "text"),
    ],
)
def test_what_a_value_looks_like(text: str, kind: str) -> None:
    assert kind_of(text) == kind
