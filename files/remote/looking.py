"""Looking at a file behind an address without being led astray.

    look(url) ─▶ HEAD ─▶ GET of the first 64 KiB ─▶ RemoteFile with findings

Whoever types an address chooses where this process connects to. So each connection goes
to an address that was checked after DNS, to that very one (guard.py); redirects are
followed by hand and checked anew; nothing of ours goes along, and time and bytes are
limited (asking.py).
"""

import hashlib
import ssl
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Self

import httpcore

from files.findings import Finding
from files.remote.asking import SAMPLE, Answer, ask
from files.remote.expiry import expiry, expiry_findings
from files.remote.guard import Guard, NotLooked, Resolve
from files.remote.judging import (
    LARGE,
    LARGEST,
    is_ok,
    redirected,
    refused,
    size_findings,
    size_of,
    status_text,
    unpacked,
)
from files.shown import shown

__all__ = ["LARGE", "LARGEST", "SAMPLE", "NotLooked", "RemoteFile", "look", "same"]


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
            "findings": [finding._asdict() for finding in self.findings],
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
    private_hosts: Collection[tuple[str, int]],
    timeout: float = 10,
    resolve: Resolve | None = None,
    network: httpcore.NetworkBackend | None = None,
    tls: ssl.SSLContext | None = None,
) -> RemoteFile:
    """Ask for the file at `url`, to be upserted by `key`, and judge its beginning.

    `timeout` is in seconds for everything, but for the system's resolver. Addresses of
    private networks are refused unless `private_hosts` has the host with its port;
    link-local and metadata ones always are. `resolve`, `network` and `tls` exist for
    tests.

    Raises: NotLooked where no answer came or none may be asked for.
    """
    guard = Guard(private_hosts, resolve, network)
    head, answer = ask(url, guard, timeout=timeout, tls=tls)
    now = datetime.now(UTC)
    file = RemoteFile(
        status=answer.status,
        findings=[redirected(answer.url)] if answer.url != url else [],
        final_url=answer.url,
        looked_at=now,
        expires_at=expiry(answer.url) or expiry(url),
    )
    if is_ok(answer.status):
        return _judged(file, answer, head, key)
    refusal = refused(answer.status, file.expires_at, now)
    return replace(file, findings=[*file.findings, refusal])


def _judged(
    file: RemoteFile, answer: Answer, head: Answer | None, key: str
) -> RemoteFile:
    """Return `file` with what an answer that brought its beginning tells."""
    size = size_of(answer, head)
    sample, packing = unpacked(answer, size)
    told = {**(head.headers if head else {}), **answer.headers}
    return replace(
        file,
        size=size,
        etag=told.get("etag", "")[:1000],
        last_modified=told.get("last-modified", "")[:100],
        content_type=told.get("content-type", "")[:200],
        sample_sha256=hashlib.sha256(answer.body).hexdigest(),
        sample_size=len(answer.body),
        header=sample.header(key) if sample else [],
        line_ends=sample.line_ends() if sample else {},
        findings=[
            *file.findings,
            *size_findings(size),
            *expiry_findings(file.expires_at, file.looked_at),
            *packing,
            *(sample.findings(key) if sample else []),
        ],
    )


def same(before: RemoteFile, now: RemoteFile) -> str:
    """Return "" where both looks saw the same file, else a sentence on what changed.

    What one of the two answers does not tell is not compared; the sample always is.
    """
    if now.status != before.status and not is_ok(now.status):
        return f"The URL now answers {status_text(now.status)}."
    told = [
        ("ETag", before.etag.removeprefix("W/"), now.etag.removeprefix("W/")),
        ("Last-Modified", before.last_modified, now.last_modified),
        ("size", _bytes(before.size), _bytes(now.size)),
    ]
    for name, old, new in told:
        if old and new and old != new:
            return (
                f"The file changed since it was checked: its {name} was {shown(old)} "
                f"and is now {shown(new)}."
            )
    if before.sample_sha256 != now.sample_sha256:
        return "The file changed since it was checked: its first 64 KiB differ."
    return ""


def _bytes(size: int | None) -> str:
    return "" if size is None else f"{size:,} bytes"
