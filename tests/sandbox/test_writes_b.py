"""Generation B: one POST for records and bulk jobs, and the upload address.

Every exchange is validated against the facts of Ampersand's document of 2024.
"""

import base64
import hashlib
from typing import Any

import httpx
import pytest

from ampersand import Client, SecretStr, Target, Upload, origin_of
from tests.sandbox.support import GROUP, KEY, Console, served, wait_for

OBJECTS = "/v1/projects/demo-b/integrations/salesforce/objects"
KEYED = "external_id__c"


@pytest.fixture
def console() -> Console:
    return Console()


def write(console: Console, kind: str, **more: Any) -> httpx.Response:
    body = {"groupRef": GROUP, "type": kind, **more}
    return console.http.post(f"{OBJECTS}/contact", json=body)


def bulk(console: Console, kind: str, key: str, **rows: str) -> httpx.Response:
    return write(console, kind, mode="bulk", primaryKey=key, **rows)


def finished(console: Console, response: httpx.Response) -> Any:
    """Let the time pass until a job has ended; return its operation."""
    assert response.status_code == 200, response.text
    console.clock.now += 60
    path = f"/v1/projects/demo-b/operations/{response.json()['operationId']}"
    return console.http.get(path).json()


def created(console: Console, **record: Any) -> str:
    response = write(console, "create", record={"LastName": "Lee", **record})
    record_id: str = response.json()["result"]["recordId"]
    return record_id


def place(console: Console, data: bytes, name: str = "rows.csv") -> tuple[str, str]:
    """Ask where a file may be put; return the address and the reference."""
    asked = {"fileName": name, "md5": md5_of(data)}
    told = console.http.get("/v1/generate-upload-url", params=asked).json()
    return told["url"], told["reference"]


def put(console: Console, url: str, data: bytes, **headers: str) -> httpx.Response:
    """Put a file there as nobody who holds a key: the client's own would go along."""
    sent = {"Content-Type": "text/csv", "Content-MD5": md5_of(data), **headers}
    transport = httpx.WSGITransport(app=console.sandbox)
    with httpx.Client(transport=transport) as anybody:
        return anybody.put(url, content=data, headers=sent)


def md5_of(data: bytes) -> str:
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()


def test_a_record_is_created_and_updated_without_an_operation(console: Console) -> None:
    record_id = created(console)
    answer = write(console, "update", record={"id": record_id, "FirstName": "Ann"})
    assert answer.json() == {"result": {"success": True, "recordId": record_id}}
    (record,) = console.records("contact")
    assert record["FirstName"] == "Ann"


def test_what_the_provider_refuses_is_told_in_bare_texts(console: Console) -> None:
    answer = write(console, "create", record={"FirstName": "Ann"})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert "Required fields are missing: [LastName]" in error


@pytest.mark.parametrize(
    "more",
    [
        {"type": "create", "mode": "bulk", "record": {"LastName": "Lee"}},
        {"type": "update", "mode": "bulk", "primaryKey": "id", "recordsCSV": "id\n1"},
        {"type": "upsert", "record": {"LastName": "Lee"}},
        {"type": "upsert", "primaryKey": "id", "recordsCSV": "id\n1\n"},
        {"type": "delete", "record": {"id": "1"}},
        {"type": "create"},
        {"type": "merge", "record": {}},
        {"type": "upsert", "mode": "bulk", "primaryKey": "id"},
        {"type": "upsert", "mode": "bulk", "recordsCSV": "id\n1\n"},
        {"type": "create", "record": {}, "batch": []},
    ],
)
def test_every_other_pairing_is_refused(console: Console, more: Any) -> None:
    answer = write(console, **{"kind": more.pop("type"), **more})
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_no_other_method_writes(console: Console, method: str) -> None:
    body = {"groupRef": GROUP, "record": {"LastName": "Lee"}}
    assert console.http.request(method, f"{OBJECTS}/contact", json=body).is_error
    assert console.records("contact") == []


def test_a_job_upserts_by_a_key(console: Console) -> None:
    csv = f"{KEYED},LastName\n1,Lee\n2,\n"
    ended = finished(console, bulk(console, "upsert", KEYED, recordsCSV=csv))
    assert ended["result"] == "Batch write completed (1 succeeded, 1 failed)"


def test_a_job_deletes_by_id(console: Console) -> None:
    kept, gone = created(console), created(console)
    response = bulk(console, "delete", "Id", recordsCSV=f"Id\n{gone}\n")
    assert finished(console, response)["status"] == "success"
    assert [record["Id"] for record in console.records("contact")] == [kept]


def test_a_job_deletes_by_a_key_and_tells_what_it_did_not_find(
    console: Console,
) -> None:
    created(console, external_id__c="1")
    csv = f"{KEYED}\n1\n2\n"
    ended = finished(console, bulk(console, "delete", KEYED, recordsCSV=csv))
    assert ended["result"] == "Batch write completed (1 succeeded, 1 failed)"
    assert console.records("contact") == []


@pytest.mark.parametrize(
    ("csv", "status"),
    [
        (f"{KEYED},LastName\n1,Lee\n", "failure"),
        (f"{KEYED}\n1{'0' * 199}\n" + f"2{'0' * 199}\n" * 19, "failure"),
    ],
)
def test_a_deletion_takes_one_column_and_few_characters(
    console: Console, csv: str, status: str
) -> None:
    created(console, external_id__c="1")
    ended = finished(console, bulk(console, "delete", KEYED, recordsCSV=csv))
    assert ended["status"] == status
    assert len(console.records("contact")) == 1


def test_a_file_is_put_and_named_by_its_reference(console: Console) -> None:
    data = f"{KEYED},LastName\n1,Lee\n".encode()
    url, reference = place(console, data)
    assert reference.startswith("gs://")
    assert put(console, url, data).status_code == 200
    response = bulk(console, "upsert", KEYED, recordsURL=reference)
    assert finished(console, response)["status"] == "success"
    assert len(console.records("contact")) == 1


def test_an_address_ends_after_fifteen_minutes(console: Console) -> None:
    url, reference = place(console, b"id\n1\n")
    console.clock.now += 901
    refused = put(console, url, b"id\n1\n")
    assert (refused.status_code, "ExpiredToken" in refused.text) == (400, True)
    assert bulk(console, "upsert", "id", recordsURL=reference).status_code == 404


@pytest.mark.parametrize(
    ("data", "headers"),
    [
        (b"id\n2\n", {}),
        (b"id\n2\n", {"Content-MD5": md5_of(b"id\n1\n")}),
        (b"id\n1\n", {"Content-Type": "application/json"}),
        (b"id\n1\n", KEY),
    ],
)
def test_another_file_or_one_with_a_key_is_refused(
    console: Console, data: bytes, headers: dict[str, str]
) -> None:
    url, _ = place(console, b"id\n1\n")
    assert put(console, url, data, **headers).is_client_error


def test_only_who_has_a_key_is_told_an_address(console: Console) -> None:
    console.http.headers.pop("X-Api-Key")
    path = f"/v1/generate-upload-url?md5={md5_of(b'')}"
    assert console.http.get(path).status_code == 401


def test_the_console_uploads_over_a_real_connection() -> None:
    """Behind a server and with the client of the console, host and all."""
    data = b"external_id__c,LastName\n" + b"".join(
        b"k-%d,%s\n" % (n, b"x" * 80) for n in range(20_000)
    )
    file = Upload(
        name="rows.csv", size=len(data), md5=md5_of(data), blocks=lambda: iter([data])
    )
    with served("--bulk-seconds", "0") as (http, _):
        address = str(http.base_url).rstrip("/")
        with Client(
            api_key=SecretStr(KEY["X-Api-Key"]),
            write_url=f"{address}/v1",
            generation="B",
            upload_origins=frozenset({origin_of(address)}),
        ) as client:
            request = client.prepare_upsert_records(
                Target(
                    project="demo-b",
                    integration="salesforce",
                    object_name="contact",
                    group_ref=GROUP,
                ),
                primary_key=KEYED,
                url=client.upload(file),
            )
            operation = client.send(request).operation_id
        assert operation
        ended = wait_for(http, operation, "demo-b")
    assert ended["result"] == "Batch write completed (20000 succeeded, 0 failed)"
