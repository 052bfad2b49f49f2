"""Pages of a log: found by seeks, so that they cost the same in a log of any length.

A search reads LOOK entries at most and says how far it came, since no index finds words
within texts.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from django.db.models import Q, QuerySet

from operations.models import LogEntry

LOOK = 20_000
MOST_SEVERITIES = 50


@dataclass(frozen=True)
class Found:
    """Entries, the nearest first, and the entry up to which all were looked at.

    `reached` is None where no more of that way are left to look at.
    """

    entries: list[LogEntry]
    reached: int | None = None


def severities_of(entries: QuerySet[LogEntry]) -> list[str]:
    """Return the severities of a log of one operation, by one seek each.

    A DISTINCT would read every entry. One more than MOST_SEVERITIES may come.
    """
    names = entries.order_by("severity").values_list("severity", flat=True)
    found: list[str] = []
    name = names.first()
    while name is not None and len(found) <= MOST_SEVERITIES:
        found.append(name)
        name = names.filter(severity__gt=name).first()
    return found


@dataclass(frozen=True)
class Log:
    """The entries of one operation, those of some severities, and with a text.

    `severities` None lets all through. `last` is the number of the last entry of all.
    """

    entries: QuerySet[LogEntry]
    last: int
    severities: Sequence[str] | None = None
    text: str = ""

    def earlier(self, before: int, limit: int) -> Found:
        """Return up to `limit` entries before a number, the newest first."""
        if not self.text:
            return Found(self._seek(Q(sequence__lt=before), "-sequence", limit))
        first = max(1, before - LOOK)
        found = self._with_text(first, before - 1, "-sequence", limit)
        return Found(found, first if first > 1 else None)

    def later(self, after: int, limit: int) -> Found:
        """Return up to `limit` entries after a number, the oldest first."""
        if not self.text:
            return Found(self._seek(Q(sequence__gt=after), "sequence", limit))
        end = after + LOOK
        found = self._with_text(after + 1, end, "sequence", limit)
        return Found(found, end if end < self.last else None)

    def _seek(self, place: Q, order: str, limit: int) -> list[LogEntry]:
        """Read each severity by its own index range, and merge what they give."""
        entries = self.entries.filter(place).order_by(order)
        if self.severities is None:
            return list(entries[:limit])
        each = (entries.filter(severity=name)[:limit] for name in self.severities)
        sign = -1 if order.startswith("-") else 1
        merged = heapq.merge(*each, key=lambda entry: sign * entry.sequence)
        return list(islice(merged, limit))

    def _with_text(
        self, first: int, last: int, order: str, limit: int
    ) -> list[LogEntry]:
        entries = self.entries.filter(sequence__gte=first, sequence__lte=last)
        if self.severities is not None:
            entries = entries.filter(severity__in=self.severities)
        words = Q(text__icontains=self.text) | Q(error__icontains=self.text)
        return list(entries.filter(words).order_by(order)[:limit])
