"""The newest event of the audit trail, noted outside the database.

Seals show what was changed or taken out of the middle. That the end was cut off, or all
of it deleted, shows only by what is kept elsewhere: the clock notes the head of the
trail every ten minutes in DATA_DIR/audit-head and in the log, and so does each verify.
A head that the trail no longer holds is never overwritten by itself.
"""

import logging
import os
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from django.conf import settings

from console.models import AuditEvent

log = logging.getLogger(__name__)

_LINE = re.compile(r"(?P<number>[0-9]{1,18}) (?P<hash>[0-9a-f]{64}) (?P<at>\S+)\s*")


class UnreadableHead(ValueError):
    """There is a note, and it says nothing: the text names the file."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """An event that was the newest one: its number, its seal, and when it was made."""

    number: int
    hash: str
    at: datetime

    @classmethod
    def of(cls, event: AuditEvent) -> Self:
        """Return the head of a trail that ends with `event`."""
        return cls(number=event.pk, hash=event.hash, at=event.at)

    def __str__(self) -> str:
        return f"event {self.number} of {self.at:%Y-%m-%d %H:%M:%S} UTC"

    def as_json(self) -> dict[str, Any]:
        """Return it as an audit event tells of it."""
        return {"event": self.number, "hash": self.hash, "at": self.at.isoformat()}

    @property
    def is_held(self) -> bool:
        """Whether the trail has this very event."""
        return AuditEvent.objects.filter(pk=self.number, hash=self.hash).exists()


def noted() -> Head | None:
    """Return the head that was noted last, None where none ever was.

    Raises `UnreadableHead`.
    """
    path = _path()
    try:
        line = path.read_text(encoding="ascii")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableHead(f"{path} cannot be read: {error}.") from None
    found = _LINE.fullmatch(line)
    try:
        at = datetime.fromisoformat(found["at"]) if found else None
    except ValueError:
        at = None
    if not found or not at:
        raise UnreadableHead(f"{path} holds no head of an audit trail.")
    return Head(number=int(found["number"]), hash=found["hash"], at=at)


def newest() -> Head | None:
    """Return the head of the trail as it is now."""
    event = AuditEvent.objects.newest_first().first()
    return Head.of(event) if event else None


def note(head: Head) -> None:
    """Note a head in the log and in the file, whatever stood there."""
    log.info(
        "The audit trail ends with event %s, hash %s, %s",
        head.number,
        head.hash,
        head.at.isoformat(),
    )
    new = _path().with_suffix(".new")
    try:
        new.write_text(f"{head.number} {head.hash} {head.at.isoformat()}\n")
        os.replace(new, _path())
    except OSError as error:
        log.warning("The head of the audit trail was not noted: %s", error)


def note_newest() -> None:
    """Note the head, unless the trail lost the one that was noted before: say so then.

    Call it outside a transaction: what is noted must be committed.
    """
    try:
        before = noted()
    except UnreadableHead as error:
        log.error("The head of the audit trail was not noted: %s", error)  # noqa: TRY400
        return
    if before and not before.is_held:
        log.error(
            "The audit trail no longer holds %s, which it ended with when it was noted "
            "last. Run manage.py audit_verify.",
            before,
        )
        return
    head = newest()
    if head and (before is None or head.number > before.number):
        note(head)


def _path() -> Path:
    return Path(settings.DATA_DIR) / "audit-head"
