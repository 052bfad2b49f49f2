"""Finding the write that an address names: the only way a view gets it."""

from console.access.roles import Role
from console.access.scoping import find
from console.http import ConsoleRequest
from writes.models import Write


def find_write(request: ConsoleRequest, pk: int, role: Role) -> Write:
    """Return the write, for people with `role` in its environment.

    Others get 404 where they have no role there, as for the draft of somebody else, and
    403 where their role is too low.
    """
    return find(
        request, Write.objects.select_related("parent__integration__project"), pk, role
    )
