"""Finding what an address names, with the words that its page needs."""

from collections.abc import Sequence

from django.shortcuts import get_object_or_404

from console.models import Group
from operations.models import Operation


def find_operation(pk: int) -> Operation:
    """Return the operation with its project and integration, or answer 404."""
    operations = Operation.objects.select_related("project", "integration")
    return get_object_or_404(operations, pk=pk)


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
