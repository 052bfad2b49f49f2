"""The chain of the audit trail, walked: where it breaks first, and in which way."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from django.db import transaction
from django.db.models import Count, Max, Min

from console.actor import Actor
from console.audit_seal import keys, seal_of
from console.models import AuditEvent
from console.models.audit_event import ADOPTED

# Machines of one installation agree to well under a second; a daemon that steps a clock
# does so by seconds. What is later than this was set by somebody, or by nobody at all.
TOLERANCE = timedelta(minutes=1)
# An acceptance of a clock that was set back: an event like any other.
CLOCK_ACCEPTED = "audit.clock_accepted"
# What version 0.1.0 had written, sealed by the migration to the next one.
SEALED_ANEW = "audit.sealed"

# An event in the chain: its number, its seal, its time.
type Place = tuple[int, str, datetime]
Kind = Literal["edited", "deleted", "inserted", "reordered", "no key", "clock set back"]


@dataclass(frozen=True, kw_only=True)
class Break:
    """The first event that does not fit: its number, and what was done to it."""

    kind: Kind
    event: int
    text: str


@dataclass(frozen=True, kw_only=True)
class Walked:
    """How far a walk came: how many events hold, the last of them, what broke."""

    count: int
    last: Place | None
    broken: Break | None


def walk(after: Place | None = None, *, most: int | None = None) -> Walked:
    """Walk at most so many events behind `after`, else all of them.

    In bounded memory; stops at the first that does not fit.
    """
    accepted = _accepted_clocks()
    count, last = 0, after
    begin, previous = (after[0], after[1]) if after else (0, "")
    events = AuditEvent.objects.filter(pk__gt=begin)
    try:
        for row, holds in events.links(previous, most=most):
            broken = None if holds else _broken(row, last[1] if last else "")
            if broken is None and last is not None and row.id not in accepted:
                broken = _clock(row, last[2])
            if broken is not None:
                return Walked(count=count, last=last, broken=broken)
            count += 1
            last = (row.id, row.hash, row.at)
    except ValueError:
        broken = _unreadable(last[0] if last else begin)
        return Walked(count=count, last=last, broken=broken)
    return Walked(count=count, last=last, broken=None)


@transaction.atomic
def adopt(actor: Actor) -> int:
    """Say of the rows without a seal that version 0.1.0 wrote them; return how many.

    Once, and only where that version was before: it had written what was sealed anew.
    They are chained all the same. Raises `ValueError` where the chain does not hold.
    """
    unsealed = AuditEvent.objects.filter(key_id="").aggregate(
        first=Min("pk"), last=Max("pk"), events=Count("pk")
    )
    began_there = AuditEvent.objects.filter(action=SEALED_ANEW).exists()
    is_adopted = AuditEvent.objects.filter(action=ADOPTED).exists()
    if not unsealed["events"] or not began_there or is_adopted:
        return 0
    AuditEvent.record(
        action=ADOPTED,
        subject="Events of version 0.1.0, which ran while it was replaced",
        actor=actor,
        detail=unsealed,
    )
    # Others wait for their turn in the chain until this ends: not all of it is walked.
    older = AuditEvent.objects.filter(pk__lt=unsealed["first"]).newest_first()
    before = older.values_list("pk", "hash", "at").first()
    if broken := walk(before).broken:
        raise ValueError(broken.text)
    return int(unsealed["events"])


def _accepted_clocks() -> set[int]:
    """Return the events whose clock somebody accepted. Each is walked over itself."""
    told = AuditEvent.objects.filter(action=CLOCK_ACCEPTED)
    return {event.detail["event"] for event in told if event.hash == seal_of(event)}


def _clock(row: Any, before: datetime) -> Break | None:
    back = before - row.at
    if back <= TOLERANCE:
        return None
    seconds = timedelta(seconds=round(back.total_seconds()))
    text = (
        f"The clock was set back at {_named(row)}: it is {seconds} earlier than the "
        "event before it. The seals hold, so the order is as it was; the times are in "
        "doubt. If you know why, run audit verify --clock "
        f"{row.id}, which is kept as an event."
    )
    return Break(kind="clock set back", event=row.id, text=text)


def _unreadable(before: int) -> Break:
    """Say which row behind one holds what the database hands out and nothing reads."""
    rows = AuditEvent.objects.filter(pk__gt=before).order_by("pk")
    pk = rows.values_list("pk", flat=True)[0]
    text = f"The chain breaks at row {pk}: it was changed, and cannot be read any more."
    return Break(kind="edited", event=pk, text=text)


def _broken(row: Any, previous: str) -> Break:
    if not row.key_id:
        return _break(
            "no key",
            row,
            "it has no seal. If version 0.1.0 ran while it was replaced, it is by that "
            "one: run manage.py upgraded once none of its processes is left. Otherwise "
            "somebody wrote this row who has no key.",
        )
    if row.key_id not in keys():
        return _break(
            "no key",
            row,
            "none of the keys in AUDIT_KEYS and FIELD_KEYS sealed it (it names key "
            f"{row.key_id}). If a key was taken out, add it at the end of "
            "AUDIT_KEYS; otherwise somebody wrote this row who has no key.",
        )
    if row.hash == seal_of(row):
        return _misplaced(row)
    after = AuditEvent.objects.filter(pk__gt=row.id).order_by("pk").first()
    if after and after.previous_hash == previous and after.hash == seal_of(after):
        text = "it was put in: the event behind it follows on the one before it."
        return _break("inserted", row, text)
    return _break("edited", row, "it was changed after it was sealed.")


def _misplaced(row: Any) -> Break:
    """Say what is wrong before an event that is as it was sealed."""
    if AuditEvent.objects.filter(hash=row.previous_hash).exists():
        text = "events changed places: the one that it follows stands elsewhere."
        return _break("reordered", row, text)
    return _break("deleted", row, "what stood before it was removed or replaced.")


def _break(kind: Kind, row: Any, why: str) -> Break:
    text = f"The chain breaks at {_named(row)}: {why}"
    return Break(kind=kind, event=row.id, text=text)


def _named(row: Any) -> str:
    what = f"{row.actor_name} {row.action} {row.subject}"
    # What was changed may be no time any more.
    at = f"{row.at:%Y-%m-%d %H:%M:%S} UTC" if row.at else "without a time"
    return f"row {row.id}, {at}, “{what}”"
