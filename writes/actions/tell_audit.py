"""What the audit trail keeps of a write before it is sent: never a value of a cell."""

from typing import Any

from console.actor import Actor
from console.models import AuditEvent
from writes.models import Write


def audit_draft(
    write: Write, actor: Actor, action: str, what: str, **detail: Any
) -> None:
    """Record what somebody did with a draft; `what` comes behind its number."""
    AuditEvent.record(
        action=action,
        subject=f"Draft {write.pk}: {what}",
        about=write,
        actor=actor,
        detail=detail,
    )


def audit_drafted(write: Write, actor: Actor) -> None:
    """Record that a draft was made, and of what."""
    detail: dict[str, Any] = {
        "source": write.source,
        "object": write.object_name,
        "group": write.group_ref,
    }
    if write.file_name:
        detail["file_name"] = write.file_name
    if write.relation and write.parent_id:
        detail |= {"relation": write.relation, "parent": write.parent_id}
    what = f"{write.get_action_display()} {write.object_name} for {write.group_label}"
    audit_draft(write, actor, "write.drafted", what, **detail)


def audit_upload(
    actor: Actor, *, file_name: str, size: int, sha256: str, write: Write | None = None
) -> None:
    """Record that a file came, before anybody says where it goes or with a draft."""
    AuditEvent.record(
        action="file.uploaded",
        subject=file_name,
        about=write,
        actor=actor,
        detail={"file_name": file_name, "bytes": size, "sha256": sha256},
    )
