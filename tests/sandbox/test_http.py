"""Keys, unknown ids, methods, hostile requests, and the sandbox's own pages."""

import hashlib
import json
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.app import Sandbox
from tests.sandbox.support import GROUP, OBJECTS, Console, served

RECORD = {"groupRef": GROUP, "record": {"LastName": "a"}}


def call(sandbox: Sandbox, body: bytes = b"", **environ: str) -> int:
    """The status of a bare WSGI call; unlike a client it may say anything."""
    statuses: list[str] = []

    def start_response(status: str, headers: object, exc_info: object = None) -> Any:
        statuses.append(status)

    request = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": f"{OBJECTS}/contact",
        "HTTP_X_API_KEY": "SANDBOX-KEY",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
        **environ,
    }
    sandbox(request, start_response)
    return int(statuses[0].split()[0])


@pytest.mark.parametrize(
    ("key", "status"), [("", 401), ("wrong", 401), ("SANDBOX-READONLY", 403)]
)
def test_keys_that_may_not_write(key: str, status: int) -> None:
    console = Console()
    console.http.headers["X-Api-Key"] = key
    response = console.create("contact", LastName="a")
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == status
    assert {"requestId", "remedy", "retryable", "detail", "title"} <= problem.keys()


def test_the_reading_key_reads() -> None:
    console = Console()
    console.http.headers["X-Api-Key"] = "SANDBOX-READONLY"
    assert console.http.get("/v1/projects/demo/integrations").status_code == 200


def test_each_unknown_id_is_told_apart_from_the_others() -> None:
    asked = [
        (f"{OBJECTS}/contact", "nobody"),
        (f"{OBJECTS}/case", GROUP),
        ("/v1/projects/DEMO/integrations/salesforce/objects/contact", GROUP),
        ("/v1/projects/Demo/integrations/hubspot/objects/contact", GROUP),
        ("/nowhere", GROUP),
    ]
    http = Console().http
    answers = [http.post(path, json={**RECORD, "groupRef": g}) for path, g in asked]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.json()["detail"] for answer in answers}) == len(asked)


def test_an_operation_of_another_project_is_not_found() -> None:
    path = "/v1/projects/demo/operations/5e4f06ca-445f-43ea-943e-78465ee1bb7a"
    for address in (path, f"{path}/logs"):
        answer = Console().http.get(address)
        assert answer.status_code == 404
        assert answer.json()["remedy"]


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", f"{OBJECTS}/contact", "POST, PATCH"),
        ("GET", f"{OBJECTS}/contact", "POST, PATCH"),
        ("POST", f"{OBJECTS}/contact:async", "PUT"),
        ("PATCH", f"{OBJECTS}/contact:async", "PUT"),
        ("POST", "/v1/projects", "GET"),
        ("GET", "/sandbox/reset", "POST"),
    ],
)
def test_other_methods_are_not_allowed(method: str, path: str, allow: str) -> None:
    response = Console().http.request(method, path, json=RECORD)
    assert response.status_code == 405
    assert response.headers["allow"] == allow


def test_projects_and_integrations_can_be_listed() -> None:
    http = Console().http
    projects = http.get("/v1/projects").json()
    assert {"id": "demo", "name": "Demo"}.items() <= projects[2].items()
    (integration,) = http.get("/v1/projects/Demo/integrations").json()
    objects = integration["latestRevision"]["content"]["write"]["objects"]
    assert {"objectName": "tactics__c"} in objects


@pytest.mark.parametrize(
    ("length", "status"),
    [("", 411), ("-1", 400), ("x", 400), ("²", 400), ("9" * 10, 413), ("9" * 99, 413)],
)
def test_dishonest_lengths(length: str, status: int) -> None:
    assert call(Sandbox(), CONTENT_LENGTH=length) == status


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b"[" * 100_000,
        b'{"groupRef": NaN}',
        b'{"groupRef": "\\ud800"}',
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
)
def test_bodies_that_are_no_json_object(body: bytes) -> None:
    assert call(Sandbox(), body=body) == 400


HOSTILE = Sandbox()
WORDS = st.sampled_from(
    ["v1", "projects", "demo", "integrations", "salesforce", "objects", "sandbox"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
    ),
    max_leaves=6,
)
FIELDS = st.sampled_from(
    [
        "Id",
        "LastName",
        "Email",
        "AccountId",
        "Birthdate",
        "DoNotCall",
        "score__c",
        "level__c",
    ]
)


@given(
    path=st.lists(WORDS | st.text(max_size=12), max_size=8).map("/".join),
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]),
    query=st.text(max_size=20),
    body=st.binary(max_size=40),
)
def test_hostile_paths_are_answered(
    path: str, method: str, query: str, body: bytes
) -> None:
    status = call(
        HOSTILE,
        PATH_INFO=f"/{path}",
        REQUEST_METHOD=method,
        QUERY_STRING=query,
        body=body,
    )
    assert status < 500


@given(
    method=st.sampled_from(["POST", "PATCH"]),
    record=st.dictionaries(FIELDS | st.text(max_size=8), JSON, max_size=4) | JSON,
)
def test_hostile_records_are_answered(method: str, record: Any) -> None:
    body = json.dumps({"groupRef": GROUP, "record": record}).encode()
    assert call(HOSTILE, REQUEST_METHOD=method, body=body) < 500


@given(
    csv=st.lists(
        st.lists(
            FIELDS
            | st.sampled_from(["1", "", '"', "\r", "#N/A"])
            | st.text(max_size=5),
            max_size=4,
        ).map(",".join),
        max_size=4,
    ).map("\n".join)
)
def test_hostile_files_end_their_operation(csv: str) -> None:
    console = Console()
    text = f"external_id__c,LastName\n{csv}"
    response = console.upsert("contact", "external_id__c", text)
    if response.status_code == 400:
        return
    operation = response.json()["operationId"]
    console.clock.now += 60
    assert console.operation(operation)["status"] in ("success", "failure")


def test_every_write_that_arrives_is_remembered_without_its_key() -> None:
    console = Console()
    sent = console.create("contact", LastName="a")
    console.http.post(f"{OBJECTS}/contact", content=b"{", headers={"X-Api-Key": "no"})
    answer = console.http.get("/sandbox/requests")
    first, second = answer.json()
    assert first["groupRef"] == GROUP
    assert first["method"] == "POST"
    assert first["path"] == f"{OBJECTS}/contact"
    assert first["bodySha256"] == hashlib.sha256(sent.request.content).hexdigest()
    assert first["keySha256"] == hashlib.sha256(b"SANDBOX-KEY").hexdigest()
    assert second["groupRef"] is None
    assert "SANDBOX-KEY" not in answer.text


def test_records_of_one_customer() -> None:
    console = Console()
    console.create("contact", LastName="a")
    console.create("contact", "sample-org-id", LastName="b")
    listed = console.http.get("/sandbox/records/contact?groupRef=sample-org-id").json()
    assert [record["LastName"] for record in listed] == ["b"]


def test_reset_forgets_everything_but_what_was_there_from_the_start() -> None:
    console = Console()
    console.create("contact", LastName="a")
    assert console.http.post("/sandbox/reset").status_code == 200
    assert console.records("contact") == []
    assert console.http.get("/sandbox/requests").json() == []
    known = "/v1/projects/2234wf/operations/5e4f06ca-445f-43ea-943e-78465ee1bb7a"
    assert console.http.get(known).json()["status"] == "failure"


def test_the_first_page_says_what_to_use() -> None:
    text = Console().http.get("/").text
    for needed in ("SANDBOX-KEY", "demo-group-id", "2234wf", "tactics__c"):
        assert needed in text


def test_a_refused_upload_can_read_its_answer_and_the_connection_goes_on() -> None:
    with served() as (http, _):
        path = "/v1/projects/nope/integrations/x/objects/contact"
        assert http.post(path, content=b"x" * 2_000_000).status_code == 404
        assert http.post(path, content=iter([b"x"] * 9)).status_code == 404
        oversized = b"x" * (65 * 1024 * 1024)
        assert http.post(f"{OBJECTS}/contact", content=oversized).status_code == 413
        assert http.post(f"{OBJECTS}/contact", json=RECORD).status_code == 200
