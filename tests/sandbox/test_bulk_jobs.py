"""Job-level rules: nothing is written when one of them is broken."""

from typing import Any

import pytest

from sandbox.fetching import FetchError
from tests.example_files import (
    EXPORTED,
    NO_DAY,
    OPPORTUNITIES,
    WITHOUT_KEY,
    exported_accounts,
    opportunities,
    opportunities_with_a_bad_row,
)
from tests.sandbox.support import GROUP, OBJECTS, Console

NOTHING = (
    "No records processed successfully. This is likely due the CSV being empty or"
    " issues with CSV column names."
)
QUOTE = (
    "InvalidBatch : Failed to parse CSV. Found unescaped quote."
    " A value with quote should be within a quote"
)
ENDING = (
    "ClientInputError : LineEnding is invalid on user data."
    " Current LineEnding setting is LF"
)
HEAD = "external_id__c,LastName"


@pytest.mark.parametrize(
    ("csv", "error"),
    [
        (f"{HEAD}\r\n1,a\r\n", ENDING),
        (f'{HEAD}\n1,"a\r\nb"\n', ENDING),
        ('\ufeff"external_id__c",LastName\n1,a\n', QUOTE),
        (
            "\ufeffexternal_id__c,LastName\n1,a\n",
            "InvalidBatch : Field name not found : \ufeffexternal_id__c",
        ),
        (f'{HEAD}\n1,a"b\n', QUOTE),
        (f'{HEAD}\n1,"a"b\n', QUOTE),
        (f'{HEAD}\n1, "a"\n', QUOTE),
        (f'{HEAD}\n1,"a\n', QUOTE),
        (
            f"{HEAD},first_wrong,second_wrong\n1,a,b,c\n",
            "InvalidBatch : Field name not found : first_wrong",
        ),
        (f"{HEAD}\n", "InvalidBatch : Records not found"),
        (f"{HEAD}\n1,a\nlong,b,c\n", "InvalidBatch : Field name not found : long"),
        (f"{HEAD}\n1,a\nshort\n", "InvalidBatch : Field name not found : short"),
    ],
)
def test_the_job_fails_as_a_whole(csv: str, error: str) -> None:
    console = Console()
    finished = console.finish("contact", "external_id__c", csv)
    assert (finished.status, finished.result) == ("failure", NOTHING)
    assert [each["error"] for each in finished.errors] == [error]
    assert console.records("contact") == []


def test_the_key_must_be_an_external_id() -> None:
    finished = Console().finish("account", "Name", "Name\nAcme\n")
    assert finished.errors[0]["error"] == (
        "InvalidJob : Field name provided, Name does not match an External ID,"
        " Salesforce Id, or indexed field for Account"
    )


@pytest.mark.parametrize(
    "csv",
    [
        f'{HEAD}\n1,"a ""b"" c"\n2,""\n',
        f'{HEAD}\n"1","a,\n\nb"\n',
        f"{HEAD}\n1,a",
        f"{HEAD}\n\n1,a\n\n",
        "EXTERNAL_ID__C,lastname\n1,a\n",
    ],
)
def test_forms_that_are_right(csv: str) -> None:
    console = Console()
    console.finish("contact", "External_Id__C", csv)
    assert console.records("contact")[0]["external_id__c"] == "1"


@pytest.mark.parametrize(
    "body",
    [
        {"primaryKey": "external_id__c"},
        {"primaryKey": "external_id__c", "recordsCSV": HEAD, "recordsURL": "http://a"},
        {"recordsCSV": HEAD},
        {"primaryKey": "nope__c", "recordsCSV": HEAD},
        {"primaryKey": "external_id__c", "recordsCSV": ""},
        {"primaryKey": "external_id__c", "recordsURL": "file:///etc/hostname"},
        {"primaryKey": "external_id__c", "recordsURL": "http://[bad"},
        {"primaryKey": "external_id__c", "recordsCSV": HEAD, "mode": "bulk"},
    ],
)
def test_refused_before_an_operation_exists(body: dict[str, Any]) -> None:
    response = Console().http.put(
        f"{OBJECTS}/contact:async", json={"groupRef": GROUP, **body}
    )
    assert response.status_code == 400
    assert response.headers["content-type"].startswith("text/plain")


def test_ten_mebibytes_and_not_a_byte_more() -> None:
    limit = 10 * 1024 * 1024
    csv = f"{HEAD}\n1,"
    csv += "é" * ((limit - len(csv)) // 2)
    csv += "x" * (limit - len(csv.encode()))
    console = Console()
    assert console.upsert("contact", "external_id__c", csv).status_code == 200
    refused = console.upsert("contact", "external_id__c", csv + "x")
    assert refused.status_code == 413


def test_in_progress_until_its_time_has_come() -> None:
    console = Console(bulk_seconds=5)
    operation = console.start("contact", "external_id__c", f"{HEAD}\n1,a\n")
    console.clock.now += 4.9
    shown = console.operation(operation)
    assert shown["status"] == "in_progress"
    assert "result" not in shown
    assert console.records("contact") == []
    console.clock.now += 0.2
    shown = console.operation(operation)
    assert shown["status"] == "success"
    (record,) = console.records("contact")
    assert shown["metadata"]["successfulRecordIds"] == [record["Id"]]


def test_a_file_at_an_address() -> None:
    console = Console(fetch=lambda url: f"{HEAD}\n1,{url}\n")
    finished = console.finish("contact", "external_id__c", recordsURL="https://a.test/")
    assert finished.status == "success"
    assert console.records("contact")[0]["LastName"] == "https://a.test/"


def test_an_address_that_does_not_answer_fails_the_operation() -> None:
    def fetch(url: str) -> str:
        raise FetchError("failed to retrieve the CSV: HTTP status 404")

    console = Console(fetch=fetch)
    finished = console.finish("contact", "external_id__c", recordsURL="https://a.test/")
    assert finished.status == "failure"
    assert finished.errors[0]["error"].endswith("HTTP status 404")


def test_the_same_file_twice_updates_instead_of_creating_again() -> None:
    csv = opportunities().decode()
    console = Console()
    for _ in range(2):
        finished = console.finish("opportunity", "external_id__c", csv)
        assert finished.result == "Batch write completed (3000 succeeded, 0 failed)"
    count = console.http.get("/sandbox/records/opportunity?count=1").json()
    assert count == {"count": OPPORTUNITIES}


def test_success_hides_a_failed_row_and_the_log_names_its_key() -> None:
    csv = opportunities_with_a_bad_row().decode()
    finished = Console().finish("opportunity", "external_id__c", csv)
    assert finished.status == "success"
    assert finished.result == "Batch write completed (7 succeeded, 1 failed)"
    assert finished.errors[0]["msg"] == (
        "Some records are not processed successfully."
        " Please refer to the 'failureDetails' for more details."
    )
    assert finished.failures == {
        "INVALID_FIELD:Failed to deserialize field at col 3. Due to,"
        f" '{NO_DAY}' is not a valid value for the type xsd:date"
        ":CloseDate --": ["example-3"]
    }


def test_an_export_is_refused_row_by_row_for_its_read_only_columns() -> None:
    raw = exported_accounts()
    console = Console(fetch=lambda _: raw.decode("utf-8", "replace"))
    finished = console.finish("account", "EXTERNAL_ID__C", recordsURL="https://a.test/")
    assert finished.status == "failure"
    assert finished.result == f"Batch write completed (0 succeeded, {EXPORTED} failed)"
    names = "IsDeleted,CreatedDate,CreatedById,LastModifiedDate,LastModifiedById"
    refusal = (
        "INVALID_FIELD_FOR_INSERT_UPDATE:Unable to create/update fields: "
        f"{names.replace(',', ', ')}, SystemModstamp. Please check the security"
        " settings of this field and verify that it is read/write for your profile"
        f" or permission set.:{names},SystemModstamp --"
    )
    assert {text: len(keys) for text, keys in finished.failures.items()} == {
        refusal: EXPORTED - WITHOUT_KEY,
        "MISSING_ARGUMENT:external_id__c not specified:--": WITHOUT_KEY,
    }
