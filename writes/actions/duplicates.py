"""The duplicate guard: the same content twice is found before it is sent.

By whomever it was confirmed, and from any draft. Two drafts have the same content when
their fingerprints are equal. The database keeps one row for each time a content was
confirmed, numbered, and a number only once. So of two people who confirm the same at
the same moment one finds the other's row.
"""

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from writes.models import SentContent, Write


class RepeatFound(Exception):
    """The same content was sent not long ago: `earlier` is the write that did it."""

    def __init__(self, earlier: Write) -> None:
        super().__init__(f"Write {earlier.pk} had the same content.")
        self.earlier = earlier


def fingerprint(write: Write) -> str:
    """Return the SHA-256 of where `write` goes and of what it carries.

    Names that Salesforce does not tell apart by case are not told apart here.
    """
    said = [
        write.integration_id,
        write.action,
        write.object_name.casefold(),
        write.group_ref,
        write.record_id,
        write.primary_key.casefold(),
        _content(write),
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _content(write: Write) -> Any:
    match write.source:
        case Write.Source.CSV:
            return write.check_report["as_sent_sha256"]
        case Write.Source.URL:
            return write.url
    return _canonical(write.record_fields())


def _canonical(value: Any) -> Any:
    """Return JSON data in which neither order nor case of the names matters.

    A list of pairs, since two names may differ by nothing but their case.
    """
    if isinstance(value, dict):
        pairs = [[name.casefold(), _canonical(each)] for name, each in value.items()]
        return {"fields": sorted(pairs, key=json.dumps)}
    if isinstance(value, list):
        return [_canonical(each) for each in value]
    return value


def earlier_of(write: Write, now: datetime) -> Write | None:
    """Return the newest write of the last REPEAT_DAYS with the same content.

    None where there is none, or none that can have written anything.
    """
    since = now - timedelta(days=settings.REPEAT_DAYS)
    same = SentContent.objects.filter(fingerprint=fingerprint(write))
    found = same.exclude(write=write).counting_since(since).first()
    return found.write if found else None


def claim(
    write: Write, now: datetime, *, reason: str, known: int | None
) -> Write | None:
    """Note that the content of `write` goes out; return the write that it repeats.

    Call it in the transaction that confirms. Raises `RepeatFound` where it repeats one
    and no `reason` is given, or the reason was given for another one than is found:
    `known` is that one's id, None for whichever it is. Raises it too where somebody
    confirms the same at the same moment.
    """
    content = fingerprint(write)
    last = SentContent.objects.filter(fingerprint=content).order_by("-number").first()
    earlier = earlier_of(write, now)
    if earlier and not (reason and known in (None, earlier.pk)):
        raise RepeatFound(earlier)
    mine = {"fingerprint": content, "number": last.number + 1 if last else 1}
    try:
        with transaction.atomic():
            SentContent.objects.create(write=write, **mine)
    except IntegrityError:
        winner = SentContent.objects.select_related("write").get(**mine)
        raise RepeatFound(winner.write) from None
    return earlier
