"""Looking at an address: what is told about the file."""

import gzip
import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from files.remote.looking import (
    LARGE,
    LARGEST,
    SAMPLE,
    RemoteFile,
    look,
    same,
)
from tests.files.remote_web import (
    CSV,
    Handler,
    Reply,
    Web,
    messages,
    refused,
    rules,
    seen,
)
from tests.hosts import EVERY_HOST
from tests.texts import numbers, quoted


def test_a_good_file_is_described_and_nothing_is_found(web: Web) -> None:
    stamp = "Mon, 23 Nov 2026 18:00:00 GMT"
    headers = {"ETag": '"1"', "Last-Modified": stamp, "Content-Type": "text/csv"}
    before = datetime.now(UTC)
    file = seen(web, Reply(headers=headers))
    assert file.findings == []
    assert not file.blocks
    assert (file.status, file.size) == (206, len(CSV))
    assert (file.etag, file.last_modified) == ('"1"', stamp)
    assert file.content_type == "text/csv"
    assert file.sample_sha256 == hashlib.sha256(CSV).hexdigest()
    assert file.sample_size == len(CSV)
    assert file.header == ["id", "a"]
    assert file.line_ends == {"LF": 3, "CRLF": 0, "CR": 0}
    assert file.final_url == web.at("/a.csv")
    assert before <= file.looked_at <= datetime.now(UTC)
    assert file.expires_at is None


BIG = b"id,a\n" + b"1,xxxxxxxxx\n" * 20_000


@pytest.mark.parametrize("ranges", [True, False])
def test_no_more_than_64_kib_are_read(ranges: bool, web: Web) -> None:
    file = seen(web, Reply(body=BIG, ranges=ranges))
    assert file.size == len(BIG)
    assert file.sample_size == SAMPLE
    assert file.sample_sha256 == hashlib.sha256(BIG[:SAMPLE]).hexdigest()
    assert file.findings == []


def test_a_body_without_end_is_left_after_64_kib(web: Web) -> None:
    file = seen(web, Reply(body=BIG, ranges=False, endless=True))
    assert file.sample_size == SAMPLE
    assert rules(file) == [("blocks", "too-big")]
    assert 10_737_418_240 in numbers(messages(file))


@pytest.mark.parametrize("status", [403, 404, 405, 500, 501])
def test_a_refused_head_does_not_matter(status: int, web: Web) -> None:
    file = seen(web, Reply(head_status=status))
    assert (file.findings, file.size) == ([], len(CSV))


@pytest.mark.parametrize(
    ("size", "found"),
    [
        (LARGE, []),
        (LARGE + 1, [("warns", "large")]),
        (LARGEST, [("warns", "large")]),
        (LARGEST + 1, [("blocks", "too-big")]),
    ],
)
def test_the_size_is_judged(size: int, found: list[tuple[str, str]], web: Web) -> None:
    file = seen(web, Reply(body=BIG, size=size))
    assert (file.size, rules(file)) == (size, found)


def test_the_size_is_taken_from_head_where_get_does_not_tell(web: Web) -> None:
    body = Reply(body=BIG, headers={"Content-Range": f"bytes 0-{SAMPLE - 1}/*"})
    assert seen(web, body).size == len(BIG)
    unknown = replace(body, head_status=405)
    assert seen(web, unknown).size is None
    assert rules(seen(web, unknown)) == [("warns", "size-unknown")]


@pytest.mark.parametrize("told", ["bytes 5-9/100", "rows 0-1/2", "", "bytes 0-1/-5"])
def test_another_part_than_the_beginning_is_not_judged(told: str, web: Web) -> None:
    with refused("another-part"):
        seen(web, Reply(status=206, headers={"Content-Range": told}))


# The body, and (level, rule) of each finding.
BODIES = {
    "empty": (b"", [("blocks", "empty")]),
    "only line ends": (b"\n\n", [("blocks", "empty")]),
    "header only": (b"id,a\n", [("blocks", "no-rows")]),
    "empty first line": (b"\nid,a\n1,x\n", [("blocks", "blank-column")]),
    "key missing": (b"x,a\n1,x\n", [("blocks", "key-missing")]),
    "key in other case": (b"ID,a\n1,x\n", [("warns", "key-case")]),
    "quoted header": (b'"id","a, b"\n1,x\n', []),
    "two lines in a name": (b'id,"a\nb"\n1,x\n', []),
    "one column": (b"id\n1\n", []),
    "semicolons": (b"id;a\n1;x\n", [("blocks", "delimiter")]),
    "semicolons around commas": (b"a;id;b,c,d\n1;x;y\n", [("blocks", "delimiter")]),
    "tabs": (b"id\ta\n1\tx\n", [("blocks", "delimiter")]),
    "pipes, no key": (
        b"x|a\n1|x\n",
        [("blocks", "delimiter"), ("blocks", "key-missing")],
    ),
    "CRLF": (b"id,a\r\n1,x\r\n", [("blocks", "line-ends")]),
    "CR": (b"id,a\r1,x\r", [("blocks", "line-ends")]),
    "both": (b"id,a\r\n1,x\r2,y\n", [("blocks", "line-ends"), ("blocks", "line-ends")]),
    "BOM": (b"\xef\xbb\xbfid,a\n1,x\n", [("blocks", "bom")]),
    "only a BOM": (b"\xef\xbb\xbf", [("blocks", "empty")]),
    "not UTF-8": (b"id,a\n1,\xe9\n", [("blocks", "not-utf-8")]),
    "UTF-16": ("id,a\n1,x\n".encode("utf-16"), [("blocks", "not-utf-8")]),
    "NUL": (b"id,a\n1,\0\n", [("blocks", "nul")]),
    "quote never closed": (b'"id,a\n1,x\n', [("blocks", "quotes")]),
    "text after a quote": (b'"id"x,a\n1,x\n', [("blocks", "quotes")]),
    "header of 32,001": (
        b"id," + b"x" * 31_998 + b"\n1,x\n",
        [("blocks", "long-header")],
    ),
    "header without end": (b"id," * 30_000 + b"\n1\n", [("blocks", "long-header")]),
    "quote without end": (b'"id' + b"x" * SAMPLE, [("blocks", "long-header")]),
    "web page": (b"<!DOCTYPE html><p>Sign in", [("blocks", "not-csv")]),
    "web page below space": (b" \r\n<html>\n", [("blocks", "not-csv")]),
    "JSON": (b'[{"id": "1"}]', [("blocks", "not-csv")]),
    "header in brackets": (b"id,[a]\n1,x\n", []),
    "XML error": (b"<?xml version='1.0'?><Error/>", [("blocks", "not-csv")]),
    "workbook": (b"PK\x03\x04\x14\0", [("blocks", "not-csv")]),
    "old workbook": (b"\xd0\xcf\x11\xe0\xa1", [("blocks", "not-csv")]),
    "PDF": (b"%PDF-1.7\n", [("blocks", "not-csv")]),
    "gzip": (gzip.compress(CSV), [("blocks", "not-csv")]),
    "bad bytes and no key": (
        b"\xef\xbb\xbfx,a\r\n1,\xe9\r\n",
        [
            ("blocks", "bom"),
            ("blocks", "not-utf-8"),
            ("blocks", "line-ends"),
            ("blocks", "key-missing"),
        ],
    ),
    "other separators of lines": ("id,a\x0bb\u2028c\n1,x\n".encode(), []),
}


@pytest.mark.parametrize(("body", "found"), BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("ranges", [True, False])
def test_what_is_wrong_at_the_beginning_is_found(
    body: bytes, found: list[tuple[str, str]], ranges: bool, web: Web
) -> None:
    assert rules(seen(web, Reply(body=body, ranges=ranges))) == found


def test_findings_say_where(web: Web) -> None:
    file = seen(web, Reply(body=b"x,a\r\n1,b\r\n2,\xe9\r\n"))
    assert [(f.rule, f.row, f.line) for f in file.findings] == [
        ("not-utf-8", None, 3),
        ("line-ends", None, None),
        ("key-missing", 1, 1),
    ]
    _, line_ends, key = (finding.message for finding in file.findings)
    assert numbers(line_ends)[0] == 3
    assert quoted(key) == ["id", "x", "a"]


@pytest.mark.parametrize("cut", range(9))
def test_the_cut_itself_is_never_a_fault(cut: int, web: Web) -> None:
    """Whatever a character or a line end loses at 64 KiB."""
    line = "1,é😀\n".encode()
    body = b"id,a\n" + b"x" * cut + line * (SAMPLE // len(line) + 10)
    assert seen(web, Reply(body=body)).findings == []


def test_a_cr_at_the_cut_is_not_counted(web: Web) -> None:
    body = b"id,a\n" + b"x" * (SAMPLE - 6) + b"\r\n1,x\n"
    file = seen(web, Reply(body=body))
    assert (file.line_ends, file.findings) == ({"LF": 1, "CRLF": 0, "CR": 0}, [])


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 418, 429, 500, 503])
def test_a_refusal_is_told_as_what_ampersand_would_get(status: int, web: Web) -> None:
    file = seen(web, Reply(status=status, body=b"<html>"))
    assert rules(file) == [("blocks", "status")]
    assert status in numbers(messages(file))
    assert (file.header, file.sample_sha256) == ([], "")


def test_an_empty_file_whose_range_is_refused_is_empty(web: Web) -> None:
    class Strict(Handler):
        def answer(self, reply: Reply) -> bytes:
            status = 416 if "Range" in self.headers else 200
            return super().answer(replace(reply, status=status))

    web.RequestHandlerClass = Strict
    assert rules(seen(web, Reply(body=b""))) == [("blocks", "empty")]


def test_a_packed_file_is_unpacked_to_look_and_warned_about(web: Web) -> None:
    body = gzip.compress(b"x,a\n1,x\n")
    file = seen(web, Reply(body=body, headers={"Content-Encoding": "gzip"}))
    assert rules(file) == [("warns", "packed"), ("blocks", "key-missing")]
    assert file.sample_sha256 == hashlib.sha256(body).hexdigest()


def test_a_bomb_is_unpacked_to_64_kib_at_most(web: Web) -> None:
    body = gzip.compress(b"id,a\n" + b"1,x\n" * 10_000_000)
    file = seen(web, Reply(body=body, headers={"Content-Encoding": "gzip"}))
    assert rules(file) == [("warns", "packed")]
    assert sum(file.line_ends.values()) <= SAMPLE // 4


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("br", [("warns", "packed")]),
        ("gzip", [("warns", "packed"), ("blocks", "not-csv")]),
        ("identity", []),
    ],
)
def test_other_encodings(encoding: str, found: list[tuple[str, str]], web: Web) -> None:
    file = seen(web, Reply(headers={"Content-Encoding": encoding}))
    assert rules(file) == found


def signed(kind: str, ends: datetime) -> str:
    """Return the query of an address that was signed for an hour and then ends."""
    start = (ends - timedelta(hours=1)).strftime("%Y%m%dT%H%M%SZ")
    return {
        "S3": f"X-Amz-Date={start}&X-Amz-Expires=3600&X-Amz-Signature=0",
        "Google": f"X-Goog-Date={start}&X-Goog-Expires=3600&X-Goog-Signature=0",
        "older": f"Expires={int(ends.timestamp())}&Signature=0&AWSAccessKeyId=1",
        "Azure": f"se={ends:%Y-%m-%dT%H:%M:%SZ}&sig=0",
    }[kind]


@pytest.mark.parametrize("kind", ["S3", "Google", "older", "Azure"])
@pytest.mark.parametrize(
    ("minutes", "status", "found"),
    [
        (-5, 403, [("blocks", "expired")]),
        (-5, 200, []),
        (5, 200, [("warns", "expires-soon")]),
        (5, 403, [("blocks", "status")]),
        (300, 200, []),
    ],
)
def test_a_signature_that_ends_is_told(
    kind: str, minutes: int, status: int, found: list[tuple[str, str]], web: Web
) -> None:
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=minutes)
    web.replies["*"] = Reply(status=status)
    url = web.at(f"/a.csv?{signed(kind, ends)}")
    file = look(url, key="id", private_hosts=EVERY_HOST)
    assert (rules(file), file.expires_at) == (found, ends)


@pytest.mark.parametrize(
    "query",
    [
        "X-Amz-Date=yesterday&X-Amz-Expires=1",
        "X-Amz-Date=20260101T000000Z&X-Amz-Expires=99999999999999",
        "Expires=99999999999999999999&Signature=1",
        "Expires=x&Signature=1",
        "se=soon&sig=1",
    ],
)
def test_an_odd_expiry_is_none(query: str, web: Web) -> None:
    file = look(web.at(f"/a.csv?{query}"), key="id", private_hosts=EVERY_HOST)
    assert (file.expires_at, file.findings) == (None, [])


def test_path_and_query_go_out_as_they_are_spelled(web: Web) -> None:
    path = "/a%2Fb%20c/d'(e)*~.csv?a=%2f&b=c+d&e=f%3D'[x]&g"
    look(web.at(path), key="id", private_hosts=EVERY_HOST)
    assert {asked for _, asked, _ in web.asked} == {path}


def test_nothing_of_ours_goes_along(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    seen(web, Reply(headers={"Set-Cookie": "a=b"}))
    assert [method for method, _, _ in web.asked] == ["HEAD", "GET"]
    for method, _, headers in web.asked:
        expected = {"Host", "User-Agent", "Accept", "Accept-Encoding"}
        assert set(headers) == expected | ({"Range"} if method == "GET" else set())
        assert headers["Accept-Encoding"] == "identity"


def test_what_was_seen_is_stored_and_comes_back(web: Web) -> None:
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=5)
    url = web.at(f"/a.csv?{signed('S3', ends)}")
    web.replies["*"] = Reply(body=b"x;a\r\n\xe9", headers={"ETag": '"1"'})
    file = look(url, key="id", private_hosts=EVERY_HOST)
    assert file.findings
    assert RemoteFile.from_json(json.loads(json.dumps(file.as_json()))) == file


# ── whether it is still the same ───────────────────────────────────────────────────

SEEN = RemoteFile(
    status=206,
    size=100,
    etag='"1"',
    last_modified="Mon, 23 Nov 2026 18:00:00 GMT",
    sample_sha256="aa",
    sample_size=100,
    final_url="https://example.com/a.csv",
    looked_at=datetime(2026, 11, 23, tzinfo=UTC),
)
CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({}, ""),
    "a later look": ({"looked_at": datetime(2026, 11, 24, tzinfo=UTC)}, ""),
    "a weak ETag": ({"etag": 'W/"1"'}, ""),
    "no ETag told": ({"etag": ""}, ""),
    "no size told": ({"size": None}, ""),
    "whole instead of a range": ({"status": 200}, ""),
    "ETag": ({"etag": '"2"'}, 'its ETag was “"1"” and is now “"2"”'),
    "date": ({"last_modified": "Tue"}, "its Last-Modified was “Mon, 23 Nov"),
    "size": (
        {"size": 1234567},
        "its size was “100 bytes” and is now “1,234,567 bytes”",
    ),
    "content": ({"sample_sha256": "bb"}, "its first 64 KiB differ"),
    "gone": ({"status": 404, "sample_sha256": ""}, "now answers 404 (Not Found)"),
}


@pytest.mark.parametrize(("change", "said"), CHANGES.values(), ids=CHANGES)
def test_a_change_between_two_looks_is_told(change: dict[str, Any], said: str) -> None:
    told = same(SEEN, replace(SEEN, **change))
    assert said in told
    assert bool(told) == bool(said)


def test_two_looks_at_one_file_are_the_same_and_at_another_not(web: Web) -> None:
    before = seen(web, Reply())
    assert same(before, seen(web, Reply(ranges=False, head_status=403))) == ""
    assert same(before, seen(web, Reply(body=CSV.replace(b"x", b"z")))) != ""
