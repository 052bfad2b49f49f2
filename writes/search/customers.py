"""Customers by their name or reference, each with what was sent last for them.

There are thousands of them at most: they are read as a whole. What was sent last is
read by `operation_by_customer`.
"""

from urllib.parse import urlencode

from django.db.models import OuterRef, Q, Subquery

from console.models import Group
from operations.models import Operation
from writes.search.found import Asked, Found, Kind, of_operations

SHORTEST = 2


def find(asked: Asked) -> Found:
    """Return the customers with this in their name or reference, by name."""
    text = asked.text
    if len(text) < SHORTEST:
        return Found()
    named = Q(name__icontains=text) | Q(group_ref__icontains=text)
    of_customer = Operation.objects.filter(
        group_ref=OuterRef("group_ref"), integration=OuterRef("integration")
    )
    groups = Group.objects.visible_to(asked.user).filter(named)
    last_pk = Subquery(of_customer.newest_first().values("pk")[:1])
    known = groups.select_related("integration__project").annotate(last_pk=last_pk)
    read = list(known[: asked.limit + 1])
    shown = sorted(read[: asked.limit], key=lambda group: not _is_named(group, text))
    if not shown:
        return _by_operations(asked)
    last = Operation.objects.for_list().in_bulk([group.last_pk for group in shown])
    for group in shown:
        group.last = last.get(group.last_pk)  # type: ignore[attr-defined]
        narrowed = {"group": group.group_ref, "integration": group.integration_id}
        group.narrowed = urlencode(narrowed)  # type: ignore[attr-defined]
    found = Found(
        groups=list(shown), is_exact=any(_is_named(each, text) for each in shown)
    )
    if len(read) > asked.limit:
        found.looked_at = "More customers have this in their name: type more of it."
    return found


def _by_operations(asked: Asked) -> Found:
    """Return what was sent for a reference that is on no integration's list."""
    operations = Operation.objects.visible_to(asked.user).for_list()
    sent = operations.spelt(group_ref=asked.text)
    if asked.before:
        sent = sent.filter(pk__lt=asked.before)
    # By the index: asked for rows, a database would walk through all operations.
    numbers = sent.newest_first().values_list("pk", flat=True)[: asked.limit + 1]
    newest = operations.filter(pk__in=list(numbers)).newest_first()
    found = of_operations(asked, newest)
    found.is_exact = bool(found)
    return found


def _is_named(group: Group, text: str) -> bool:
    return text.casefold() in (group.name.casefold(), group.group_ref.casefold())


KIND = Kind("customers", "Customer", find)
