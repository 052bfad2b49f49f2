"""Finding what an address names, with the words that its page needs."""

from collections.abc import Sequence

from console.access.roles import Role
from console.access.scoping import find
from console.http import ConsoleRequest
from console.models import Group
from operations.models import Operation


def find_operation(request: ConsoleRequest, pk: int, role: Role) -> Operation:
    """Return the operation, for people with `role` in its environment: the only way.

    Others get 404 where they have no role there, and 403 where it is too low.
    """
    return find(request, Operation.objects.select_related("integration"), pk, role)


def name_groups(operations: Sequence[Operation]) -> None:
    """Give each operation `group_name`, the customer in words; one query for all."""
    groups = Group.objects.filter(
        integration__in={operation.integration_id for operation in operations},
        group_ref__in={operation.group_ref for operation in operations},
    )
    names = {f"{g.integration_id} {g.group_ref}": g.name for g in groups}
    for operation in operations:
        place = f"{operation.integration_id} {operation.group_ref}"
        operation.group_name = names.get(place, "")  # type: ignore[attr-defined]
