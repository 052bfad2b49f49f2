"""Asking for the beginning of a file, and following where the answers lead."""

import re
import ssl
import string
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import quote, urljoin, urlsplit

import httpcore
import httpx

from files.remote.guard import Guard, NotLooked, unreachable
from files.shown import shown

SAMPLE = 65_536
MOST_REDIRECTS = 3


class Answer(NamedTuple):
    """The last answer after redirects. `body` is its beginning, 64 KiB at most."""

    url: str
    status: int
    headers: dict[str, str]
    body: bytes


def ask(
    url: str, guard: Guard, *, timeout: float, tls: ssl.SSLContext | None
) -> tuple[Answer | None, Answer]:
    """Return the answers to HEAD, None where it does not help, and to GET.

    `timeout` is in seconds for both; HEAD gets a third of it at most. Raises: NotLooked
    where no answer to GET came or none may be asked for.
    """
    start = time.monotonic()
    with httpcore.ConnectionPool(
        ssl_context=tls, max_keepalive_connections=0, network_backend=guard
    ) as pool:
        visit = Visit(pool, guard)
        guard.until = start + timeout / 3
        head = _head(visit, url)
        guard.until = start + timeout
        answer = visit.ask("GET", url, {"Range": f"bytes=0-{SAMPLE - 1}"})
        if answer.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            # An empty file has no first byte, so some servers refuse to send it.
            answer = visit.ask("GET", url, {})
    return head, answer


def _beginning(response: httpcore.Response) -> bytes:
    body = bytearray()
    for piece in response.iter_stream():
        body += piece
        if len(body) >= SAMPLE:
            break
    return bytes(body[:SAMPLE])


@dataclass(frozen=True)
class Visit:
    """Requests that follow redirects, each step checked like the first.

    `take` makes the body of an answer from what comes of it, its beginning by default.
    """

    pool: httpcore.ConnectionPool
    guard: Guard
    take: Callable[[httpcore.Response], bytes] = _beginning

    def ask(self, method: str, url: str, headers: Mapping[str, str]) -> Answer:
        """Raises: NotLooked; _Unanswered where the connection was made and failed."""
        for _ in range(MOST_REDIRECTS + 1):
            answer = self._ask_once(method, url, headers)
            location = answer.headers.get("location", "")
            if answer.status not in (301, 302, 303, 307, 308) or not location:
                return answer
            url = _next(url, location)
        raise NotLooked(
            "redirects",
            f"The URL redirects more than {MOST_REDIRECTS} times. Use the final URL of "
            "the file.",
        )

    def _ask_once(self, method: str, url: str, headers: Mapping[str, str]) -> Answer:
        target, host = _target(url)
        name = target.host.decode()
        usual = 443 if target.scheme == b"https" else 80
        self.guard.check_host(name, target.port or usual)
        fields = {
            "Host": host,
            "User-Agent": "write-console",
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            **headers,
        }
        try:
            with self.pool.stream(method, target, headers=list(fields.items())) as got:
                return Answer(url, got.status, _headers(got), self.take(got))
        except httpcore.ConnectError:
            raise NotLooked("unreachable", unreachable(name)) from None
        except httpcore.TimeoutException:
            raise _Unanswered("unreachable", unreachable(name)) from None
        except (httpcore.NetworkError, httpcore.ProtocolError):
            raise _Unanswered(
                "broken-answer",
                f"{shown(name)} closed the connection, or its answer cannot be read. "
                "Try again, or host the file elsewhere.",
            ) from None


class _Unanswered(NotLooked):
    """The connection was made, and no whole answer came."""


def _head(visit: Visit, url: str) -> Answer | None:
    """Return the answer to HEAD, None where it does not help.

    Addresses signed for GET refuse it, as measured with S3 stores: 403.
    """
    try:
        answer = visit.ask("HEAD", url, {})
    except _Unanswered:
        return None
    return answer if answer.status == HTTPStatus.OK else None


def _headers(response: httpcore.Response) -> dict[str, str]:
    """Return the headers by lower-case name, of repeated ones the first."""
    found: dict[str, str] = {}
    for name, value in response.headers:
        text = value.decode("utf-8", "replace").strip()
        found.setdefault(name.decode("ascii", "replace").lower(), text)
    return found


def _target(url: str) -> tuple[httpcore.URL, str]:
    """Return what to connect to and the Host header. Raises NotLooked.

    Path and query go out as they are spelled, since signatures cover them.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
        raw_host = httpx.URL(scheme="http", host=parts.hostname or "").raw_host
    except (ValueError, httpx.InvalidURL):
        raise _no_address() from None
    if parts.scheme not in ("http", "https"):
        raise _no_address("The URL must begin with https:// or http://.")
    if "@" in parts.netloc:
        raise _no_address("Remove the user name and password from the URL.")
    host = raw_host.decode("ascii")
    if not url.isprintable() or " " in url or not re.fullmatch(r"[\w.:-]+", host):
        raise _no_address()
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    target = httpcore.URL(
        scheme=parts.scheme.encode(),
        host=raw_host,
        port=port,
        target=quote(path, safe=string.printable).encode("ascii"),
    )
    bracketed = f"[{host}]" if ":" in host else host
    return target, bracketed if port is None else f"{bracketed}:{port}"


def _no_address(
    text: str = "This is not a valid URL. Check its spelling.",
) -> NotLooked:
    return NotLooked("not-an-address", text)


def _next(url: str, location: str) -> str:
    """Return where a redirect leads. Raises NotLooked for a step down to http."""
    try:
        following = urljoin(url, location).partition("#")[0]
        scheme = urlsplit(following).scheme
    except ValueError:
        raise _no_address("The URL redirects to something that is not a URL.") from None
    if url.lower().startswith("https:") and scheme == "http":
        raise NotLooked(
            "step-down",
            "The URL redirects from https to http, where the file could be changed on "
            "the way. Use the final URL of the file.",
        )
    return following
