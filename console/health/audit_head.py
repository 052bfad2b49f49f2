"""The newest event of the audit trail, noted outside the database.

Seals show what was changed or taken out of the middle. That the end was cut off, or all
of it deleted, shows only by what is kept elsewhere: the clock notes the head of the
trail every ten minutes in DATA_DIR/audit-head and in the log, and so does each verify.
The clock first walks what came since the head before. A head that the trail no longer
holds, or that does not follow, is never overwritten by itself. The note carries a mark
by our key, so that a changed one is told from a trail that was cut.
"""

import logging
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from django.conf import settings
from django.db import connection

from console import audit_guard
from console.audit_seal import is_marked, mark_of
from console.health import audit_chain
from console.models import AuditEvent
from console.private_files import write_anew

log = logging.getLogger(__name__)

# What the clock walks at most, in about a second.
MOST_WALKED = 20_000
# Notes of earlier versions have no mark.
_LINE = re.compile(
    r"(?P<said>(?P<number>[0-9]{1,18}) (?P<hash>[0-9a-f]{64}) (?P<at>\S+))"
    r"( (?P<mark>\S+))?\s*"
)


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
    if found["mark"] and not is_marked(found["said"], found["mark"]):
        raise UnreadableHead(f"{path} was changed: its mark is not by any of our keys.")
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
    said = f"{head.number} {head.hash} {head.at.isoformat()}"
    try:
        write_anew(_path(), f"{said} {mark_of(said)}\n")
    except OSError as error:
        log.warning("The head of the audit trail was not noted: %s", error)


def note_newest() -> None:
    """Note how far the trail holds, unless something is wrong with it: say so then.

    Call it outside a transaction: what is noted must be committed.
    """
    if lost := audit_guard.missing(connection):
        log.error("The audit trail can be changed: no trigger %s.", ", ".join(lost))
    try:
        before = noted()
    except UnreadableHead as error:
        log.error("The head of the audit trail was not noted: %s", error)  # noqa: TRY400
        return
    if before and not before.is_held:
        log.error(
            "The audit trail no longer holds %s, which it ended with when it was noted "
            "last. Run manage.py audit verify.",
            before,
        )
        return
    walked = _walk_on(before)
    if walked.broken:
        log.error("%s Run manage.py audit verify.", walked.broken.text)
    if walked.last and walked.count:
        number, seal, at = walked.last
        note(Head(number=number, hash=seal, at=at))


def _walk_on(before: Head | None) -> audit_chain.Walked:
    """Walk what came since the head before; of a long trail without one its end."""
    after: audit_chain.Place | None
    if before:
        after = (before.number, before.hash, before.at)
    else:
        older = AuditEvent.objects.newest_first().values_list("pk", "hash", "at")
        after = older[MOST_WALKED:].first()
    return audit_chain.walk(after, most=MOST_WALKED)


def _path() -> Path:
    return Path(settings.DATA_DIR) / "audit-head"
