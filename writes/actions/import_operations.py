"""Taking over the operations of a customer that other programs started."""

from dataclasses import dataclass

from django.core.exceptions import ValidationError

from ampersand import Operation as RemoteOperation
from console.actor import Actor
from console.connections.ask import NotAnswered, ask
from console.models import AuditEvent, Group
from operations.actions import follow
from operations.models import Operation
from writes.models import Call

# Pages of 200: more than anybody looks through.
MOST_PAGES = 20


@dataclass(frozen=True)
class Imported:
    """How many operations are new, how many were known; whether there are more."""

    new: int
    known: int
    has_more: bool


def import_operations(group: Group, actor: Actor) -> Imported:
    """Follow every write of a group's installation that this console does not know.

    Raises `NotAnswered`; pages that came before are kept then.
    """
    if not group.installation_id:
        raise NotAnswered(
            f"Which installation {group} has is not known. Fetch the groups first."
        )
    new = known = 0
    after = ""
    for _ in range(MOST_PAGES):
        found, after = page_of(group, after)
        for remote in found:
            is_new = not _is_ours(group, remote.id) and _follow(group, remote, actor)
            new += is_new
            known += not is_new
        if not after:
            break
    AuditEvent.record(
        action="operations.imported",
        subject=f"{new} operations of {group}",
        about=group.project,
        actor=actor,
        detail={"group": group.group_ref, "new": new, "known": known},
    )
    return Imported(new=new, known=known, has_more=bool(after))


def page_of(group: Group, after: str) -> tuple[list[RemoteOperation], str]:
    """Return some writes of a group's installation, and what the next ones are after.

    "" is before the first and after the last. Raises `NotAnswered`.
    """
    project = group.project
    page = ask(
        project,
        lambda client: client.list_operations(
            project=project.remote_id,
            integration=group.integration.remote_id,
            installation=group.installation_id,
            token=after,
        ),
    )
    writes = [each for each in page.operations if each.action_type == "write"]
    return writes, page.next_token


def _is_ours(group: Group, remote_id: str) -> bool:
    """Tell whether it is a request of a run, whose operation is the run's."""
    mine = Call.objects.filter(remote_id=remote_id)
    return mine.filter(batch__operation__project=group.project).exists()


def _follow(group: Group, remote: RemoteOperation, actor: Actor) -> bool:
    try:
        operation, is_new = follow.follow(
            project=group.project, remote_id=remote.id, actor=actor
        )
    except ValidationError:
        return False
    if is_new:
        Operation.objects.filter(pk=operation.pk).update(
            integration=group.integration,
            group_ref=group.group_ref,
            object_name=(remote.object_name or "")[:200],
        )
    return is_new
