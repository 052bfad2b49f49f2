"""Looking at an address: what is told about the file, and where nobody is led."""

import gzip
import hashlib
import http.server
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpcore
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from files.remote.addresses import is_forbidden, is_private, is_private_host, parsed
from files.remote.looking import (
    LARGE,
    LARGEST,
    SAMPLE,
    NotLooked,
    RemoteFile,
    look,
    same,
)
from tests.hosts import EVERY_HOST
from tests.texts import numbers, quoted

CSV = b"id,a\n1,x\n2,y\n"
PUBLIC = "93.184.215.14"


@dataclass
class Reply:
    """What a server answers. `size` is told instead of the body's own length."""

    body: bytes = CSV
    status: int = 200
    head_status: int = 200
    ranges: bool = True
    size: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    drip: bool = False
    endless: bool = False


class Web(http.server.ThreadingHTTPServer):
    """A server that answers by path and notes what it was asked."""

    daemon_threads = True
    # A look may hang up before the answer ends.
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.replies: dict[str, Reply] = {}
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.sent = 0
        self.stopped = threading.Event()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def at(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that hang up."""


class Handler(http.server.BaseHTTPRequestHandler):
    server: Web

    def do_HEAD(self) -> None:
        self.answer(self.note())

    def do_GET(self) -> None:
        reply = self.note()
        if reply.drip:
            self.drip()
        elif body := self.answer(reply):
            self.wfile.write(body)
            self.server.sent += len(body)
            while reply.endless:
                self.wfile.write(body)
                self.server.sent += len(body)

    def note(self) -> Reply:
        self.server.asked.append((self.command, self.path, dict(self.headers)))
        return self.server.replies.get(self.path) or self.server.replies["*"]

    def answer(self, reply: Reply) -> bytes:
        """Send the status and headers, and return the body that belongs to them."""
        body = reply.body
        size = len(body) if reply.size is None else reply.size
        status = reply.status
        headers = dict(reply.headers)
        if self.command == "HEAD" and reply.head_status != 200:
            status = reply.head_status
        elif status == 200 and body and reply.ranges and "Range" in self.headers:
            status, body = 206, body[:SAMPLE]
            headers.setdefault("Content-Range", f"bytes 0-{len(body) - 1}/{size}")
            size = len(body)
        if reply.endless:
            size = 10 * 1024**3
        headers.setdefault("Content-Length", str(size))
        self.send_response(status)
        for name, value in headers.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        return body

    def drip(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not self.server.stopped.wait(0.05):
            self.wfile.write(b"x")

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@contextmanager
def served(context: ssl.SSLContext | None = None) -> Iterator[Web]:
    web = Web()
    if context is not None:
        web.socket = context.wrap_socket(web.socket, server_side=True)
    thread = threading.Thread(target=web.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield web
    finally:
        web.stopped.set()
        web.shutdown()
        thread.join()
        web.server_close()


@pytest.fixture
def web() -> Iterator[Web]:
    with served() as web:
        web.replies["*"] = Reply()
        yield web


class Detour(httpcore.NetworkBackend):
    """Notes where it is told to connect to, and connects to a local server instead."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.connected: list[str] = []

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        self.connected.append(host)
        return httpcore.SyncBackend().connect_tcp("127.0.0.1", self.port, timeout)


def names(*answers: Sequence[str]) -> Callable[[str, int], Sequence[str]]:
    """Return a resolver that gives one answer after the other, the last for ever."""
    left = list(answers)
    return lambda host, port: left.pop(0) if len(left) > 1 else left[0]


def seen(web: Web, reply: Reply, key: str = "id") -> RemoteFile:
    """Look at a reply."""
    web.replies["/a.csv"] = reply
    return look(web.at("/a.csv"), key=key, private_hosts=EVERY_HOST)


def rules(file: RemoteFile) -> list[tuple[str, str]]:
    return [(finding.level, finding.rule) for finding in file.findings]


def messages(file: RemoteFile) -> str:
    return "\n".join(finding.message for finding in file.findings)


@contextmanager
def refused(code: str) -> Iterator[None]:
    """Expect that nothing could be found out, and why."""
    with pytest.raises(NotLooked) as caught:
        yield
    assert caught.value.code == code


# ── what is told about the file ────────────────────────────────────────────────────


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


# ── where nobody is led ────────────────────────────────────────────────────────────

PRIVATE_HOSTS = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f.1",
    "0x7f000001",
    "0177.0.0.1",
    "127.0.0.1.",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
    "0",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[::ffff:169.254.169.254]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::808:808]",
    "[2002:7f00:1::]",
    "[2001:0:0:0:0:0:0:1]",
    "[2001:db8::1]",
    "[fd00::1]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[fe80::1%eth0]",
    "[fec0::1]",
    "[ff02::1]",
    "[5f00::1]",
    "localhost",
    "LOCALHOST.",
    "a.localhost",
    "printer.local",
    "db.internal",
    "nas.home.arpa",
    "intranet",
    "",
]
PUBLIC_HOSTS = [
    PUBLIC,
    "8.8.8.8",
    "0x08080808",
    "168.63.129.17",
    "[2606:4700::1111]",
    "[::ffff:8.8.8.8]",
    "[64:ff9b::808:808]",
    "example.com",
    "example.com.",
    "internal.example.com",
    "127.0.0.1.example.com",
    "bücher.example",
]


@pytest.mark.parametrize("host", PRIVATE_HOSTS)
def test_a_private_host_is_known_in_any_spelling(host: str) -> None:
    assert is_private_host(host)


@pytest.mark.parametrize("host", PUBLIC_HOSTS)
def test_a_public_host_is_not_private(host: str) -> None:
    assert not is_private_host(host)


@given(st.ip_addresses(v=4))
@settings(max_examples=300)
def test_ipv6_forms_are_as_private_as_what_they_hold(address: Any) -> None:
    number = int(address)
    forms = [f"::ffff:{address}", f"64:ff9b::{address}", f"::{address}"]
    forms.append(f"2002:{number >> 16:x}:{number & 0xFFFF:x}::")
    for form in forms:
        # “::” and “::1” are IPv6's own.
        if number > 1:
            assert is_private(ip_address(form)) == is_private(address)
            assert is_forbidden(ip_address(form)) == is_forbidden(address)


@given(st.ip_addresses(v=4))
@settings(max_examples=300)
def test_numbers_are_read_as_c_libraries_read_them(address: Any) -> None:
    a, b, c, d = address.packed
    for text in (f"{int(address)}", f"{a:#x}.{(b << 16) + (c << 8) + d}", f"{address}"):
        assert parsed(text) == address


@given(st.text(max_size=20))
@settings(max_examples=300)
def test_any_host_has_an_answer(host: str) -> None:
    assert is_private_host(host) in (True, False)


@pytest.mark.parametrize("host", [host for host in PRIVATE_HOSTS if host])
def test_a_private_host_is_not_connected_to(host: str, web: Web) -> None:
    network = Detour(web.port)
    with pytest.raises(NotLooked):
        look(f"http://{host}/a.csv", key="id", private_hosts=(), network=network)
    assert network.connected == []


def test_a_local_server_is_refused_unless_private_addresses_are_allowed(
    web: Web,
) -> None:
    with refused("private"):
        look(web.at("/a.csv"), key="id", private_hosts=())
    assert web.asked == []
    assert look(web.at("/a.csv"), key="id", private_hosts=EVERY_HOST).findings == []


@pytest.mark.parametrize(
    "found",
    [
        ["127.0.0.1"],
        [PUBLIC, "127.0.0.1"],
        ["10.1.2.3"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["169.254.169.254"],
        ["fe80::1%eth0"],
        ["2606:4700::1111", "fd00::1"],
    ],
)
def test_a_public_name_that_leads_inside_is_refused(found: list[str], web: Web) -> None:
    network = Detour(web.port)
    with refused("unreachable"):
        look(
            "http://files.example.com/a.csv",
            key="id",
            private_hosts=(),
            resolve=names(found),
            network=network,
        )
    assert network.connected == []


def test_the_address_that_was_checked_is_the_one_connected_to(web: Web) -> None:
    network = Detour(web.port)
    file = look(
        "http://files.example.com/a.csv",
        key="id",
        private_hosts=(),
        resolve=names([PUBLIC]),
        network=network,
    )
    assert file.findings == []
    # Never a name, which would be looked up again.
    assert set(network.connected) == {PUBLIC}
    assert {headers["Host"] for _, _, headers in web.asked} == {"files.example.com"}


def test_a_name_that_leads_elsewhere_the_second_time_is_refused_then(web: Web) -> None:
    network = Detour(web.port)
    with refused("unreachable"):
        look(
            "http://rebinding.example.com/a.csv",
            key="id",
            private_hosts=(),
            resolve=names([PUBLIC], ["127.0.0.1"]),
            network=network,
        )
    assert network.connected == [PUBLIC]
    assert [method for method, _, _ in web.asked] == ["HEAD"]


def test_the_next_address_is_tried_where_one_takes_no_connection(web: Web) -> None:
    class Half(Detour):
        def connect_tcp(self, host: str, *rest: Any) -> httpcore.NetworkStream:
            if host == PUBLIC:
                raise httpcore.ConnectError
            return super().connect_tcp(host, *rest)

    file = look(
        "http://files.example.com/a.csv",
        key="id",
        private_hosts=(),
        resolve=names([PUBLIC, "8.8.8.8"]),
        network=Half(web.port),
    )
    assert file.findings == []


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "[fe80::1]", "168.63.129.16", "224.0.0.1", "0xa9fea9fe"]
)
def test_metadata_is_out_of_reach_whatever_a_setting_names(host: str, web: Web) -> None:
    network = Detour(web.port)
    with refused("forbidden"):
        look(
            f"http://{host}/a.csv", key="id", private_hosts=EVERY_HOST, network=network
        )
    with refused("unreachable"):
        look(
            "http://a.example/x",
            key="id",
            private_hosts=EVERY_HOST,
            resolve=names([str(parsed(host))]),
            network=network,
        )
    assert network.connected == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.csv",
        "ftp://example.com/a.csv",
        "file:///etc/passwd",
        "gopher://example.com/",
        "//example.com/a.csv",
        "http://",
        "http:///a.csv",
        "http://user@example.com/",
        "http://user:secret@example.com/",
        "http://example.com@127.0.0.1/",
        "http://example.com:80@127.0.0.1/",
        "http://@example.com/",
        "http://good.example\\@evil.example/",
        "http://good.example\\.evil.example/",
        "http://exa mple.com/",
        "http://example.com/a b",
        "http://example.com/a\nHost: b",
        "http://example.com/\x00",
        "http://example.com\t/",
        "http://example.com:99999/",
        "http://example.com:x/",
        "http://[::1/",
        "http://[example.com]/",
        "http://exa%6dple.com/",
        "http://\ud800/",
        "http://" + "a" * 300 + ".com/",
    ],
)
def test_what_is_no_plain_address_is_refused(url: str, web: Web) -> None:
    network = Detour(web.port)
    with pytest.raises(NotLooked) as caught:
        look(url, key="id", private_hosts=(), network=network, resolve=names([]))
    assert network.connected == []
    assert "secret" not in str(caught.value)


@given(st.text(max_size=40))
@settings(max_examples=300, deadline=None)
def test_no_address_is_worse_than_not_looked(rest: str) -> None:
    with pytest.raises(NotLooked):
        look(f"http://{rest}", key="id", private_hosts=(), resolve=names([]))


def lead(web: Web, *steps: str) -> str:
    """Let one path lead on to the next, and return where it begins."""
    for number, step in enumerate(steps):
        web.replies[f"/{number}"] = Reply(status=302, headers={"Location": step})
    return web.at("/0")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed_and_told(status: int, web: Web) -> None:
    reply = Reply(status=status, headers={"Location": "a.csv#top"})
    web.replies["/0"] = reply
    file = look(web.at("/0"), key="id", private_hosts=EVERY_HOST)
    assert file.final_url == web.at("/a.csv")
    assert rules(file) == [("warns", "redirected")]


def test_three_redirects_are_followed_and_no_more(web: Web) -> None:
    assert look(
        lead(web, "/1", "/2", "/a.csv"), key="id", private_hosts=EVERY_HOST
    ).size
    url = lead(web, "/1", "/2", "/3", "/a.csv")
    with refused("redirects"):
        look(url, key="id", private_hosts=EVERY_HOST)


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1/a.csv",
        "//127.1/a.csv",
        "http://[::ffff:127.0.0.1]/a.csv",
        "http://inside.example.com/a.csv",
        "http://user:canary@files.example.com/a.csv",
        "http://[broken/a.csv",
        "file:///etc/passwd",
        "ftp://files.example.com/a.csv",
        "data:text/csv,id",
    ],
)
def test_a_redirect_is_checked_like_the_first_address(location: str, web: Web) -> None:
    web.replies["/0"] = Reply(status=302, headers={"Location": location})
    network = Detour(web.port)

    def resolve(host: str, port: int) -> list[str]:
        return ["10.0.0.1"] if host.startswith("inside") else [PUBLIC]

    with pytest.raises(NotLooked) as caught:
        look(
            "http://files.example.com/0",
            key="id",
            private_hosts=(),
            resolve=resolve,
            network=network,
        )
    assert set(network.connected) == {PUBLIC}
    assert {path for _, path, _ in web.asked} == {"/0"}
    assert "canary" not in str(caught.value)


def test_a_redirect_without_an_address_is_a_refusal(web: Web) -> None:
    file = seen(web, Reply(status=302))
    assert rules(file) == [("blocks", "status")]


def test_the_finding_of_a_redirect_does_not_quote_its_query(web: Web) -> None:
    file = look(lead(web, "/a.csv?sig=canary"), key="id", private_hosts=EVERY_HOST)
    assert "canary" in file.final_url
    assert "canary" not in messages(file)


# ── limits ─────────────────────────────────────────────────────────────────────────


def test_a_server_that_drips_is_left(web: Web) -> None:
    web.replies["*"] = Reply(drip=True)
    with refused("unreachable"):
        look(web.at("/a.csv"), key="id", private_hosts=EVERY_HOST, timeout=0.5)


def test_a_server_that_says_nothing_is_left() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with refused("unreachable"):
            look(url, key="id", private_hosts=EVERY_HOST, timeout=0.5)


def test_a_port_that_nobody_listens_on_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with refused("unreachable"):
        look(f"http://127.0.0.1:{port}/", key="id", private_hosts=EVERY_HOST)


def test_a_name_that_nobody_knows_is_told() -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise socket.gaierror

    with refused("unreachable"):
        look("http://gone.example/", key="id", private_hosts=(), resolve=resolve)


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Length": "x"},
        {"Content-Length": "500"},
        {"Transfer-Encoding": "chunked"},
        {"X-Long": "x" * 200_000},
    ],
    ids=["no length", "too short", "not chunked", "long header"],
)
def test_an_answer_that_cannot_be_read_is_told(
    headers: dict[str, str], web: Web
) -> None:
    with refused("broken-answer"):
        seen(web, Reply(ranges=False, headers=headers))


# ── TLS ────────────────────────────────────────────────────────────────────────────


@dataclass
class Tls:
    server: ssl.SSLContext
    client: ssl.SSLContext
    names: list[str | None]


@pytest.fixture
def tls(tmp_path: Path) -> Tls:
    """Both sides of a connection to files.example.com, and the names asked for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("files.example.com")]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    path = tmp_path / "server.pem"
    path.write_bytes(
        pem
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    asked: list[str | None] = []
    server.sni_callback = lambda _, name, __: asked.append(name)
    client = ssl.create_default_context(cadata=pem.decode())
    return Tls(server, client, asked)


def look_by_https(
    web: Web, tls: Tls, host: str, *, path: str = "/a.csv", trusted: bool = True
) -> RemoteFile:
    return look(
        f"https://{host}{path}",
        key="id",
        private_hosts=(),
        resolve=names([PUBLIC]),
        network=Detour(web.port),
        tls=tls.client if trusted else None,
    )


def test_the_certificate_is_checked_against_the_name_not_the_address(tls: Tls) -> None:
    with served(tls.server) as web:
        web.replies["*"] = Reply()
        assert look_by_https(web, tls, "files.example.com").findings == []
    assert set(tls.names) == {"files.example.com"}


@pytest.mark.parametrize(
    ("host", "trusted"), [("other.example.com", True), ("files.example.com", False)]
)
def test_a_certificate_that_does_not_fit_is_refused(
    host: str, trusted: bool, tls: Tls
) -> None:
    with served(tls.server) as web:
        web.replies["*"] = Reply()
        with refused("certificate"):
            look_by_https(web, tls, host, trusted=trusted)
        assert web.asked == []


def test_a_step_down_from_https_is_refused(tls: Tls) -> None:
    with served(tls.server) as web:
        url = "http://files.example.com/a.csv"
        web.replies["*"] = Reply(status=302, headers={"Location": url})
        with refused("step-down"):
            look_by_https(web, tls, "files.example.com")


def test_https_to_a_server_that_speaks_http_is_told(web: Web, tls: Tls) -> None:
    with refused("no-https"):
        look_by_https(web, tls, "files.example.com")
