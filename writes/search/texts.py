"""Operations by text within the reason that was given, or within an error.

No index of ours finds text within a text on every database, so the newest operations
are read, MOST_READ at a time, and the page says how far it looked.
"""

from django.db.models import Q

from operations.models import Operation
from writes.search.found import Asked, Found, Kind, Matched, excerpt, of_operations

SHORTEST = 3
MOST_READ = 10_000


def find(asked: Asked) -> Found:
    """Return operations with this text in their reason, ticket or error."""
    if len(asked.text) < SHORTEST:
        return Found()
    newest = _end("-pk")
    top = min(newest or 0, (asked.before or (newest or 0) + 1) - 1)
    bottom = max(0, top - MOST_READ)
    said = Q(purpose__icontains=asked.text) | Q(reason__icontains=asked.text)
    operations = Operation.objects.visible_to(asked.user).for_list()
    operations = operations.filter(said, pk__gt=bottom, pk__lte=top).newest_first()
    found = of_operations(
        asked, operations[: asked.limit + 1], lambda each: _matched(each, asked.text)
    )
    if found.older is None and bottom and (_end("pk") or 0) <= bottom:
        found.further = bottom + 1
        found.looked_at = f"Looked at operations #{bottom + 1:,} to #{top:,} so far."
    return found


def _end(order: str) -> int | None:
    """Return the first number of all operations in this order."""
    numbers = Operation.objects.order_by(order).values_list("pk", flat=True)
    return numbers.first()


def _matched(operation: Operation, text: str) -> Matched:
    in_purpose = text.casefold() in operation.purpose.casefold()
    if in_purpose:
        return excerpt("Reason or ticket", operation.purpose, text)
    return excerpt("Error", operation.reason, text)


KIND = Kind("texts", "Text of a reason or an error", find)
