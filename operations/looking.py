"""The newest operations that the filters of the list let through, and how many.

Their numbers are asked for first: those an index tells by itself. Asked for whole rows,
PostgreSQL would rather walk through all operations, newest first, as if the few that
are wanted lay evenly among them; those of a customer who left lie at the far end.

An index has the operations of one state newest first, of several it has not: each
state, action and environment that is asked for is asked by itself. No index has words
within texts: those are looked for in the newest LOOK operations that the other filters
let through, and a page says how far it looked. Ids, customers and objects as a whole
have indexes, and are found however old they are.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from console.access.roles import Person, Role, environments_for
from console.environments import Environment
from operations.filters import OperationFilter, Place
from operations.models import Failure, Operation
from operations.models.operation_queries import OperationQuerySet

LOOK = 10_000
# Those whose turn has come are looked for among so many.
AMONG = 100
# Counting stops here: pages say "10,000+".
MOST_COUNTED = 10_000


@dataclass(frozen=True)
class Looked:
    """Operations in the order of the list, and the one up to which all were looked at.

    `further` is None where nothing is left to look at, or where the list goes on below
    what it has.
    """

    operations: list[Operation]
    further: Place | None = None


def newest(
    chosen: OperationFilter, operations: OperationQuerySet, user: Person, limit: int
) -> Looked:
    """Return the first of what a valid filter lets through, `limit` at most.

    `operations` are those that `user` may see, or some of them.
    """
    if chosen.cleaned_data["text"]:
        return _mentioning(chosen, operations, limit)
    places = [_places(chosen, part, limit) for part in parts(chosen, operations, user)]
    return Looked(_read(chosen, operations, places, limit))


def newest_begun(
    operations: OperationQuerySet, user: Person, limit: int
) -> list[Operation]:
    """Return the newest of `operations`, which `user` may see, whose turn has come.

    Looked for among the newest of each environment, whose numbers an index tells.
    """
    some = _some_environments(user)
    parts = operations.each_of(environment=some) if some else [operations]
    numbers = [pk for part in parts for pk in _numbers(part)]
    numbers = sorted(numbers, reverse=True)[:AMONG]
    begun = operations.begun().newest_first()
    found = list(begun.filter(pk__in=numbers)[:limit])
    if len(found) == limit or len(numbers) < AMONG:
        return found
    # The newest all wait for their turn.
    return list(begun[:limit])


def _numbers(operations: OperationQuerySet) -> list[int]:
    return list(operations.newest_first().values_list("pk", flat=True)[:AMONG])


def count(chosen: OperationFilter, operations: OperationQuerySet, user: Person) -> str:
    """Return how many a valid filter lets through: "10,000+" if that is too many.

    In their order, so that the database walks an index and stops. Texts have none: "–".
    """
    if chosen.cleaned_data["text"]:
        return "–"
    left = MOST_COUNTED + 1
    for part in _counted(chosen, operations, user):
        left -= part.values("pk")[:left].count()
        if not left:
            return f"{MOST_COUNTED:,}+"
    return f"{MOST_COUNTED + 1 - left:,}"


def _counted(
    chosen: OperationFilter, operations: OperationQuerySet, user: Person
) -> Sequence[QuerySet[Any]]:
    """Return what there are as many of as the filter lets through."""
    if chosen.narrowing.keys() == {"error"} and not _some_environments(user):
        # An error is there once for each operation, and no operation is looked up.
        return [Failure.objects.filter(digest=chosen.cleaned_data["error"])]
    return parts(chosen, operations, user)


def stretch(
    chosen: OperationFilter, operations: OperationQuerySet, user: Person, length: int
) -> tuple[OperationQuerySet, Place | None]:
    """Return the first of what a valid filter lets through, and the last of these.

    So many are looked at, of which those with the text remain. The last is None where
    there is nothing behind it. Whatever else is asked of them, the database reads no
    others: they lie between two places.
    """
    found = [
        place
        for part in parts(chosen, operations, user, with_text=False)
        for place in _places(chosen, part, length + 1)
    ]
    found.sort(key=chosen.place_of, reverse=True)
    if not found:
        return operations.none(), None
    last = found[:length][-1]
    between = chosen.up_to(found[0]) & chosen.down_to(last)
    rest = chosen.page(operations).filter(between)
    if len(found) <= length:
        return rest, None
    moments = operations.filter(pk=last.pk).values_list("created_at", flat=True)
    return rest, Place(last.pk, moments.first())


def parts(
    chosen: OperationFilter,
    operations: OperationQuerySet,
    user: Person,
    *,
    with_text: bool = True,
) -> list[OperationQuerySet]:
    """Return the page as parts, each of which an index has in the order of the list."""
    several = chosen.several
    if not chosen.cleaned_data["environment"]:
        several = {**several, "environment": _some_environments(user)}
    split = {name: values for name, values in several.items() if len(values) > 1}
    page = chosen.page(operations, with_text=with_text)
    if chosen.of_size and not several["rows_sent"]:
        page = page.among_few(chosen.of_size)
    return page.each_of(**split)


def _some_environments(user: Person) -> list[str]:
    """Return the environments that `user` sees; none where these are all."""
    seen = environments_for(user, Role.VIEWER)
    return [] if len(seen) == len(Environment) else list(seen)


def _mentioning(
    chosen: OperationFilter, operations: OperationQuerySet, limit: int
) -> Looked:
    text = chosen.cleaned_data["text"]
    page = chosen.page(operations, with_text=False)
    edges = list(page.values_list("pk", "created_at")[LOOK - 1 : LOOK + 1])
    edge = Place(*edges[0]) if len(edges) > 1 else None
    looked_at = page.filter(chosen.down_to(edge)) if edge else page
    found = _places(chosen, looked_at.mentioning(text), limit)
    if edge is None or len(found) == limit:
        return Looked(_read(chosen, operations, [found], limit))
    older = (_places(chosen, part, limit) for part in page.called(text))
    return Looked(_read(chosen, operations, [found, *older], limit - 1), edge)


def _places(
    chosen: OperationFilter, operations: OperationQuerySet, limit: int
) -> list[Place]:
    """Return the places of the first of a page; their times where those order it."""
    if chosen.times:
        return [
            Place(*each) for each in operations.values_list("pk", "created_at")[:limit]
        ]
    return [Place(pk) for pk in operations.values_list("pk", flat=True)[:limit]]


def _read(
    chosen: OperationFilter,
    operations: OperationQuerySet,
    places: Iterable[Iterable[Place]],
    limit: int,
) -> list[Operation]:
    """Return the first of several in the order of the list, each of them once."""
    found = {place.pk: place for several in places for place in several}
    ordered = sorted(found.values(), key=chosen.place_of, reverse=True)
    numbers = [place.pk for place in ordered[:limit]]
    read = operations.in_bulk(numbers)
    # One may have changed meanwhile, so that it is none of them any more.
    return [read[number] for number in numbers if number in read]
