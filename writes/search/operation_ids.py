"""Operations by their number or their id in Ampersand, and writes by their number.

Numbers are keys; ids are found by their beginning (`operation_by_remote_id`), those of
a run's requests as a whole (`call_remote_id_once`).
"""

import re

from django.db.models import Q

from console.runtime.prefix import begins_with
from console.validators import LARGEST_ID, whole_number
from operations.models import Operation
from operations.models.operation_queries import OperationQuerySet
from writes.models import Call
from writes.search.found import Asked, Found, Kind, Line, of_operations, of_writes

# As pages write them: "#12", "operation 12", "write 12".
_NUMBER = re.compile(r"(?:#|operation #?|write #?)?(\d+)", re.IGNORECASE)
# Shorter beginnings of an id would mean anything.
SHORTEST = 4


def find(asked: Asked) -> Found:
    """Return what has this number or id, or an id that begins so."""
    if asked.before:
        return _by_remote_id(asked)
    numbered = _numbered(asked)
    found = _by_remote_id(asked)
    known = {line.url for line in numbered}
    lines = [line for line in found.lines if line.url not in known]
    found.lines = [*numbered, *lines]
    found.is_exact = bool(found.lines)
    return found


def _numbered(asked: Asked) -> list[Line]:
    match = _NUMBER.fullmatch(asked.text)
    pk = whole_number(match[1], most=LARGEST_ID) if match else None
    if pk is None:
        return []
    operations = Operation.objects.visible_to(asked.user).for_list().filter(pk=pk)
    writes = of_writes(asked, [pk]).lines
    for line in writes:
        line.number = f"Write {pk}"
    lines = of_operations(asked, operations).lines
    # A write of one operation is shown by it: no second hit.
    writes = [line for line in writes if line.url not in {each.url for each in lines}]
    is_of_write = asked.text.casefold().startswith("write")
    return [*writes, *lines] if is_of_write else [*lines, *writes]


def _by_remote_id(asked: Asked) -> Found:
    if len(asked.text) < SHORTEST:
        return Found()
    calls = Call.objects.filter(remote_id=asked.text)
    runs = list(calls.values_list("batch__operation", flat=True)[: asked.limit])
    operations = Operation.objects.visible_to(asked.user).for_list()
    if asked.before:
        operations = operations.filter(pk__lt=asked.before)
    # Apart, so that each is read from its index.
    begun = list(_newest(operations, begins_with("remote_id", asked.text), asked))
    of_runs = list(_newest(operations, Q(pk__in=runs), asked)) if runs else []
    both = {operation.pk: operation for operation in (*begun, *of_runs)}
    return of_operations(asked, [both[pk] for pk in sorted(both, reverse=True)])


def _newest(
    operations: OperationQuerySet, condition: Q, asked: Asked
) -> OperationQuerySet:
    found = operations.filter(condition).among_few(condition)
    return found.newest_first()[: asked.limit + 1]


KIND = Kind("operations", "Operation id", find)
