"""Finding what an address names, with the words that its page needs."""

from collections.abc import Iterable, Sequence

from console.access.roles import Role
from console.access.scoping import find
from console.http import ConsoleRequest
from console.models import Group
from operations.models import Operation

# Where a customer is: the integration, and the reference there.
CustomerAt = tuple[int | None, str]


def find_operation(request: ConsoleRequest, pk: int, role: Role) -> Operation:
    """Return the operation, for people with `role` in its environment: the only way.

    Others get 404 where they have no role there, and 403 where it is too low.
    """
    return find(request, Operation.objects.select_related("integration"), pk, role)


def name_groups(operations: Sequence[Operation]) -> None:
    """Give each operation `group_name`, the customer in words; one query for all."""
    names = group_names((each.integration_id, each.group_ref) for each in operations)
    for operation in operations:
        place = operation.integration_id, operation.group_ref
        operation.group_name = names.get(place, "")  # type: ignore[attr-defined]


def group_names(places: Iterable[CustomerAt]) -> dict[CustomerAt, str]:
    """Return the names of customers that have one; one query for all."""
    wanted = set(places)
    groups = Group.objects.filter(
        integration__in={integration for integration, _ in wanted},
        group_ref__in={ref for _, ref in wanted},
    )
    told = groups.values_list("integration_id", "group_ref", "name")
    return {(integration, ref): name for integration, ref, name in told}
