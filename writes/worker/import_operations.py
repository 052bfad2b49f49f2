"""Taking over the operations of a customer that other programs started.

When a person asks, and in the background for projects that have it switched on.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction

from ampersand import Operation as RemoteOperation
from console.actor import SYSTEM, Actor
from console.connections.ask import NotAnswered, ask
from console.models import AuditEvent, Group
from console.runtime import db_clock
from operations.actions import follow
from operations.models import Operation, RollupMark
from writes.models import Call

log = logging.getLogger(__name__)

# In the background what is younger is left for the next time: it may be the operation
# of a request of ours whose answer is still under way.
TOO_YOUNG = timedelta(minutes=15)
# Pages of 200: more than anybody looks through.
MOST_PAGES = 20


@dataclass(frozen=True)
class Imported:
    """How many operations are new, how many were known; whether there are more."""

    new: int
    known: int
    has_more: bool


def import_in_background(group_id: int) -> None:
    """Follow what is new of a group, where its project still has that switched on."""
    groups = Group.objects.select_related("integration__project")
    group = groups.filter(
        pk=group_id, integration__project__imports_operations=True
    ).first()
    if group is None:
        return
    try:
        found = import_operations(group, SYSTEM, until=db_clock.now() - TOO_YOUNG)
    except NotAnswered as error:
        log.warning("Operations of %s were not imported: %s", group, error)
        return
    log.info("Operations of %s: %s new, %s known", group, found.new, found.known)


def import_operations(
    group: Group, actor: Actor, *, until: datetime | None = None
) -> Imported:
    """Follow every write of a group's installation that this console does not know.

    With `until` those that began later are left out. Raises `NotAnswered`; pages that
    came before are kept then.
    """
    new = known = 0
    after = ""
    for _ in range(MOST_PAGES):
        found, after = page_of(group, after)
        for remote in found:
            if until and (remote.create_time is None or remote.create_time > until):
                continue
            is_new = not _is_ours(group, remote.id) and _follow(group, remote, actor)
            new += is_new
            known += not is_new
        if not after:
            break
    if new or until is None:
        _audit(group, actor, new, known)
    return Imported(new=new, known=known, has_more=bool(after))


def _audit(group: Group, actor: Actor, new: int, known: int) -> None:
    AuditEvent.record(
        action="operations.imported",
        subject=f"{new} operations of {group}",
        about=group.project,
        actor=actor,
        detail={"group": group.group_ref, "new": new, "known": known},
    )


def page_of(group: Group, after: str) -> tuple[list[RemoteOperation], str]:
    """Return some writes of a group's installation, and what the next ones are after.

    "" is before the first and after the last. Raises `NotAnswered`.
    """
    if not group.installation_id:
        raise NotAnswered(
            f"The installation of {group} is not known. Refresh the customers first."
        )
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
            project=group.project,
            remote_id=remote.id,
            actor=actor,
            source=Operation.Source.IMPORTED,
        )
    except ValidationError:
        return False
    if is_new:
        with transaction.atomic():
            Operation.objects.filter(pk=operation.pk).update(
                integration=group.integration,
                group_ref=group.group_ref,
                object_name=(remote.object_name or "")[:200],
            )
            RollupMark.add(operation.pk)
    return is_new
