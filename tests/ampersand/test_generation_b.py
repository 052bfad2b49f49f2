"""Generation B: what is sent, and what its answers are taken for."""

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from ampersand import (
    LARGEST_CSV,
    AddressRefused,
    Client,
    OutcomeUnknown,
    Refused,
    RequestInvalid,
    Upload,
    UploadFailed,
    WriteResult,
)
from ampersand.uploading import STORAGE as STORAGE_ORIGIN
from ampersand.uploading import Place, Uploads
from tests.ampersand.helpers import KEY, TARGET, answering, make_client, unused_port

RECORD = {"FirstName": "Zoë"}
RECORD_ID = "003xx000001AAAAAAA"
CSV = b"id\n1\n"
UPLOAD = Upload(
    name="rows of May.csv",
    size=len(CSV),
    md5=base64.b64encode(hashlib.md5(CSV, usedforsecurity=False).digest()).decode(),
    blocks=lambda: iter([CSV[:2], CSV[2:]]),
)
STORAGE = "https://storage.googleapis.com/bucket/1.csv?signature=s3cret"
REFERENCE = "gs://bucket/1.csv"


def client_b(handler: Any = None, **options: Any) -> Client:
    return make_client(handler, generation="B", **options)


def sent(client: Client, kind: str) -> WriteResult:
    """Send a write of that kind."""
    bulk = {"primary_key": "id", "csv": CSV.decode()}
    match kind:
        case "create":
            request = client.prepare_create_record(TARGET, RECORD)
        case "update":
            request = client.prepare_update_record(TARGET, RECORD, record_id=RECORD_ID)
        case "upsert":
            request = client.prepare_upsert_records(TARGET, **bulk)
        case _:
            request = client.prepare_delete_records(TARGET, **bulk)
    return client.send(request)


def answered(kind: str, status: int, **options: Any) -> WriteResult:
    with client_b(answering(status, **options)) as client:
        return sent(client, kind)


SINGLE = pytest.mark.parametrize("kind", ["create", "update"])
BULK = pytest.mark.parametrize("kind", ["upsert", "delete"])


def test_type_and_mode_say_what_is_done() -> None:
    client = client_b()
    created = client.prepare_create_record(TARGET, RECORD)
    rows = {"primary_key": "Ext__c", "csv": "Ext__c\n1\n"}
    upserted = client.prepare_upsert_records(TARGET, **rows)
    deleted = client.prepare_delete_records(TARGET, primary_key="Ext__c", url=REFERENCE)
    assert {each.method for each in (created, upserted, deleted)} == {"POST"}
    assert {each.url for each in (created, upserted, deleted)} == {created.url}
    assert created.url.endswith("/projects/p1/integrations/i1/objects/contact")
    assert created.body == {
        "groupRef": "acme",
        "type": "create",
        "mode": "synchronous",
        "record": RECORD,
    }
    assert upserted.body == {
        "groupRef": "acme",
        "type": "upsert",
        "mode": "bulk",
        "recordsCSV": rows["csv"],
        "primaryKey": "Ext__c",
    }
    assert deleted.body == {
        "groupRef": "acme",
        "type": "delete",
        "mode": "bulk",
        "recordsURL": REFERENCE,
        "primaryKey": "Ext__c",
    }


@pytest.mark.parametrize("spelling", ["id", "Id"])
def test_the_id_of_an_update_is_spelled_as_the_project_says(spelling: Any) -> None:
    request = client_b(id_spelling=spelling).prepare_update_record(
        TARGET, {**RECORD, "ID": RECORD_ID}, record_id=RECORD_ID
    )
    assert request.body is not None
    assert list(request.body["record"].items())[0] == (spelling, RECORD_ID)
    assert request.body["record"] == {spelling: RECORD_ID, **RECORD}


@pytest.mark.parametrize(
    "build",
    [
        lambda c: c.prepare_delete_record(TARGET, record_id=RECORD_ID),
        lambda c: c.prepare_envelope(TARGET, "create"),
        lambda c: c.prepare_create_record(TARGET, {}),
        lambda c: c.prepare_update_record(TARGET, {}, record_id=RECORD_ID),
        lambda c: c.prepare_update_record(TARGET, RECORD, record_id=" "),
        lambda c: c.prepare_upsert_records(TARGET, primary_key=" ", csv="id\n1"),
        lambda c: c.prepare_upsert_records(TARGET, primary_key="id"),
        lambda c: c.prepare_delete_records(TARGET, primary_key="id", csv="a", url="b"),
        lambda c: c.prepare_delete_records(
            TARGET, primary_key="id", csv="a" * (LARGEST_CSV + 1)
        ),
    ],
)
def test_what_this_api_lacks_is_not_built(build: Callable[[Client], object]) -> None:
    with pytest.raises(RequestInvalid):
        build(client_b())


@pytest.mark.parametrize("generation", ["A", "C"])
def test_no_other_api_deletes_in_bulk(generation: str) -> None:
    client = make_client(generation=generation)
    with pytest.raises(RequestInvalid):
        client.prepare_delete_records(TARGET, primary_key="id", csv="id\n1\n")


@SINGLE
def test_a_record_is_written_without_an_operation(kind: str) -> None:
    body = {"result": {"success": True, "recordId": RECORD_ID}}
    result = answered(kind, 200, json=body)
    assert (result.record_id, result.operation_id) == (RECORD_ID, None)
    assert not result.is_accepted


@BULK
def test_a_job_is_accepted_by_its_operation(kind: str) -> None:
    result = answered(kind, 200, json={"operationId": "op-1"})
    assert (result.operation_id, result.is_accepted) == ("op-1", True)


@BULK
def test_a_job_that_cannot_be_followed_is_unknown(kind: str) -> None:
    with pytest.raises(OutcomeUnknown):
        answered(kind, 200, json={"result": {"success": True}})


@SINGLE
def test_an_operation_alone_proves_no_record(kind: str) -> None:
    with pytest.raises(OutcomeUnknown):
        answered(kind, 200, json={"operationId": "op-1"})


def test_an_answer_about_another_record_is_no_answer() -> None:
    body = {"result": {"success": True, "recordId": "003xx000001BBBBBBB"}}
    with pytest.raises(OutcomeUnknown):
        answered("update", 200, json=body)


@pytest.mark.parametrize("kind", ["create", "update", "upsert", "delete"])
@pytest.mark.parametrize(
    ("status", "options", "detail"),
    [
        (422, {"json": {"errors": ["The record was not found"]}}, "was not found"),
        (400, {"text": "required field not found"}, "required field"),
        (404, {"json": {"title": "Not Found", "detail": "No project"}}, "No project"),
    ],
)
def test_a_refusal_says_why(
    kind: str, status: int, options: dict[str, Any], detail: str
) -> None:
    with pytest.raises(Refused, match=detail):
        answered(kind, status, **options)


@pytest.mark.parametrize("kind", ["create", "update", "upsert", "delete"])
def test_a_refusal_that_tells_of_a_server_error_is_unknown(kind: str) -> None:
    errors = ["error writing record: HTTP status 503: server error"]
    with pytest.raises(OutcomeUnknown):
        answered(kind, 422, json={"errors": errors})


def test_a_refusal_of_ampersands_own_books_is_a_write() -> None:
    told = {"success": True, "recordId": RECORD_ID}
    body = {"errors": ["Operation failed to be updated"], "result": told}
    result = answered("create", 422, json=body)
    assert result.record_id == RECORD_ID
    assert result.errors == ("Operation failed to be updated",)


class Storage:
    """Answers the question where to, and takes the file as `puts` say in turn."""

    def __init__(self, *puts: int, url: str = STORAGE) -> None:
        self.puts, self.url = list(puts), url
        self.seen: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.seen.append(request)
        if request.method == "GET":
            return httpx.Response(200, json={"url": self.url, "reference": REFERENCE})
        status = self.puts.pop(0)
        text = "" if status < 300 else "<Error><Code>ExpiredToken</Code></Error>"
        return httpx.Response(status, text=text)

    @property
    def asked(self) -> list[str]:
        return [request.method for request in self.seen]


def test_a_file_is_put_where_ampersand_says_without_the_key() -> None:
    storage = Storage(200)
    assert client_b(storage).upload(UPLOAD) == REFERENCE
    ask, put = storage.seen
    assert dict(ask.url.params) == {"fileName": UPLOAD.name, "md5": UPLOAD.md5}
    assert ask.url.path == "/v1/generate-upload-url"
    assert ask.headers["x-api-key"] == KEY
    assert str(put.url) == STORAGE
    assert put.content == CSV
    assert "x-api-key" not in put.headers
    assert put.headers["content-type"] == "text/csv"
    assert put.headers["content-md5"] == UPLOAD.md5
    assert put.headers["content-length"] == str(len(CSV))


def test_an_expired_address_is_asked_for_once_more() -> None:
    storage = Storage(400, 200)
    assert client_b(storage).upload(UPLOAD) == REFERENCE
    assert storage.asked == ["GET", "PUT", "GET", "PUT"]


def test_an_upload_that_fails_twice_says_what_the_storage_said() -> None:
    storage = Storage(403, 403)
    with pytest.raises(UploadFailed, match=r"answered 403 \(ExpiredToken\)") as caught:
        client_b(storage).upload(UPLOAD)
    assert "s3cret" not in str(caught.value)
    assert storage.asked == ["GET", "PUT"] * 2


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/1.csv",
        "http://storage.googleapis.com/1.csv",
        "https://storage.googleapis.com:8443/1.csv",
        "https://user@storage.googleapis.com/1.csv",
        "https://storage.googleapis.com.evil.example/1.csv",
        "file:///etc/passwd",
        "",
    ],
)
def test_no_file_goes_to_another_host(url: str) -> None:
    storage = Storage(200, url=url)
    with pytest.raises(UploadFailed, match="UPLOAD_HOSTS"):
        client_b(storage).upload(UPLOAD)
    assert "PUT" not in storage.asked


def test_a_redirect_of_an_upload_is_not_followed() -> None:
    storage = Storage(307, 307)
    with pytest.raises(UploadFailed, match="307"):
        client_b(storage).upload(UPLOAD)


def test_no_error_shows_where_a_file_may_be_put() -> None:
    answer = httpx.Response(200, json={"url": STORAGE})
    with pytest.raises(OutcomeUnknown) as caught:
        client_b(lambda request: answer, sleep=lambda _: None).upload(UPLOAD)
    assert "s3cret" not in repr(caught.value.__dict__) + repr(caught.value.args)


def test_where_the_host_of_an_upload_leads_is_looked_at_as_it_connects() -> None:
    asked: list[tuple[str, int]] = []

    def inside(host: str, port: int) -> list[str]:
        asked.append((host, port))
        raise AddressRefused("The host leads to an address inside the network")

    files = Uploads(
        origins=frozenset({STORAGE_ORIGIN}), timeout=5, transport=None, resolve=inside
    )
    place = Place(url=STORAGE, reference=REFERENCE)
    with pytest.raises(UploadFailed, match="inside the network"):
        files.put(place, UPLOAD)
    files.close()
    assert asked == [("storage.googleapis.com", 443)]


def test_a_file_has_no_more_time_than_is_set_aside() -> None:
    with unused_port() as port:
        url = f"http://127.0.0.1:{port}/1.csv"
        files = Uploads(
            origins=frozenset({f"http://127.0.0.1:{port}"}),
            timeout=5,
            transport=None,
            resolve=None,
        )
        place = Place(url=url, reference=REFERENCE)
        with pytest.raises(UploadFailed, match="no connection within"):
            files.put(place, UPLOAD, seconds=-1)
        files.close()
