"""Finding what an address names: the only way a view gets a write, or a part of it."""

from django.http import Http404

from console.access.roles import Role
from console.access.scoping import find
from console.http import ConsoleRequest
from writes.models import Batch, Call, Write


def find_write(request: ConsoleRequest, pk: int, role: Role) -> Write:
    """Return the write, for people with `role` in its environment.

    Others get 404 where they have no role there, as for the draft of somebody else, and
    403 where their role is too low.
    """
    return find(
        request, Write.objects.select_related("parent__integration__project"), pk, role
    )


def find_run(request: ConsoleRequest, pk: int, role: Role) -> Batch:
    """Return what the requests of a run belong to; 404 for a write that is none."""
    write = find_write(request, pk, role)
    if not write.is_run or write.is_draft:
        raise Http404
    batch = write.batches.select_related("operation__project").get()
    batch.write = write
    return batch


def find_call(request: ConsoleRequest, pk: int, number: int, role: Role) -> Call:
    """Return one request of a run."""
    batch = find_run(request, pk, role)
    found = Call.objects.filter(batch=batch, number=number).first()
    if found is None:
        raise Http404
    found.batch = batch
    return found
