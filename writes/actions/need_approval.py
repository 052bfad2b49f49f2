"""Which writes need another person's approval, and holding those to it.

`confirm` is the only way by which anything is queued, so it asks here, in the
transaction that queues: whatever led there, a write that a rule is about goes with an
approval that fits it exactly, or not at all.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from ampersand import RequestInvalid
from console.access.roles import Role
from console.actor import Actor
from console.models import ApprovalRule
from console.runtime import db_clock
from writes.actions import tell_approval
from writes.models import Approval, Notice, Write

if TYPE_CHECKING:
    from writes.actions.confirm import Planned

Action = Write.Action

# What an action may do to a record: an upsert can come to either.
MAY_DO = {
    Action.CREATE: frozenset({"create"}),
    Action.UPDATE: frozenset({"update"}),
    Action.DELETE: frozenset({"delete"}),
    Action.UPSERT: frozenset({"upsert", "create", "update"}),
    Action.BY_ID: frozenset({"upsert", "create", "update"}),
    Action.BY_KEY: frozenset({"upsert", "create", "update"}),
}


class ApprovalNeeded(RequestInvalid):
    """Nothing was queued: another person has to approve it first."""

    def __init__(self, rules: Sequence[ApprovalRule]) -> None:
        names = "; ".join(map(str, rules))
        super().__init__(
            f"It needs the approval of another person ({names}). Ask for approval."
        )


class NotApproved(RequestInvalid):
    """Nothing was queued: the approval does not fit what would be sent; says why."""


@dataclass(frozen=True)
class Decision:
    """A person approves of `approval`, with a note; they are the actor of `confirm`."""

    approval: Approval
    note: str = ""


def rules_for(write: Write) -> list[ApprovalRule]:
    """Return the rules by which `write` needs approval now."""
    actions, rows = MAY_DO[Action(write.action)], rows_of(write)
    return [
        rule
        for rule in ApprovalRule.objects.of(write.project.environment)
        if rule.is_about(actions=actions, object_name=write.object_name, rows=rows)
    ]


def rows_of(write: Write) -> int | None:
    """Return how many rows count for a rule, None where nobody counted them.

    The first rows on trial and the rest are one file: they count together.
    """
    if write.source == Write.Source.URL or write.row_count is None:
        return None
    others = write.children.filter(relation=Write.Relation.TRIAL).not_discarded()
    rows = [write.row_count, *others.values_list("row_count", flat=True)]
    if write.relation == Write.Relation.TRIAL and write.parent is not None:
        rows.append(write.parent.row_count)
    known = [count for count in rows if count is not None]
    return sum(known) if len(known) == len(rows) else None


def least_role(rules: Sequence[ApprovalRule]) -> Role:
    """Return the role that who approves needs: the highest that a rule asks for."""
    return max((rule.least_role for rule in rules), default=Role.OPERATOR)


def digest_of(write: Write, planned: Sequence["Planned"]) -> str:
    """Return the SHA-256 of everything that leaves, where it goes, and how.

    Every request has the digest of its exact body in it, or of the file that it refers
    to. Of what lies at an address it is what a look at it found.
    """
    project = write.project
    said = {
        "project": [project.pk, project.environment, project.generation],
        "integration": write.integration_id,
        "object": write.object_name,
        "group": write.group_ref,
        "action": write.action,
        "way": [write.delivery, write.is_parallel, write.deadline_hours],
        "resends": write.resends_id,
        "looked_at": write.remote_file,
        "requests": [
            [
                each.request.method,
                each.request.url,
                each.request.headers(),
                each.request.body,
                each.rows,
                asdict(each.part) if each.part else None,
                each.csv_sha256,
                each.sha256,
                [[piece.type, piece.first_row, piece.sha256] for piece in each.pieces],
            ]
            for each in planned
        ],
    }
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def hold_to_rules(
    write: Write, digest: str, decision: Decision | None, actor: Actor
) -> None:
    """Let the confirmation of `write` go on only if no rule is in its way.

    Call it in the transaction that confirms, once the write is locked. With a decision
    its approval is marked as approved by `actor`, and told. Raises `ApprovalNeeded` and
    `NotApproved`, which roll all of it back.
    """
    rules = rules_for(write)
    if decision is None:
        if rules:
            raise ApprovalNeeded(rules)
        why = "It was sent without: no rule asks for approval any more."
        write.approvals.end("withdrawn", why, actor=actor)
        return
    approval, note = decision.approval, decision.note
    fitting = Approval.objects.filter(
        pk=approval.pk,
        write=write,
        edition=write.edition,
        digest=digest,
        expires_at__gt=db_clock.now(),
    )
    if not fitting.end("approved", actor=actor, note=note):
        raise NotApproved(
            "The approval does not hold for what would be sent: it expired, was "
            "decided, or the write or its connection was changed. Ask again."
        )
    tell_approval.tell(approval, Notice.Event.APPROVED)
