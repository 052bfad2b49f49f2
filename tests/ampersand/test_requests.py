import json
import math
import subprocess
from dataclasses import fields, replace
from urllib.parse import unquote, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampersand import LARGEST_CSV, Request, RequestInvalid
from tests.ampersand.helpers import KEY, RECORD, TARGET, make_client

HOST = "https://write.withampersand.com/v1"
OBJECT = f"{HOST}/projects/p1/integrations/i1/objects/contact"


@pytest.fixture
def client():
    with make_client(lambda request: httpx.Response(500)) as client:
        yield client


def test_a_create_is_a_post_of_the_group_and_the_record(client):
    request = client.prepare_create_record(TARGET, RECORD)
    assert (request.action, request.method, request.url) == ("create", "POST", OBJECT)
    assert json.loads(request.content()) == {"groupRef": "acme", "record": RECORD}


@pytest.mark.parametrize(
    ("style", "method", "url", "extra"),
    [
        ("patch", "PATCH", OBJECT, {"record": {"Id": "003", "a": 1}}),
        (
            "post_type_update",
            "POST",
            OBJECT,
            {"type": "update", "record": {"Id": "003", "a": 1}},
        ),
        ("patch_id_in_path", "PATCH", f"{OBJECT}/003", {"record": {"a": 1}}),
    ],
)
@pytest.mark.parametrize(
    "record", [{"a": 1}, {"a": 1, "id": "003"}, {"ID": "003", "a": 1}]
)
def test_an_update_follows_the_projects_style(style, method, url, extra, record):
    with make_client(update_style=style) as client:
        request = client.prepare_update_record(TARGET, record, record_id="003")
    assert (request.action, request.method, request.url) == ("update", method, url)
    assert request.body == {"groupRef": "acme", **extra}


@pytest.mark.parametrize(
    "record", [{"id": "004", "a": 1}, {"ID": 3, "a": 1}, {"Id": "003"}, {}]
)
def test_an_update_with_another_id_or_without_fields_is_refused(client, record):
    with pytest.raises(RequestInvalid):
        client.prepare_update_record(TARGET, record, record_id="003")


@pytest.mark.parametrize(
    ("source", "field"), [("csv", "recordsCSV"), ("url", "recordsURL")]
)
def test_an_upsert_is_a_put_with_a_literal_colon(client, source, field):
    where = replace(TARGET, object_name="now/ta:ble")
    request = client.prepare_upsert_records(where, primary_key="k", **{source: "x"})
    assert request.method == "PUT"
    assert request.url.endswith("/objects/now%2Fta%3Able:async")
    assert request.body == {"groupRef": "acme", field: "x", "primaryKey": "k"}


@pytest.mark.parametrize(
    "source", [{}, {"csv": "a", "url": "b"}, {"csv": " \n"}, {"csv": ""}, {"url": " "}]
)
def test_an_upsert_takes_exactly_one_source(client, source):
    with pytest.raises(RequestInvalid):
        client.prepare_upsert_records(TARGET, primary_key="k", **source)


def test_a_csv_is_measured_in_bytes_of_utf8(client):
    largest = "é" * (LARGEST_CSV // 2)
    client.prepare_upsert_records(TARGET, primary_key="k", csv=largest)
    with pytest.raises(RequestInvalid, match="10,485,761"):
        client.prepare_upsert_records(TARGET, primary_key="k", csv=largest + "x")


TEXTS = [field.name for field in fields(TARGET) if field.name != "headers"]


@pytest.mark.parametrize("part", TEXTS)
@pytest.mark.parametrize("value", ["", " ", "\n"])
def test_blank_parts_are_refused(client, part, value):
    with pytest.raises(RequestInvalid, match=part.partition("_")[0]):
        client.prepare_create_record(replace(TARGET, **{part: value}), RECORD)


@pytest.mark.parametrize("part", ["project", "integration", "object_name"])
@pytest.mark.parametrize("value", [".", "..", "\ud800"])
def test_a_part_that_would_change_the_path_is_refused(client, part, value):
    with pytest.raises(RequestInvalid):
        client.prepare_create_record(replace(TARGET, **{part: value}), RECORD)


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, b"bytes", object(), "\ud800", {1, 2}]
)
def test_a_value_that_json_cannot_carry_is_refused(client, value):
    with pytest.raises(RequestInvalid):
        client.prepare_create_record(TARGET, {"a": value})


def test_a_reviewed_request_cannot_be_changed_through_the_callers_record(client):
    record = {"a": [1]}
    request = client.prepare_create_record(TARGET, record)
    record["a"].append(2)
    assert request.content() == b'{"groupRef":"acme","record":{"a":[1]}}'


def test_the_headers_shown_mask_the_key(client):
    request = client.prepare_create_record(TARGET, RECORD)
    assert request.headers_shown()["X-Api-Key"] == "••••1a2b"
    assert KEY not in repr(request)


segments = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(
    lambda text: text.strip() and text not in (".", "..")
)


@given(segments, segments)
def test_every_path_segment_arrives_as_it_was_given(project, name):
    arrived = []

    def handler(request):
        arrived.append(request.url.raw_path.decode())
        return httpx.Response(400)

    with make_client(handler) as client:
        where = replace(TARGET, project=project, object_name=name)
        request = client.prepare_upsert_records(where, primary_key="k", csv="k\n1")
        with pytest.raises(Exception, match="400"):
            client.send(request)
    assert arrived == [urlsplit(request.url).path]
    parts = arrived[0].removesuffix(":async").split("/")
    assert [unquote(part) for part in parts[3::2]] == [project, "i1", name]


FAKE_CURL = 'curl() { printf "%s\\0" "$@"; }\n'


def run_curl(request: Request) -> list[str]:
    """Run the curl command in bash and return the arguments curl would get."""
    shell = subprocess.run(
        ["bash", "-uc", FAKE_CURL + request.as_curl()],
        env={"AMPERSAND_API_KEY": "the $key", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        check=True,
    )
    assert shell.stderr == b""
    return shell.stdout.decode().removesuffix("\0").split("\0")


def test_the_curl_command_sends_the_very_same_request(client):
    request = client.prepare_create_record(TARGET, RECORD)
    assert run_curl(request) == [
        *("--request", "POST", "--url", OBJECT),
        *("--header", "X-Api-Key: the $key"),
        *("--header", "Accept: application/json"),
        *("--header", "User-Agent: write-console"),
        *("--header", "Content-Type: application/json"),
        *("--data-raw", request.content().decode()),
    ]


def test_the_curl_command_survives_every_awkward_text(client):
    awkward = "'\"'; exit 1 #\n\r\t\0 $(exit 1) `exit 1` ${x} \\ !! é 😀 \u2028 @file *"
    request = client.prepare_create_record(TARGET, {awkward: awkward})
    assert run_curl(request)[-1] == request.content().decode()


def test_a_body_too_long_for_a_command_line_comes_from_a_file(client):
    request = client.prepare_upsert_records(TARGET, primary_key="k", csv="k\n" * 99_999)
    assert run_curl(request)[-2:] == ["--data-binary", "@body.json"]
