"""A file is served whole or in ranges, unchanged, and never kept on the way."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponseBase, StreamingHttpResponse
from django.test import RequestFactory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from writes.views.range_response import BLOCK, respond

CONTENT = b"id,a\n1,x\n2,y\n"
LENGTH = len(CONTENT)
TAG = '"abc"'

# An answer that is closed ends its request, which looks at the database.
pytestmark = [pytest.mark.pages, pytest.mark.django_db]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.csv"
    path.write_bytes(CONTENT)
    return path


def ask(
    path: Path,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
) -> HttpResponseBase:
    request = RequestFactory().generic(method, "/x.csv", headers=headers)
    return respond(request, path, etag="abc", name="write-7.csv")


def content(answer: Any) -> bytes:
    """Return the body, and close the answer as a server would."""
    parts = answer.streaming_content if answer.streaming else [answer.content]
    joined = b"".join(parts)
    answer.close()
    return joined


def test_the_whole_file_comes_byte_for_byte(path: Path) -> None:
    answer = ask(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Length"] == str(LENGTH)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="write-7.csv"'
    assert "Content-Range" not in answer.headers
    assert content(answer) == CONTENT


EVERY = {
    "whole": ("GET", {}, 200),
    "head": ("HEAD", {}, 200),
    "range": ("GET", {"Range": "bytes=0-1"}, 206),
    "unchanged": ("GET", {"If-None-Match": TAG}, 304),
    "another": ("GET", {"If-Match": '"other"'}, 412),
    "beyond": ("GET", {"Range": "bytes=99-"}, 416),
}


@pytest.mark.parametrize(("method", "headers", "status"), EVERY.values(), ids=EVERY)
def test_every_answer_says_how_it_may_be_used(
    method: str, headers: dict[str, str], status: int, path: Path
) -> None:
    answer = ask(path, method, headers)
    assert answer.status_code == status
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["ETag"] == TAG
    answer.close()


RANGES = {
    "from the start": ("bytes=0-3", 0, 4),
    "inside": ("bytes=5-8", 5, 9),
    "one byte": ("bytes=4-4", 4, 5),
    "the last byte": (f"bytes={LENGTH - 1}-", LENGTH - 1, LENGTH),
    "open": ("bytes=5-", 5, LENGTH),
    "all": ("bytes=0-", 0, LENGTH),
    "the end": ("bytes=-4", LENGTH - 4, LENGTH),
    "more than there is": ("bytes=5-999", 5, LENGTH),
    "a longer end than there is": ("bytes=-999", 0, LENGTH),
    "in capitals": ("BYTES=0-3", 0, 4),
}


@pytest.mark.parametrize(("asked", "start", "stop"), RANGES.values(), ids=RANGES)
def test_a_range_comes_alone(asked: str, start: int, stop: int, path: Path) -> None:
    answer = ask(path, headers={"Range": asked})
    assert answer.status_code == 206
    assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{LENGTH}"
    assert answer.headers["Content-Length"] == str(stop - start)
    assert content(answer) == CONTENT[start:stop]


@pytest.mark.parametrize("asked", [f"bytes={LENGTH}-", "bytes=99-100", "bytes=-0"])
def test_a_range_that_is_not_there_is_refused(asked: str, path: Path) -> None:
    answer = ask(path, headers={"Range": asked})
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{LENGTH}"
    assert content(answer) == b""


@pytest.mark.parametrize(
    "asked",
    [
        "bytes=3-1",
        "bytes=-",
        "bytes=",
        "bytes=a-b",
        "bytes=0-1,3-4",
        "rows=0-1",
        "0-1",
        "bytes=--1",
        "bytes=²-3",
        f"bytes=0-{'9' * 5000}",
    ],
)
def test_a_range_that_makes_no_sense_is_ignored(asked: str, path: Path) -> None:
    answer = ask(path, headers={"Range": asked})
    assert answer.status_code == 200
    assert content(answer) == CONTENT


@pytest.mark.parametrize(
    ("version", "status"),
    [(TAG, 206), ('"old"', 200), (f"W/{TAG}", 200), ("abc", 200)],
)
def test_a_range_of_another_version_is_the_whole_file(
    version: str, status: int, path: Path
) -> None:
    answer = ask(path, headers={"Range": "bytes=5-", "If-Range": version})
    assert answer.status_code == status
    assert content(answer) == (CONTENT[5:] if status == 206 else CONTENT)


@pytest.mark.parametrize("known", [TAG, f"W/{TAG}", f'"x", {TAG}', "*"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_who_has_it_does_not_get_it_again(method: str, known: str, path: Path) -> None:
    answer = ask(path, method, {"If-None-Match": known, "Range": "bytes=0-1"})
    assert answer.status_code == 304
    assert "Content-Length" not in answer.headers
    assert content(answer) == b""


def test_who_has_another_version_gets_this_one(path: Path) -> None:
    answer = ask(path, headers={"If-None-Match": '"old", "abcd"'})
    assert content(answer) == CONTENT


@pytest.mark.parametrize(
    ("wanted", "status"), [(TAG, 200), ("*", 200), ('"old"', 412), (f"W/{TAG}", 412)]
)
def test_only_the_version_that_is_wanted(wanted: str, status: int, path: Path) -> None:
    answer = ask(path, headers={"If-Match": wanted})
    assert answer.status_code == status
    answer.close()


@pytest.mark.parametrize("name", ["If-Unmodified-Since", "If-Modified-Since"])
def test_dates_are_ignored_as_there_is_none_to_compare(name: str, path: Path) -> None:
    answer = ask(path, headers={name: "Mon, 23 Nov 2026 18:00:00 GMT"})
    assert content(answer) == CONTENT


@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=0-1"}])
def test_head_tells_the_size_of_the_whole_and_no_more(
    headers: dict[str, str], path: Path
) -> None:
    answer = ask(path, "HEAD", headers)
    assert answer.status_code == 200
    assert answer.headers["Content-Length"] == str(LENGTH)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert content(answer) == b""


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_refused(method: str, path: Path) -> None:
    answer = ask(path, method)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD"


def test_a_name_cannot_break_out_of_its_header(path: Path) -> None:
    request = RequestFactory().get("/x.csv")
    answer = respond(request, path, etag="abc", name='a"\\; x="é.csv')
    disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith("attachment; filename*=utf-8''a%22")
    answer.close()


def test_an_empty_file_is_served(tmp_path: Path) -> None:
    empty = tmp_path / "empty.csv"
    empty.touch()
    answer = ask(empty)
    assert answer.headers["Content-Length"] == "0"
    assert content(answer) == b""
    assert ask(empty, headers={"Range": "bytes=0-"}).status_code == 416


def test_a_file_that_is_gone_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ask(tmp_path / "gone.csv")


def test_a_file_that_became_shorter_does_not_look_whole(path: Path) -> None:
    answer = ask(path)
    path.write_bytes(CONTENT[:5])
    with pytest.raises(OSError, match=re.escape(path.name)):
        content(answer)
    answer.close()


def test_a_large_file_comes_in_blocks(tmp_path: Path) -> None:
    large = tmp_path / "large.csv"
    large.write_bytes(b"x" * (3 * BLOCK + 1))
    answer = ask(large)
    assert isinstance(answer, StreamingHttpResponse)
    blocks = [len(block) for block in answer.streaming_content]
    assert blocks == [BLOCK, BLOCK, BLOCK, 1]
    answer.close()


def test_an_answer_that_is_given_up_closes_its_file(tmp_path: Path) -> None:
    # A file left open would warn, and warnings fail.
    large = tmp_path / "large.csv"
    large.write_bytes(b"x" * (2 * BLOCK))
    answer = ask(large)
    assert isinstance(answer, StreamingHttpResponse)
    reading = iter(answer.streaming_content)
    assert next(reading)
    answer.close()
    assert list(reading) == []


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ends=st.lists(st.integers(0, LENGTH - 1), min_size=2, max_size=2))
def test_any_range_is_that_of_the_file(ends: list[int], path: Path) -> None:
    first, last = sorted(ends)
    answer = ask(path, headers={"Range": f"bytes={first}-{last}"})
    assert content(answer) == CONTENT[first : last + 1]
