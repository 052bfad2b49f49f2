"""Serving a file of ours to whoever fetches it: whole or in ranges, and unchanged.

RFC 9110 says what the headers mean; the section is named where it decides something.
"""

import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    HttpResponseNotModified,
    StreamingHttpResponse,
)
from django.utils.http import content_disposition_header, parse_etags, quote_etag

from operations.csv_export import CSV

BLOCK = 256 * 1024

# No file has more digits to its size; longer ones are not read as numbers.
_RANGE = re.compile(r"bytes=\s*([0-9]{0,18})-([0-9]{0,18})\s*", re.IGNORECASE)


def respond(
    request: HttpRequest, path: Path, *, etag: str, name: str
) -> HttpResponseBase:
    """Answer GET or HEAD with the file at `path` or the range of it asked for.

    `etag` changes with every byte, as a digest does, and comes without quotes. `name`
    is what a browser saves it as. Answers 200, 206, 304, 405, 412 or 416.

    Raises: OSError where the file cannot be read.
    """
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    length = path.stat().st_size
    tag = quote_etag(etag)
    response = _precondition(request, tag) or _content(request, path, length, tag)
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = "private, no-store"
    response["Content-Disposition"] = content_disposition_header(True, name)
    response["ETag"] = tag
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _precondition(request: HttpRequest, tag: str) -> HttpResponse | None:
    """Return the answer that If-Match or If-None-Match asks for, or None (13.2.2).

    Django's own function would answer 412 to If-Unmodified-Since, which has to be
    ignored where there is no date (13.1.4).
    """
    wanted = parse_etags(request.headers.get("If-Match", ""))
    if wanted and "*" not in wanted and tag not in wanted:
        return HttpResponse(status=HTTPStatus.PRECONDITION_FAILED)
    known = parse_etags(request.headers.get("If-None-Match", ""))
    if "*" in known or tag in (each.removeprefix("W/") for each in known):
        return HttpResponseNotModified()
    return None


def _content(
    request: HttpRequest, path: Path, length: int, tag: str
) -> HttpResponseBase:
    asked = _asked(request, tag, length)
    start, stop = asked or (0, length)
    if asked and start >= stop:
        unsatisfied = HttpResponse(status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
        unsatisfied["Content-Range"] = f"bytes */{length}"
        return unsatisfied
    response: HttpResponseBase
    if request.method == "HEAD":
        response = HttpResponse(content_type=CSV)
    else:
        response = StreamingHttpResponse(_blocks(path, start, stop), content_type=CSV)
    response["Content-Length"] = str(stop - start)
    if asked:
        response.status_code = HTTPStatus.PARTIAL_CONTENT
        response["Content-Range"] = f"bytes {start}-{stop - 1}/{length}"
    return response


def _asked(request: HttpRequest, tag: str, length: int) -> tuple[int, int] | None:
    """Return start and stop of the range asked for, None for the whole.

    Start is not before stop where the file has no such bytes. Several ranges, other
    units and nonsense are ignored (14.2), and so is a range of another version (13.1.5)
    or one for HEAD (14.2).
    """
    match = _RANGE.fullmatch(request.headers.get("Range", ""))
    if request.method != "GET" or match is None:
        return None
    if request.headers.get("If-Range", tag) != tag:
        return None
    first, last = match.groups()
    if not first:
        return (max(length - int(last), 0), length) if last else None
    if not last:
        return int(first), length
    if int(last) < int(first):
        return None
    return int(first), min(int(last) + 1, length)


def _blocks(path: Path, start: int, stop: int) -> Iterator[bytes]:
    """Yield the bytes from `start` to before `stop`, in blocks.

    Raises: OSError where the file is gone or has become shorter. The fetcher then sees
    the connection break, not an answer that looks whole.
    """
    with path.open("rb") as file:
        file.seek(start)
        while start < stop:
            block = file.read(min(BLOCK, stop - start))
            if not block:
                raise OSError(f"{path.name} became shorter while it was served.")
            start += len(block)
            yield block
