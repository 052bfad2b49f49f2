"""Operations by the request id that Ampersand answered (`operation_by_request_id`)."""

from operations.models import Operation
from writes.search.found import Asked, Found, Kind, of_operations


def find(asked: Asked) -> Found:
    """Return the operations whose answer named this request id, as a whole."""
    operations = Operation.objects.visible_to(asked.user).for_list()
    operations = operations.filter(request_id=asked.text)
    if asked.before:
        operations = operations.filter(pk__lt=asked.before)
    found = of_operations(asked, operations.newest_first()[: asked.limit + 1])
    found.is_exact = bool(found)
    return found


KIND = Kind("requests", "Request id", find)
