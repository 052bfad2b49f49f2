"""A page for tests of the web server: it says what it received, or sends a lot."""

import hashlib
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from wsgiref.types import StartResponse

MIB = 1024 * 1024
BLOCK = b"0123456789abcdef" * 4096


def application(
    environ: dict[str, Any], start_response: StartResponse
) -> Iterable[bytes]:
    """Do what the path says."""
    path = environ["PATH_INFO"].strip("/")
    return _PAGES.get(path, _digest)(environ, start_response)


def _digest(environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
    digest = hashlib.sha256()
    left = int(environ.get("CONTENT_LENGTH") or 0)
    while left and (data := environ["wsgi.input"].read(min(left, len(BLOCK)))):
        digest.update(data)
        left -= len(data)
    return _text(start, f"{left} {digest.hexdigest()}")


def _ignore(environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
    return _text(start, "ignored")


def _slow(environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
    time.sleep(2)
    return _text(start, "slow")


def _file(environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the server closes it
    file.write(BLOCK * 16 * 16)
    file.seek(0)
    start("200 OK", [("Content-Length", str(16 * MIB))])
    wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](file)
    return wrapped


def _stream(environ: dict[str, Any], start: StartResponse) -> Iterator[bytes]:
    start("200 OK", [("Content-Type", "text/plain")])
    for _ in range(16 * 16):
        yield BLOCK


def _text(start: StartResponse, text: str) -> Iterable[bytes]:
    start("200 OK", [("Content-Length", str(len(text)))])
    return [text.encode()]


_PAGES: dict[str, Callable[..., Iterable[bytes]]] = {
    "ignore": _ignore,
    "slow": _slow,
    "file": _file,
    "stream": _stream,
}
