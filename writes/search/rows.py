"""Files that carried a record: by the key of a row, or by the id of its record.

By the index of `writes.records`. Single records are kinds of their own.
"""

from django.urls import reverse
from django.utils.http import urlencode

from console.fields import UnreadableSecret
from writes import records
from writes.models import Write
from writes.records import Hit
from writes.search.found import Asked, Found, Kind, Matched, excerpt, of_writes


def find(asked: Asked) -> Found:
    """Return the files with a row of this key or id, with its outcome."""
    try:
        carried = records.find(
            asked.user, asked.text, before=asked.before, limit=asked.limit
        )
    except UnreadableSecret:
        return Found(looked_at="Not searched: the key of the index cannot be read.")
    hits = {each.write.pk: each for each in carried.hits if _is_file(each)}
    found = of_writes(asked, list(hits), lambda write: _matched(hits[write.pk]))
    for line in found.lines:
        line.url = _rows_of(hits[line.pk])
    found.older = carried.before
    found.is_exact = bool(found)
    if not found and (waiting := records.missing(asked.user)).count:
        more = "+" if waiting.is_more else ""
        found.looked_at = (
            f"{waiting.count:,}{more} of the writes are not included yet: they "
            "still run, or their rows are not indexed."
        )
    return found


def _is_file(hit: Hit) -> bool:
    return hit.write.source == Write.Source.CSV


def _matched(hit: Hit) -> Matched:
    row = next((each.row for each in hit.carried if each.row), None)
    if row is None:
        return Matched("A row whose result is gone")
    return excerpt(f"Row {row.row:,}, {row.state}", row.error, "")


def _rows_of(hit: Hit) -> str:
    """Return the address of the page of its rows, narrowed to the one found."""
    page = reverse("writes:rows", args=[hit.write.pk])
    keys = [each.row.key for each in hit.carried if each.row and each.row.key]
    return f"{page}?{urlencode({'key': keys[0]})}" if keys else page


KIND = Kind("rows", "Key or record id of a row", find)
