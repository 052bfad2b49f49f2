"""Looking at a file behind an address without being led astray.

    look(url) ─▶ HEAD ─▶ GET of the first 64 KiB ─▶ RemoteFile with findings

Whoever types an address chooses where this process connects to. So each connection goes
to an address that was checked after DNS, to that very one; redirects are followed by
hand and checked anew; nothing of ours goes along, and time and bytes are limited.
"""

import codecs
import csv
import hashlib
import io
import re
import socket
import ssl
import string
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qsl, quote, urljoin, urlsplit

import httpcore
import httpx

from files.findings import Finding, Level
from files.remote.addresses import is_forbidden, is_private, is_private_host, parsed
from files.shown import shown

SAMPLE = 65_536
MOST_REDIRECTS = 3

# Ampersand documents 150 MiB. Salesforce counts after base64, which adds up to a half:
# it recommends at most 100 MB (Bulk API 2.0 guide, "Limits").
LARGEST = 157_286_400
LARGE = 100_000_000
LONGEST_HEADER = 32_000

# An address that expires sooner may be gone before Ampersand fetches it.
SOON = timedelta(hours=1)

Resolve = Callable[[str, int], Sequence[str]]


class NotLooked(Exception):
    """Nothing could be found out; the text says why and what to do, for operators."""


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """What an address answered.

    `status` is the last answer's. `size` is in bytes, None where it is not told.
    `etag`, `last_modified` and `content_type` are as the server spells them, "" where
    it does not. `sample_sha256` (hex) and `sample_size` are of the first bytes of the
    body, 64 KiB at most, as they came; `line_ends` counts the styles in them, `header`
    holds the column names. `final_url` is where redirects ended. `expires_at` is when
    a signature in the address ends, None where none is known.
    """

    status: int
    size: int | None = None
    etag: str = ""
    last_modified: str = ""
    content_type: str = ""
    sample_sha256: str = ""
    sample_size: int = 0
    header: list[str] = field(default_factory=list)
    line_ends: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    final_url: str
    looked_at: datetime
    expires_at: datetime | None = None

    @property
    def blocks(self) -> bool:
        """Whether the address must not be sent as it is."""
        return any(finding.level == "blocks" for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        """Return what is stored with the write."""
        expires = self.expires_at
        return {
            **asdict(self),
            "looked_at": self.looked_at.isoformat(),
            "expires_at": None if expires is None else expires.isoformat(),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Return what `as_json` stored."""
        expires = stored["expires_at"]
        times = {
            "looked_at": datetime.fromisoformat(stored["looked_at"]),
            "expires_at": None if expires is None else datetime.fromisoformat(expires),
        }
        findings = [Finding(**finding) for finding in stored["findings"]]
        return cls(**{**stored, **times, "findings": findings})


def look(
    url: str,
    *,
    key: str,
    allow_private: bool,
    timeout: float = 10,
    resolve: Resolve | None = None,
    network: httpcore.NetworkBackend | None = None,
    tls: ssl.SSLContext | None = None,
) -> RemoteFile:
    """Ask for the file at `url`, to be upserted by `key`, and judge its beginning.

    `timeout` is in seconds for everything, but for the system's resolver. Addresses of
    private networks are refused unless `allow_private`; link-local and metadata ones
    always are. `resolve`, `network` and `tls` exist for tests.

    Raises: NotLooked where no answer came or none may be asked for.
    """
    start = time.monotonic()
    guard = _Guard(allow_private, resolve or _addresses, network)
    with httpcore.ConnectionPool(
        ssl_context=tls,
        max_keepalive_connections=0,
        network_backend=guard,
    ) as pool:
        visit = _Visit(pool, guard, allow_private, timeout)
        guard.until = start + timeout / 3
        head = _head(visit, url)
        guard.until = start + timeout
        answer = visit.ask("GET", url, {"Range": f"bytes=0-{SAMPLE - 1}"})
        if answer.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            # An empty file has no first byte, so some servers refuse to send it.
            answer = visit.ask("GET", url, {})
    return _judged(answer, head, first_url=url, key=key)


def same(before: RemoteFile, now: RemoteFile) -> str:
    """Return "" where both looks saw the same file, else a sentence on what changed.

    What one of the two answers does not tell is not compared; the sample always is.
    """
    if now.status != before.status and not _is_ok(now.status):
        return f"The address answers {_status(now.status)} now."
    told = [
        ("ETag", before.etag.removeprefix("W/"), now.etag.removeprefix("W/")),
        ("Last-Modified", before.last_modified, now.last_modified),
        ("size", _bytes(before.size), _bytes(now.size)),
    ]
    for name, old, new in told:
        if old and new and old != new:
            return (
                f"The file changed since it was looked at: its {name} was {shown(old)} "
                f"and is {shown(new)} now."
            )
    if before.sample_sha256 != now.sample_sha256:
        return "The file changed since it was looked at: its first 64 KiB differ."
    return ""


def _bytes(size: int | None) -> str:
    return "" if size is None else f"{size:,} bytes"


# ── the network ────────────────────────────────────────────────────────────────────


def _addresses(host: str, port: int) -> list[str]:
    """Return what the system's resolver says. Raises OSError, UnicodeError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(where[4][0]) for where in found))


class _Guard(httpcore.NetworkBackend):
    """Connects only to addresses that were checked, and only until a moment.

    `until` is a time of the monotonic clock.
    """

    def __init__(
        self,
        allow_private: bool,
        resolve: Resolve,
        network: httpcore.NetworkBackend | None,
    ) -> None:
        self.until = 0.0
        self._allow_private = allow_private
        self._resolve = resolve
        self._network = network or httpcore.SyncBackend()

    def left(self, error: type[Exception]) -> float:
        """Return the seconds until the end; raise `error` when it is over."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise error
        return left

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        # The very addresses that were checked: asking DNS again may tell others.
        failed: Exception = httpcore.ConnectError()
        for address in self._checked(host, port):
            left = self.left(httpcore.ConnectTimeout)
            try:
                stream = self._network.connect_tcp(
                    address, port, left, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
                continue
            return _Stream(stream, self)
        raise failed

    def _checked(self, host: str, port: int) -> Sequence[str]:
        try:
            found = self._resolve(host, port)
        except (OSError, UnicodeError):
            found = []
        if not found:
            raise NotLooked(
                f"No address is known for {shown(host)}. Check its spelling."
            )
        addresses = [ip_address(text) for text in found]
        # One bad address among good ones is how a name is made to lead inside.
        if any(is_forbidden(address) for address in addresses):
            raise NotLooked(_forbidden(host))
        if not self._allow_private and any(is_private(each) for each in addresses):
            raise NotLooked(_private(host))
        return found


class _Stream(httpcore.NetworkStream):
    """A connection on which no wait is longer than what is left."""

    def __init__(self, stream: httpcore.NetworkStream, guard: _Guard) -> None:
        self._stream = stream
        self._guard = guard

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._guard.left(httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._guard.left(httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = self._guard.left(httpcore.ConnectTimeout)
        try:
            stream = self._stream.start_tls(ssl_context, server_hostname, left)
        except httpcore.ConnectError as error:
            # Here, since the pool takes the cause away.
            raise NotLooked(_not_secure(server_hostname or "", error)) from None
        return _Stream(stream, self._guard)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


# ── asking ─────────────────────────────────────────────────────────────────────────


class _Answer(NamedTuple):
    """The last answer after redirects. `body` is its beginning, 64 KiB at most."""

    url: str
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class _Visit:
    """Requests that follow redirects, each step checked like the first."""

    pool: httpcore.ConnectionPool
    guard: _Guard
    allow_private: bool
    timeout: float

    def ask(self, method: str, url: str, headers: Mapping[str, str]) -> _Answer:
        """Raises: NotLooked; _Unanswered where the connection was made and failed."""
        for _ in range(MOST_REDIRECTS + 1):
            answer = self._ask_once(method, url, headers)
            location = answer.headers.get("location", "")
            if answer.status not in (301, 302, 303, 307, 308) or not location:
                return answer
            url = _next(url, location)
        raise NotLooked(
            f"The address leads on more than {MOST_REDIRECTS} times. Give the address "
            "where the file itself is."
        )

    def _ask_once(self, method: str, url: str, headers: Mapping[str, str]) -> _Answer:
        target, host = _target(url, self.allow_private)
        fields = {
            "Host": host,
            "User-Agent": "write-console",
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            **headers,
        }
        name = target.host.decode()
        try:
            with self.pool.stream(method, target, headers=list(fields.items())) as got:
                return _Answer(url, got.status, _headers(got), _beginning(got))
        except httpcore.ConnectError:
            raise NotLooked(
                f"{shown(name)} does not take connections. Check the address, or try "
                "again."
            ) from None
        except httpcore.TimeoutException:
            raise _Unanswered(
                f"{shown(name)} did not send the beginning of the file within "
                f"{self.timeout:g} seconds. Try again, or put the file elsewhere."
            ) from None
        except (httpcore.NetworkError, httpcore.ProtocolError):
            raise _Unanswered(
                f"{shown(name)} broke off, or its answer cannot be read. Try again, or "
                "put the file elsewhere."
            ) from None


class _Unanswered(NotLooked):
    """The connection was made, and no whole answer came."""


def _head(visit: _Visit, url: str) -> _Answer | None:
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


def _beginning(response: httpcore.Response) -> bytes:
    body = bytearray()
    for piece in response.iter_stream():
        body += piece
        if len(body) >= SAMPLE:
            break
    return bytes(body[:SAMPLE])


def _target(url: str, allow_private: bool) -> tuple[httpcore.URL, str]:
    """Return what to connect to and the Host header. Raises NotLooked.

    Path and query go out as they are spelled, since signatures cover them.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
        raw_host = httpx.URL(scheme="http", host=parts.hostname or "").raw_host
    except (ValueError, httpx.InvalidURL):
        raise NotLooked("This is not an address. Check its spelling.") from None
    if parts.scheme not in ("http", "https"):
        raise NotLooked("The address must begin with https:// or http://.")
    if "@" in parts.netloc:
        raise NotLooked("Leave user name and password out of the address.")
    host = raw_host.decode("ascii")
    if not url.isprintable() or " " in url or not re.fullmatch(r"[\w.:-]+", host):
        raise NotLooked("This is not an address. Check its spelling.")
    literal = parsed(host)
    if literal is not None and is_forbidden(literal):
        raise NotLooked(_forbidden(host))
    if not allow_private and is_private_host(host):
        raise NotLooked(_private(host))
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    target = httpcore.URL(
        scheme=parts.scheme.encode(),
        host=raw_host,
        port=port,
        target=quote(path, safe=string.printable).encode("ascii"),
    )
    bracketed = f"[{host}]" if ":" in host else host
    return target, bracketed if port is None else f"{bracketed}:{port}"


def _next(url: str, location: str) -> str:
    """Return where a redirect leads. Raises NotLooked for a step down to http."""
    try:
        following = urljoin(url, location).partition("#")[0]
        scheme = urlsplit(following).scheme
    except ValueError:
        raise NotLooked("The address leads on to something that is none.") from None
    if url.lower().startswith("https:") and scheme == "http":
        raise NotLooked(
            "The address leads on from https to http, where anybody on the way could "
            "change the file. Give the address where the file itself is."
        )
    return following


def _private(host: str) -> str:
    return (
        f"{shown(host)} leads to an address that only its own network reaches, so "
        "Ampersand cannot fetch from it. Put the file where it is public."
    )


def _forbidden(host: str) -> str:
    return (
        f"{shown(host)} leads to an address that machines use for themselves; no file "
        "can be there. Check its spelling."
    )


def _not_secure(host: str, error: Exception) -> str:
    cause = error.__cause__
    if isinstance(cause, ssl.SSLCertVerificationError):
        why = cause.verify_message.rstrip(".")
        return (
            f"The certificate of {shown(host)} is not valid: {why}. Ampersand would "
            "refuse it too; its owner must renew it."
        )
    return f"{shown(host)} does not speak https there. Check the address."


# ── judging ────────────────────────────────────────────────────────────────────────


def _judged(
    answer: _Answer, head: _Answer | None, *, first_url: str, key: str
) -> RemoteFile:
    now = datetime.now(UTC)
    expires_at = _expiry(answer.url) or _expiry(first_url)
    findings: list[Finding] = []
    if answer.url != first_url:
        findings.append(_redirected(answer.url))
    if not _is_ok(answer.status):
        findings.append(_refused(answer.status, expires_at, now))
        return RemoteFile(
            status=answer.status,
            findings=findings,
            final_url=answer.url,
            looked_at=now,
            expires_at=expires_at,
        )
    size = _size(answer, head)
    findings += [*_about_size(size), *_about_expiry(expires_at, now)]
    whole = len(answer.body) < SAMPLE if size is None else size <= len(answer.body)
    sample = _unpacked(answer, whole, findings)
    if sample is not None:
        findings += sample.findings(key)
    told = {**(head.headers if head else {}), **answer.headers}
    return RemoteFile(
        status=answer.status,
        size=size,
        etag=told.get("etag", "")[:1000],
        last_modified=told.get("last-modified", "")[:100],
        content_type=told.get("content-type", "")[:200],
        sample_sha256=hashlib.sha256(answer.body).hexdigest(),
        sample_size=len(answer.body),
        header=sample.header(key) if sample else [],
        line_ends=sample.line_ends() if sample else {},
        findings=findings,
        final_url=answer.url,
        looked_at=now,
        expires_at=expires_at,
    )


def _is_ok(status: int) -> bool:
    return status in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT)


def _status(status: int) -> str:
    try:
        return f"{status} ({HTTPStatus(status).phrase})"
    except ValueError:
        return str(status)


def _redirected(url: str) -> Finding:
    # The host only: the query may be as good as a password.
    host = urlsplit(url).hostname or ""
    message = (
        f"The address leads on to {shown(host)}. Whether Ampersand follows is not "
        "documented; the address where the file itself is is safer."
    )
    return Finding(level="warns", rule="redirected", message=message)


def _refused(status: int, expires_at: datetime | None, now: datetime) -> Finding:
    said = f"The address answers {_status(status)}; Ampersand would get the same."
    if expires_at is not None and expires_at <= now:
        message = f"{said} It expired on {_moment(expires_at)}: make a new one."
        return Finding(level="blocks", rule="expired", message=message)
    if status in (401, 403):
        todo = "It must be readable without signing in; a signed one may have expired."
    elif status == HTTPStatus.TOO_MANY_REQUESTS or status >= 500:
        todo = "Try again in a while."
    else:
        todo = "Check its spelling, and whether the file is still there."
    return Finding(level="blocks", rule="status", message=f"{said} {todo}")


def _size(answer: _Answer, head: _Answer | None) -> int | None:
    """Return the size of the whole file. Raises NotLooked for a wrong part of it."""
    body = len(answer.body)
    if answer.status == HTTPStatus.PARTIAL_CONTENT:
        told = answer.headers.get("content-range", "")
        part = re.fullmatch(r"bytes 0-\d{1,18}/(\d{1,18}|\*)", told, re.ASCII)
        if part is None:
            raise NotLooked(
                "The address was asked for the beginning of the file and answers with "
                "something else. Put the file elsewhere."
            )
        total = part[1]
    else:
        total = answer.headers.get("content-length", "")
        if not total and body < SAMPLE:
            return body
    if re.fullmatch(r"\d{1,18}", total, re.ASCII):
        return int(total)
    length = head.headers.get("content-length", "") if head else ""
    # Programs that do not care for HEAD answer it with a length of 0.
    known = re.fullmatch(r"\d{1,18}", length, re.ASCII) and int(length) >= body
    return int(length) if known else None


def _about_size(size: int | None) -> list[Finding]:
    level: Level = "warns"
    if size is None:
        rule = "size-unknown"
        message = f"The address does not tell the size. {LARGEST:,} bytes can be sent."
    elif size > LARGEST:
        level, rule = "blocks", "too-big"
        message = (
            f"The file is {size:,} bytes; Ampersand takes {LARGEST:,} bytes (150 MiB). "
            "Split it."
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


def _about_expiry(expires_at: datetime | None, now: datetime) -> list[Finding]:
    if expires_at is None or not now < expires_at < now + SOON:
        return []
    message = (
        f"The address expires on {_moment(expires_at)}. Ampersand fetches it only "
        "after you send: make one that lasts longer."
    )
    return [Finding(level="warns", rule="expires-soon", message=message)]


def _moment(when: datetime) -> str:
    return f"{when.day} {when:%B %Y, %H:%M} UTC"


def _expiry(url: str) -> datetime | None:
    """Return when a signed address ends, by the parameters of S3, Google and Azure."""
    query = {name.lower(): value for name, value in parse_qsl(urlsplit(url).query)}
    try:
        for vendor in ("x-amz", "x-goog"):
            if f"{vendor}-date" in query and f"{vendor}-expires" in query:
                start = datetime.strptime(query[f"{vendor}-date"], "%Y%m%dT%H%M%S%z")
                return start + timedelta(seconds=int(query[f"{vendor}-expires"]))
        if "expires" in query and "signature" in query:
            return datetime.fromtimestamp(int(query["expires"]), UTC)
        if "se" in query and "sig" in query:
            ends = datetime.fromisoformat(query["se"])
            # Azure knows no other zone.
            return ends.astimezone(UTC) if ends.tzinfo else ends.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None


def _unpacked(
    answer: _Answer, whole: bool, findings: list[Finding]
) -> "_Sample | None":
    """Return the beginning of the file itself, None where it cannot be unpacked."""
    encoding = answer.headers.get("content-encoding", "").lower()
    if encoding in ("", "identity"):
        return _Sample(answer.body, whole)
    message = (
        f"The file comes packed ({shown(encoding)}), although it was asked for "
        "plainly. Whether Ampersand unpacks it is not documented; store it unpacked."
    )
    findings.append(Finding(level="warns", rule="packed", message=message))
    if encoding not in ("gzip", "x-gzip"):
        return None
    gunzip = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        # No more than a sample: a few bytes may unpack to gigabytes.
        content = gunzip.decompress(answer.body, SAMPLE)
    except zlib.error:
        message = "The file says it is packed with gzip and is not. Store it anew."
        findings.append(Finding(level="blocks", rule="not-csv", message=message))
        return None
    return _Sample(content, gunzip.eof)


# What begins a file that is no CSV.
_SIGNATURES = {
    b"PK\x03\x04": "an Excel workbook or a ZIP archive",
    b"%PDF": "a PDF document",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x1f\x8b": "a gzip archive",
}
_PAGES = (b"<!doctype", b"<html", b"<?xml")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "pipes"}
_UPLOAD = "or upload it here, where it is converted"


@dataclass(frozen=True)
class _Sample:
    """The beginning of a file; `whole` where that is all of it."""

    content: bytes
    whole: bool

    def findings(self, key: str) -> list[Finding]:
        """Return what is wrong, as far as the beginning shows it."""
        if self.whole and not self.content.strip(codecs.BOM_UTF8 + b"\r\n"):
            return [_blocks("empty", "The file is empty.")]
        kind = self._kind()
        if kind:
            message = (
                f"The address gives {kind}, not a CSV file. Put the CSV file there."
            )
            return [_blocks("not-csv", message)]
        if self.content.startswith(_UTF16):
            message = f"The file is in UTF-16. Save it as UTF-8, {_UPLOAD}."
            return [_blocks("not-utf-8", message)]
        return [
            *self._about_bytes(),
            *self._about_line_ends(),
            *self._about_header(key),
        ]

    def line_ends(self) -> dict[str, int]:
        """Return how often each style stands in the sample, also inside cells."""
        crlf = self.content.count(b"\r\n")
        # A CR at the cut may be half of a CRLF.
        cut = not self.whole and self.content.endswith(b"\r")
        return {
            "LF": self.content.count(b"\n") - crlf,
            "CRLF": crlf,
            "CR": self.content.count(b"\r") - crlf - cut,
        }

    def header(self, key: str) -> list[str]:
        """Return the column names, [] where they cannot be read."""
        if self._kind() or self.content.startswith(_UTF16):
            return []
        try:
            return self._read_header(self._delimiter(key))[0]
        except csv.Error:
            return []

    def _kind(self) -> str:
        for signature, kind in _SIGNATURES.items():
            if self.content.startswith(signature):
                return kind
        beginning = self._body()[:1000].lstrip()[:9].lower()
        return "a web page or XML" if beginning.startswith(_PAGES) else ""

    def _body(self) -> bytes:
        body = self.content
        while body.startswith(codecs.BOM_UTF8):
            body = body.removeprefix(codecs.BOM_UTF8)
        return body

    def _about_bytes(self) -> Iterator[Finding]:
        if self.content.startswith(codecs.BOM_UTF8):
            message = (
                "The file begins with a byte order mark, which Salesforce takes as "
                f"part of the first column's name. Save it without, {_UPLOAD}."
            )
            yield _blocks("bom", message)
        try:
            # Not final where the cut may run through a character.
            codecs.getincrementaldecoder("utf-8")().decode(self.content, self.whole)
        except UnicodeDecodeError as error:
            line = self._lines_before(error.start)
            message = (
                f"Byte {self.content[error.start]:#04x} in line {line:,} is not UTF-8. "
                f"Save the file as UTF-8, {_UPLOAD}."
            )
            yield _blocks("not-utf-8", message, line=line)
        nul = self.content.find(b"\0")
        if nul >= 0:
            line = self._lines_before(nul)
            message = f"Line {line:,} holds a NUL character. Save the file as UTF-8."
            yield _blocks("nul", message, line=line)

    def _lines_before(self, position: int) -> int:
        return len(_with_lf(self.content[:position].decode("latin-1")).split("\n"))

    def _about_line_ends(self) -> Iterator[Finding]:
        for style in ("CRLF", "CR"):
            count = self.line_ends()[style]
            if count:
                message = (
                    f"The beginning of the file has {count:,} line ends {style}; "
                    "Salesforce takes only LF here, and nothing on this way converts "
                    f"them. Save the file with LF, {_UPLOAD}."
                )
                yield _blocks("line-ends", message)

    def _text(self) -> str:
        return _with_lf(self._body().decode("utf-8", "replace"))

    def _read_header(self, delimiter: str) -> tuple[list[str], int]:
        """Return the first record and its length in characters. Raises csv.Error."""
        taken: list[str] = []

        def lines() -> Iterator[str]:
            for line in io.StringIO(self._text(), newline="\n"):
                taken.append(line)
                yield line

        cells = next(csv.reader(lines(), delimiter=delimiter, strict=True), [])
        return cells, sum(map(len, taken))

    def _delimiter(self, key: str) -> str:
        """Return what separates columns: what frees the key, or gives most of them."""
        best, columns = ",", 1
        for delimiter in _DELIMITERS:
            try:
                cells = self._read_header(delimiter)[0]
            except csv.Error:
                continue
            if key.casefold() in (cell.strip().casefold() for cell in cells):
                return delimiter
            if len(cells) > columns:
                best, columns = delimiter, len(cells)
        return best

    def _about_header(self, key: str) -> Iterator[Finding]:
        delimiter = self._delimiter(key)
        try:
            header, length = self._read_header(delimiter)
        except csv.Error as error:
            yield self._unreadable(error)
            return
        cut = not self.whole and length == len(self._text())
        if cut or length > LONGEST_HEADER:
            message = (
                f"The header is longer than {LONGEST_HEADER:,} characters, which is "
                "all that Salesforce takes. Leave columns out."
            )
            yield _blocks("long-header", message, row=1, line=1)
            return
        if not header:
            message = "Row 1 is an empty line; the column names belong there."
            yield _blocks("blank-column", message, row=1, line=1)
            return
        if delimiter != ",":
            message = (
                f"The columns are separated by {_DELIMITERS[delimiter]}; commas are "
                f"needed. Save the file with commas, {_UPLOAD}."
            )
            yield _blocks("delimiter", message, row=1, line=1)
        yield from _about_key(header, key)
        if self.whole and not self._text()[length:].strip("\n"):
            yield _blocks("no-rows", "There is a header and no row below it.")

    def _unreadable(self, error: csv.Error) -> Finding:
        never_closed = "unexpected end of data" in str(error)
        if never_closed and not self.whole:
            message = (
                "The header does not end within 64 KiB. A quote in it may never be "
                "closed."
            )
            return _blocks("long-header", message, row=1, line=1)
        fault = (
            "a quoted name opens in the header and is never closed."
            if never_closed
            else "after a closing quote only a comma may follow; double a quote inside."
        )
        return _blocks("quotes", f"Row 1: {fault}", row=1, line=1)


def _with_lf(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _about_key(header: list[str], key: str) -> Iterator[Finding]:
    if key in header:
        return
    fitting = [name for name in header if name.casefold() == key.casefold()]
    if not fitting:
        names = ", ".join(shown(name) for name in header[:30])
        more = f" and {len(header) - 30:,} more" if len(header) > 30 else ""
        message = (
            f"The primary key {shown(key)} is not in the header. It has: {names}{more}."
        )
        yield _blocks("key-missing", message, row=1, line=1)
        return
    message = (
        f"The primary key was typed {shown(key)}, the header spells it "
        f"{shown(fitting[0])}."
    )
    yield Finding(
        level="warns",
        rule="key-case",
        message=message,
        row=1,
        line=1,
        column=fitting[0],
    )


def _blocks(
    rule: str, message: str, *, row: int | None = None, line: int | None = None
) -> Finding:
    return Finding(level="blocks", rule=rule, message=message, row=row, line=line)
