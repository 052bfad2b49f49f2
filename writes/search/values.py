"""Writes of one record by a value that it carried, as a whole and without case.

Values are kept as keyed digests (`writes.search.terms`), read by `search_term_found`.
"""

from writes.models import SearchTerm
from writes.search.found import Asked, Found, Kind, of_writes
from writes.search.terms import digests_of


def find(asked: Asked) -> Found:
    """Return the single records that were sent with this value in some field."""
    ids = SearchTerm.objects.having(
        SearchTerm.Kind.VALUE,
        digests_of(asked.text),
        environments=asked.environments,
        before=asked.before,
        limit=asked.limit + 1,
    )
    found = of_writes(asked, ids)
    found.is_exact = bool(found)
    return found


KIND = Kind("values", "Field value of a single record", find)
