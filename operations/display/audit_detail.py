"""What an audit event tells besides who and when: what it was before and after."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.models import AuditEvent
from console.models.audit_event import OF_DRAFTS
from operations.display.audit_words import in_words

# Lists that are no pair, although they may have two entries.
_LISTS = ("added", "removed", "changed", "changes", "missing", "project_changed")


@dataclass(frozen=True)
class Change:
    """One thing that was changed: its name in words, before and after."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Told:
    """An event as pages show it. `facts` are what its detail has besides changes."""

    event: AuditEvent
    action: str
    # Where its subject is; "" for a draft, which may be gone by now.
    address: str
    changes: list[Change]
    facts: dict[str, Any]


def told(event: AuditEvent) -> Told:
    """Return an event in words."""
    changes, facts = [], {}
    for name, value in event.detail.items():
        is_pair = isinstance(value, list) and len(value) == 2 and name not in _LISTS
        if is_pair:
            changes.append(Change(_label(name), *value))
        else:
            facts[_label(name)] = _moment(value) or value
    address = "" if event.action in OF_DRAFTS else event.subject_url
    return Told(event, in_words(event.action), address, changes, facts)


def _moment(value: Any) -> datetime | None:
    """Return the moment that a text names with its time zone, None for others."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo else None


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()


def number_of(event: AuditEvent, name: str) -> int | None:
    """Return the number of the write or operation that an event is about, if any."""
    found = event.detail.get(name)
    if found is None:
        begin = f"/{name}s/"
        found = event.subject_url.removeprefix(begin).rstrip("/")
        if not event.subject_url.startswith(begin):
            return None
    return int(found) if str(found).isdecimal() else None
