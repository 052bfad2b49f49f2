"""The search behind every box: each kind is asked, and what found something shows."""

from console.access.roles import Person
from writes.search import (
    audit_events,
    customers,
    digests,
    drafts,
    file_names,
    operation_ids,
    record_ids,
    request_ids,
    rows,
    texts,
    values,
)
from writes.search.found import Asked, Found, Kind

# In the order in which the page has them, where none is exactly what was looked for.
KINDS = (
    operation_ids.KIND,
    record_ids.KIND,
    rows.KIND,
    request_ids.KIND,
    audit_events.KIND,
    digests.KIND,
    customers.KIND,
    values.KIND,
    file_names.KIND,
    drafts.KIND,
    texts.KIND,
)
BY_NAME = {kind.name: kind for kind in KINDS}

# Of each kind on the page of all; on the page of one kind.
A_FEW, A_PAGE = 5, 50
LONGEST = 200


def cleaned(text: str) -> str:
    """Return what was typed as it is looked for: one line, and not too long."""
    return " ".join(text.replace("\x00", "").split())[:LONGEST]


def search(text: str, user: Person) -> list[tuple[Kind, Found]]:
    """Return the kinds that found something, the exact ones first, with a few hits.

    Also those that found nothing and did not look everywhere.
    """
    asked = Asked(text, user, limit=A_FEW)
    found = [(kind, kind.find(asked)) for kind in KINDS]
    told = [(kind, each) for kind, each in found if each or each.looked_at]
    return sorted(told, key=lambda pair: not pair[1].is_exact)


def search_kind(
    kind: Kind, text: str, user: Person, before: int | None
) -> tuple[Kind, Found]:
    """Return a page of what one kind found, below the id `before`."""
    return kind, kind.find(Asked(text, user, limit=A_PAGE, before=before))
