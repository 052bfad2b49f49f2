"""Row-level rules: the row fails, the others are written."""

import json

import pytest

from tests.sandbox.support import Console

LIST = "custom_id__c,start_date__c,daily_budget_amount__c,impressions__c,is_active__c"


@pytest.mark.parametrize(
    ("name", "header", "cells", "error"),
    [
        (
            "contact",
            "external_id__c,LastName",
            "bad,",
            "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]"
            ":LastName --",
        ),
        (
            "lead",
            "external_id__c,LastName,Company",
            "bad,#N/A,",
            "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName, Company]"
            ":LastName,Company --",
        ),
        *(
            (
                "tactics__c",
                LIST,
                cells,
                f"INVALID_FIELD:Failed to deserialize field at col {column}. Due to,"
                f" '{value}' is not a valid value for the type xsd:{kind}:{field} --",
            )
            for cells, column, value, kind, field in [
                ("bad,2023-01-01,,,", 1, "2023-01-01", "dateTime", "start_date__c"),
                (
                    "bad,2023-01-01 10:00:00,,,",
                    1,
                    "2023-01-01 10:00:00",
                    "dateTime",
                    "start_date__c",
                ),
                ('bad,,"1,5",,', 2, "1,5", "double", "daily_budget_amount__c"),
                ("bad,,,1.5,", 3, "1.5", "int", "impressions__c"),
                ("bad,,,,yes", 4, "yes", "boolean", "is_active__c"),
            ]
        ),
        (
            "contact",
            "external_id__c,LastName,AccountId",
            "bad,a,nope",
            "MALFORMED_ID:Account ID: id value of incorrect type: nope:AccountId --",
        ),
        (
            "contact",
            "external_id__c,LastName,AccountId",
            "bad,a,001xx000003DGbY",
            "INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--",
        ),
        (
            "contact",
            "external_id__c,LastName,Account.ORACLE_ID__c",
            "bad,a,none",
            "INVALID_FIELD:Foreign key external ID: none not found for field"
            " ORACLE_ID__c in entity Account:--",
        ),
        (
            "contact",
            "external_id__c,LastName,level__c",
            "bad,a,Best",
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST:level: bad value for restricted"
            " picklist field: Best:level__c --",
        ),
        (
            "contact",
            "external_id__c,LastName,Email",
            "bad,a,b@",
            "INVALID_EMAIL_ADDRESS:Email: invalid email address: b@:Email --",
        ),
        (
            "contact",
            "external_id__c,LastName,FirstName",
            f"bad,a,{'x' * 41}",
            f"STRING_TOO_LONG:FirstName: data value too large: {'x' * 41}"
            " (max length=40):FirstName --",
        ),
        (
            "contact",
            "external_id__c,LastName,Id",
            "bad,a,003xx000003DGbYAAW",
            "INVALID_FIELD_FOR_INSERT_UPDATE:cannot specify Id in an insert call:Id --",
        ),
    ],
)
def test_a_bad_row_does_not_hold_up_a_good_one(
    name: str, header: str, cells: str, error: str
) -> None:
    good = {"lead": "good,b,c", "tactics__c": "good,,,,"}.get(name, "good,b,")
    good = good.rstrip(",") if header.count(",") == 1 else good
    console = Console()
    finished = console.finish(
        name, header.split(",")[0], f"{header}\n{cells}\n{good}\n"
    )
    assert finished.failures == {error: ["bad"]}
    assert finished.result == "Batch write completed (1 succeeded, 1 failed)"
    assert len(console.records(name)) == 1


def test_blank_leaves_a_field_alone_and_na_empties_it() -> None:
    console = Console()
    head = "custom_id__c,Name,objective_type__c"
    console.finish("tactics__c", "custom_id__c", f"{head}\n1,One,A\n")
    console.finish("tactics__c", "custom_id__c", f"{head}\n1,,#N/A\n")
    (record,) = console.records("tactics__c")
    assert (record["Name"], record["objective_type__c"]) == ("One", None)


def test_external_ids_match_in_any_case() -> None:
    console = Console()
    console.finish("tactics__c", "custom_id__c", "custom_id__c,Name\nab,One\n")
    console.finish("tactics__c", "custom_id__c", "custom_id__c,Name\nAB,Two\n")
    (record,) = console.records("tactics__c")
    assert record["Name"] == "Two"


def test_a_key_twice_in_one_chunk_fails_both_rows() -> None:
    csv = "custom_id__c,Name\na,1\nb,2\na,3\n"
    finished = Console().finish("tactics__c", "custom_id__c", csv)
    assert finished.failures == {
        "DUPLICATE_VALUE:Duplicate external id specified: a:custom_id__c --": ["a", "a"]
    }


def test_a_key_twice_in_two_chunks_lets_the_later_row_win() -> None:
    between = "".join(f"k{number},x\n" for number in range(199))
    csv = f"custom_id__c,Name\na,first\n{between}a,second\n"
    console = Console()
    finished = console.finish("tactics__c", "custom_id__c", csv)
    assert finished.result == "Batch write completed (201 succeeded, 0 failed)"
    assert console.records("tactics__c")[0]["Name"] == "second"


def test_upsert_by_id_creates_for_a_blank_updates_and_refuses() -> None:
    console = Console()
    known = console.create("contact", LastName="a").json()["result"]["recordId"]
    lower = known.lower()
    csv = f"Id,LastName\n{known},b\n,c\n003xx000003DGbYAAW,d\n{lower},e\n"
    finished = console.finish("contact", "id", csv)
    assert finished.failures == {
        "INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--": [
            "003xx000003DGbYAAW"
        ],
        f"MALFORMED_ID:Contact ID: id value of incorrect type: {lower}:Id --": [lower],
    }
    assert [each["LastName"] for each in console.records("contact")] == ["b", "c"]


def test_the_same_record_by_15_and_18_characters_is_a_duplicate() -> None:
    console = Console()
    known = console.create("contact", LastName="a").json()["result"]["recordId"]
    csv = f"Id,LastName\n{known},b\n{known[:15]},c\n"
    finished = console.finish("contact", "Id", csv)
    assert list(finished.failures) == [
        f"DUPLICATE_VALUE:Duplicate id specified: {known}:--",
        f"DUPLICATE_VALUE:Duplicate id specified: {known[:15]}:--",
    ]


def test_several_records_with_the_key_are_refused() -> None:
    console = Console()
    ids = [
        console.create("account", Name="a", ORACLE_ID__c="4").json()["result"][
            "recordId"
        ]
        for _ in range(2)
    ]
    finished = console.finish("account", "ORACLE_ID__c", "ORACLE_ID__c,Name\n4,b\n")
    assert finished.status == "failure"
    assert list(finished.failures) == [
        "DUPLICATE_EXTERNAL_ID:ORACLE ID: more than one record found for external id"
        f" field: [{', '.join(ids)}]:--"
    ]


def test_a_parent_is_found_by_its_external_id() -> None:
    console = Console()
    parent = console.create("account", Name="a", ORACLE_ID__c="4").json()
    csv = "external_id__c,LastName,Account.ORACLE_ID__C\n1,a,4\n"
    assert console.finish("contact", "external_id__c", csv).status == "success"
    (child,) = console.records("contact")
    assert child["AccountId"] == parent["result"]["recordId"]


def test_failed_updates_and_failed_creates_are_told_apart() -> None:
    console = Console()
    console.create("contact", LastName="a", external_id__c="old")
    csv = "external_id__c,LastName,Email\nold,b,@\nnew,c,@\n"
    (error,) = console.finish("contact", "external_id__c", csv).errors
    text = "INVALID_EMAIL_ADDRESS:Email: invalid email address: @:Email --"
    assert json.loads(error["details"]["failureDetails"]) == {
        "failureType": "Partial",
        "failedUpdates": {text: ["old"]},
        "failedCreates": {text: ["new"]},
    }
