"""What the answers tell about a file, but for its content."""

import re
import zlib
from datetime import datetime
from http import HTTPStatus
from urllib.parse import urlsplit

from files.findings import Finding, Level
from files.remote.asking import SAMPLE, Answer
from files.remote.expiry import moment
from files.remote.guard import NotLooked
from files.remote.sample import Sample
from files.shown import shown

# Ampersand documents 150 MiB. Salesforce counts after base64, which adds up to a half:
# it recommends at most 100 MB (Bulk API 2.0 guide, "Limits").
LARGEST = 157_286_400
LARGE = 100_000_000

_NUMBER = re.compile(r"\d{1,18}", re.ASCII)
_BEGINNING = re.compile(r"bytes 0-\d{1,18}/(\d{1,18}|\*)", re.ASCII)


def is_ok(status: int) -> bool:
    """Tell whether an answer brings the file, or its beginning."""
    return status in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT)


def status_text(status: int) -> str:
    """Return "404 (Not Found)"."""
    try:
        return f"{status} ({HTTPStatus(status).phrase})"
    except ValueError:
        return str(status)


def redirected(url: str) -> Finding:
    """Return the warning that an address led on to `url`."""
    # The host only: the query may be as good as a password.
    host = urlsplit(url).hostname or ""
    message = (
        f"The URL redirects to {shown(host)}. Whether Ampersand follows redirects is "
        "not documented; the final URL of the file is safer."
    )
    return Finding(level="warns", rule="redirected", message=message)


def refused(status: int, expires_at: datetime | None, now: datetime) -> Finding:
    """Return what it means that there is no file but a `status`."""
    said = f"The URL answers {status_text(status)}; Ampersand would get the same."
    if expires_at is not None and expires_at <= now:
        message = f"{said} It expired on {moment(expires_at)}: make a new one."
        return Finding(level="blocks", rule="expired", message=message)
    if status in (401, 403):
        todo = "It must be readable without signing in; a signed one may have expired."
    elif status == HTTPStatus.TOO_MANY_REQUESTS or status >= 500:
        todo = "Try again later."
    else:
        todo = "Check its spelling and whether the file still exists."
    return Finding(level="blocks", rule="status", message=f"{said} {todo}")


def size_of(answer: Answer, head: Answer | None) -> int | None:
    """Return the size of the whole file in bytes, None where it is not told.

    Raises: NotLooked where the answer is another part than its beginning.
    """
    body = len(answer.body)
    if answer.status == HTTPStatus.PARTIAL_CONTENT:
        part = _BEGINNING.fullmatch(answer.headers.get("content-range", ""))
        if part is None:
            raise NotLooked(
                "another-part",
                "The server was asked for the beginning of the file and answered with "
                "something else. Host the file elsewhere.",
            )
        total = part[1]
    else:
        total = answer.headers.get("content-length", "")
        if not total and body < SAMPLE:
            return body
    if _NUMBER.fullmatch(total):
        return int(total)
    length = head.headers.get("content-length", "") if head else ""
    # Programs that do not care for HEAD answer it with a length of 0.
    is_known = _NUMBER.fullmatch(length) and int(length) >= body
    return int(length) if is_known else None


def size_findings(size: int | None) -> list[Finding]:
    """Return what is wrong with a size in bytes."""
    level: Level = "warns"
    if size is None:
        rule = "size-unknown"
        message = (
            f"The server does not tell the size. Up to {LARGEST:,} bytes can be sent."
        )
    elif size > LARGEST:
        level, rule = "blocks", "too-big"
        message = (
            f"The file is {size:,} bytes; Ampersand accepts {LARGEST:,} bytes (150 "
            "MiB). Split it."
        )
    elif size > LARGE:
        rule = "large"
        message = (
            f"The file is {size:,} bytes. Salesforce counts it after encoding, which "
            f"adds up to a half, and may refuse it. Keep it below {LARGE:,} bytes."
        )
    else:
        return []
    return [Finding(level=level, rule=rule, message=message)]


def unpacked(answer: Answer, size: int | None) -> tuple[Sample | None, list[Finding]]:
    """Return the beginning of the file itself, and what is wrong with its packing.

    It is None where it cannot be unpacked. `size` is that of the file as it comes.
    """
    body = answer.body
    encoding = answer.headers.get("content-encoding", "").lower()
    if encoding in ("", "identity"):
        is_whole = len(body) < SAMPLE if size is None else size <= len(body)
        return Sample(body, is_whole), []
    message = (
        f"The file is served compressed ({shown(encoding)}), although this was not "
        "requested. Whether Ampersand unpacks it is not documented; store it "
        "uncompressed."
    )
    packed = Finding(level="warns", rule="packed", message=message)
    if encoding not in ("gzip", "x-gzip"):
        return None, [packed]
    gunzip = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        # No more than a sample: a few bytes may unpack to gigabytes.
        content = gunzip.decompress(body, SAMPLE)
    except zlib.error:
        message = "The file is declared as gzip but is not. Store it again."
        broken = Finding(level="blocks", rule="not-csv", message=message)
        return None, [packed, broken]
    return Sample(content, gunzip.eof), [packed]
