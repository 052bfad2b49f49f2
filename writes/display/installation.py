"""What is known to be wrong with a customer's installation, for who reviews a write."""

from dataclasses import dataclass
from datetime import datetime

from console.models import Group
from writes.models import Write


@dataclass(frozen=True)
class Installation:
    """What keeps a write from getting through, in sentences, as told at `seen_at`."""

    doubts: list[str]
    seen_at: datetime


def installation_of(write: Write) -> Installation | None:
    """Return what Ampersand told last, None where all is well or nothing was told."""
    group = Group.objects.filter(
        integration=write.integration_id, group_ref=write.group_ref
    ).first()
    if group is None or group.seen_at is None:
        return None
    doubts = _doubts(group, write)
    return Installation(doubts, group.seen_at) if doubts else None


def _doubts(group: Group, write: Write) -> list[str]:
    if group.health == Group.NOT_INSTALLED:
        return [
            f"{group} has not installed this integration. Ampersand will probably "
            "refuse the write."
        ]
    doubts = []
    if group.is_unwell:
        doubts.append(
            f"Ampersand reports the installation of {group} as {group.health}"
            f"{_said_of(group)}. It will probably refuse the write until the customer "
            "reconnects."
        )
    if group.lacks(write.object_name):
        doubts.append(
            f"{group} has no writable {write.object_name}. Ampersand will probably "
            "refuse the write."
        )
    elif write.action == Write.Action.DELETE and group.forbids_deleting(
        write.object_name
    ):
        doubts.append(
            f"{group} does not allow deleting a {write.object_name}. Ampersand will "
            "probably refuse the write."
        )
    return doubts


def _said_of(group: Group) -> str:
    """Return what else was said of it, in brackets."""
    said = []
    if group.connection_status not in ("", "working"):
        said.append(f"connection: {group.connection_status.replace('_', ' ')}")
    if group.last_operation:
        said.append(f"last operation: {group.last_operation.replace('_', ' ')}")
    return f" ({', '.join(said)})" if said else ""
