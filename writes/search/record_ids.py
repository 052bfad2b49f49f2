"""Operations by the id of the one record that they wrote (`operation_by_record`).

The records of a file are found by `writes.search.rows`.
"""

from django.db.models import Q

from console.runtime.prefix import begins_with
from files.values.record_ids import has_shape, normal
from operations.models import Operation
from writes.search.found import Asked, Found, Kind, excerpt, of_operations

SHORTEST = 4


def find(asked: Asked) -> Found:
    """Return what wrote the record with this id, or an id that begins so.

    15 and 18 characters of Salesforce's are one id, whichever of them was kept.
    """
    text = asked.text
    if len(text) < SHORTEST:
        return Found()
    wanted = begins_with("record_id", text)
    if len(text) == 18 and has_shape(text) and normal(text):
        wanted |= Q(record_id=text[:15])
    operations = Operation.objects.visible_to(asked.user).for_list().filter(wanted)
    if asked.before:
        operations = operations.filter(pk__lt=asked.before)
    newest = operations.among_few(wanted).newest_first()[: asked.limit + 1]
    found = of_operations(
        asked, newest, lambda each: excerpt("Record id", each.record_id, text)
    )
    found.is_exact = bool(found)
    return found


KIND = Kind("records", "Record id", find)
