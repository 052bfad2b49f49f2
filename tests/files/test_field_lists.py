"""Field lists: read from a describe or from lines, kept, and asked for a column."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from files.field import Field
from files.fields.field_lists import (
    FieldIndex,
    InvalidFields,
    as_json,
    as_lines,
    from_describe,
    from_json,
    from_lines,
)
from tests.texts import numbers, quoted

LINES = """\
# The fields of a deal
Name
CloseDate "Close date": date required

Amount: currency(16,2)
Count__c: int(8)
Code__c: string(80) external
tier__c: picklist restricted = Gold | Silver | Bronze
AccountId: reference:Account
WhoId: reference:Contact,Lead
Mother__c: reference:Contact
Boss__c: reference:Contact via Boss_Of__r
Formula__c: double(16,2) readonly
Once__c: string createonly
"""
FIELDS = [
    Field(name="Name"),
    Field(name="CloseDate", label="Close date", type="date", is_required=True),
    Field(name="Amount", type="currency", digits=16, scale=2),
    Field(name="Count__c", type="int", digits=8),
    Field(name="Code__c", length=80, is_external_id=True),
    Field(
        name="tier__c",
        type="picklist",
        is_restricted=True,
        values=("Gold", "Silver", "Bronze"),
    ),
    Field(
        name="AccountId",
        type="reference",
        relationship="Account",
        references=("Account",),
    ),
    Field(
        name="WhoId",
        type="reference",
        relationship="Who",
        references=("Contact", "Lead"),
    ),
    Field(
        name="Mother__c",
        type="reference",
        relationship="Mother__r",
        references=("Contact",),
    ),
    Field(
        name="Boss__c",
        type="reference",
        relationship="Boss_Of__r",
        references=("Contact",),
    ),
    Field(
        name="Formula__c",
        type="double",
        digits=16,
        scale=2,
        is_creatable=False,
        is_updateable=False,
    ),
    Field(name="Once__c", is_updateable=False),
]


def described(**changes: Any) -> dict[str, Any]:
    """Return a field as Salesforce describes it."""
    return {
        "name": "X__c",
        "label": "X",
        "type": "string",
        "length": 80,
        "precision": 0,
        "scale": 0,
        "digits": 0,
        "nillable": True,
        "defaultedOnCreate": False,
        "createable": True,
        "updateable": True,
        "externalId": False,
        "restrictedPicklist": False,
        "picklistValues": [],
        "relationshipName": None,
        "referenceTo": [],
        "soapType": "xsd:string",
        **changes,
    }


def describe(*fields: dict[str, Any]) -> str:
    """Return the describe of an object with these fields."""
    return json.dumps({"name": "Account", "fields": fields})


def read(**changes: Any) -> Field:
    """Return the one field of a describe."""
    [field] = from_describe(describe(described(**changes)))
    return field


def test_a_described_text() -> None:
    assert read() == Field(name="X__c", label="X", length=80)


def test_digits_before_the_point_are_precision_less_scale() -> None:
    field = read(type="currency", precision=18, scale=2, length=0)
    assert (field.type, field.digits, field.scale, field.length) == (
        "currency",
        16,
        2,
        0,
    )
    field = read(type="int", digits=9, precision=0)
    assert (field.type, field.digits, field.scale) == ("int", 9, 0)


@pytest.mark.parametrize(
    ("changes", "required"),
    [
        ({"nillable": False}, True),
        ({"nillable": False, "defaultedOnCreate": True}, False),
        ({"nillable": False, "createable": False}, False),
        ({}, False),
    ],
)
def test_what_is_required(changes: dict[str, Any], required: bool) -> None:
    assert read(**changes).is_required is required


def test_only_active_values_of_a_picklist_are_allowed() -> None:
    values = [{"value": "a", "active": True}, {"value": "b", "active": False}]
    field = read(type="picklist", restrictedPicklist=True, picklistValues=values)
    assert field.is_restricted
    assert field.values == ("a",)


def test_a_described_reference() -> None:
    field = read(
        name="WhoId",
        type="reference",
        length=18,
        relationshipName="Who",
        referenceTo=["Contact", "Lead"],
    )
    assert (field.relationship, field.references) == ("Who", ("Contact", "Lead"))
    assert field.length == 0


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("encryptedstring", "string"), ("combobox", "string"), ("address", "other")],
)
def test_types_that_the_console_does_not_know(theirs: str, ours: str) -> None:
    assert read(type=theirs).type == ours


def test_read_only_fields_are_kept() -> None:
    assert read(createable=False, updateable=False).is_read_only


@pytest.mark.parametrize("wrap", [lambda text: f'{{"status": 0, "result": {text}}}'])
def test_what_the_salesforce_cli_prints_is_taken(wrap: Any) -> None:
    assert from_describe("\ufeff" + wrap(describe(described())))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "Line 1: this is not JSON"),
        ('{\n"fields": [\n}', "Line 3: this is not JSON"),
        ("[]", "no list “fields”"),
        ('{"fields": []}', "no list “fields”"),
        ('{"fields": [{}]}', "Field 1 of this describe has no name"),
        ('{"fields": [1]}', "Field 1 of this describe has no name"),
        ("[" * 100_000, "not a describe"),
        ("1" * 5_000, "not a describe"),
        (describe(described(length="80")), "Field 1: “length”"),
        (describe(described(length=-1)), "Field 1: “length”"),
        (describe(described(type=7)), "Field 1: “type”"),
        (describe(described(name="a:b")), "Field 1: “name”"),
        (describe(described(nillable="no")), "Field 1: “nillable”"),
        (describe(described(type="picklist", picklistValues=[1])), "“picklistValues”"),
        (describe(described(label="\0")), "cannot be stored"),
        (describe(described(label="\ud800")), "cannot be stored"),
        (describe(described(), described(name="x__C")), "more than once"),
    ],
)
def test_what_is_no_describe_is_told(text: str, says: str) -> None:
    with pytest.raises(InvalidFields, match=says):
        from_describe(text)


def test_lines_are_read() -> None:
    assert from_lines(LINES) == FIELDS


def test_lines_of_the_sandbox_are_read() -> None:
    file = Path(__file__).parents[2] / "sandbox" / "fields.yaml"
    for name, declared in yaml.safe_load(file.read_text()).items():
        lines = declared if name == "_system" else declared["fields"]
        fields = from_lines("\n".join(f"{key}: {text}" for key, text in lines.items()))
        assert [field.name for field in fields] == list(lines)


def test_every_line_that_cannot_be_read_is_told_with_its_number() -> None:
    text = (
        "Name\n\nA: strnig\nB: string(x)\nC: string mandatory\nname: date\n"
        "D: date(8)\nE: string(8,2)\nF: string:Account\nG: string = a | b\n: date\n"
    )
    with pytest.raises(InvalidFields) as told:
        from_lines(text)
    lines = [numbers(problem)[0] for problem in told.value.problems]
    assert lines == [3, 4, 5, 7, 8, 9, 10, 11, 6]
    assert quoted(told.value.problems[0]) == ["strnig"]


NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,8}", fullmatch=True)
TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12
)


@st.composite
def any_field(draw: st.DrawFn) -> Field:
    """Return a field that a describe may declare."""
    type_ = draw(st.sampled_from(["string", "double", "int", "picklist", "reference"]))
    flags = {
        "nillable": draw(st.booleans()),
        "createable": draw(st.booleans()),
        "updateable": draw(st.booleans()),
        "externalId": draw(st.booleans()),
        "restrictedPicklist": draw(st.booleans()),
    }
    size = draw(st.integers(0, 99))
    return read(
        name=draw(NAMES),
        label=draw(TEXTS),
        type=type_,
        length=size,
        digits=size,
        precision=size,
        scale=draw(st.integers(0, size)),
        picklistValues=[
            {"value": value, "active": True} for value in draw(st.lists(TEXTS))
        ],
        relationshipName=draw(st.none() | NAMES),
        referenceTo=draw(st.lists(NAMES, max_size=2)),
        **flags,
    )


@given(fields=st.lists(any_field(), max_size=4, unique_by=lambda f: f.name.lower()))
@settings(max_examples=200, deadline=None)
def test_nothing_is_lost_between_lines_json_and_fields(fields: list[Field]) -> None:
    assert from_lines(as_lines(fields)) == fields
    assert from_json(json.loads(json.dumps(as_json(fields)))) == fields


@given(text=st.text(st.sampled_from(' \n:"=|\\(,)#ab\tvia-'), max_size=40) | st.text())
@settings(max_examples=300, deadline=None)
def test_no_text_is_too_strange(text: str) -> None:
    for read_text in (from_lines, from_describe):
        try:
            fields = read_text(text)
        except InvalidFields:
            continue
        assert from_lines(as_lines(fields)) == fields


def test_json_leaves_out_what_is_as_by_default() -> None:
    assert as_json([Field(name="a")]) == [{"name": "a"}]
    assert as_json([Field(name="a", values=("x",))]) == [{"name": "a", "values": ["x"]}]


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        [1],
        [{}],
        [{"name": 1}],
        [{"name": "a", "length": "8"}],
        [{"name": "a", "length": True}],
        [{"name": "a", "values": [1]}],
        [{"name": "a", "other": 1}],
    ],
)
def test_json_of_another_kind_is_refused(value: Any) -> None:
    with pytest.raises(InvalidFields):
        from_json(value)


@pytest.mark.parametrize(
    ("column", "name", "foreign"),
    [
        ("Name", "Name", ""),
        ("closedate", "CloseDate", ""),
        ("Account.external_id__c", "AccountId", "external_id__c"),
        ("ACCOUNT.Name", "AccountId", "Name"),
        ("Mother__r.X__c", "Mother__c", "X__c"),
        ("Boss_Of__r.Email", "Boss__c", "Email"),
        ("Who.Email", "WhoId", "Email"),
        ("Lead:Who.Email", "WhoId", "Email"),
    ],
)
def test_a_column_is_found(column: str, name: str, foreign: str) -> None:
    match = FieldIndex(FIELDS).find(column)
    assert match.field is not None
    assert (match.field.name, match.foreign) == (name, foreign)
    assert match.is_relationship is bool(foreign)


@pytest.mark.parametrize(
    ("column", "suggestions"),
    [
        ("Close Date", ("CloseDate",)),
        ("close_date", ("CloseDate",)),
        ("Tier", ("tier__c",)),
        ("Amont", ("Amount",)),
        ("Nam", ("Name",)),
        ("Formula", ()),
        ("Zebra", ()),
        ("", ()),
        ("User:Who.Email", ()),
        ("Account.Owner.Email", ()),
        ("Boss__r.Email", ()),
        ("Account.", ("AccountId",)),
    ],
)
def test_a_column_that_is_no_field_gets_near_names(
    column: str, suggestions: tuple[str, ...]
) -> None:
    match = FieldIndex(FIELDS).find(column)
    assert match.field is None
    assert match.suggestions[:1] == suggestions


def test_labels_are_near_names() -> None:
    fields = [Field(name="a1__c", label="Order number"), Field(name="b1__c")]
    assert FieldIndex(fields).find("order number").suggestions == ("a1__c",)


def test_every_object_has_an_id() -> None:
    match = FieldIndex([Field(name="Name")]).find("ID")
    assert match.field == Field(name="Id", type="id")
