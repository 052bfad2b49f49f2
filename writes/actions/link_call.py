"""Which operation of Ampersand's a request with an unknown outcome became.

Nothing is linked by itself: what fits is proposed, and a person chooses. Once linked it
is asked about like what was accepted, and its end says what became of the rows.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from ampersand import Operation as RemoteOperation
from console.actor import Actor
from console.connections.ask import NotAnswered
from console.models import AuditEvent, Group
from console.runtime import db_clock
from writes.actions.run import NothingToDecide
from writes.models import Call
from writes.worker import record_call
from writes.worker.import_operations import page_of

# An operation begins while its request is under way. The two clocks may differ.
BEFORE, AFTER = timedelta(minutes=1), timedelta(minutes=15)
MOST_PAGES = 5
OF_ANOTHER = "This operation belongs to another request."


@dataclass(frozen=True)
class Candidate:
    """An operation that may be that of a request; `fits` where no other may."""

    remote: RemoteOperation
    fits: bool


@dataclass(frozen=True)
class Found:
    """What was found, and whether there were more operations than were looked at."""

    candidates: list[Candidate]
    has_more: bool


def find_operations(call: Call) -> Found:
    """Ask Ampersand which operations of the customer a request may have become.

    Raises `NotAnswered`, also where nothing is unknown.
    """
    write, since = call.batch.write, call.sent_at
    if call.state != Call.State.UNKNOWN or since is None:
        raise NotAnswered("This request no longer has an unknown outcome.")
    group = Group.objects.filter(
        integration=write.integration_id, group_ref=write.group_ref
    ).first()
    if group is None:
        raise NotAnswered(
            "The customer's installation is not known here. An admin can refresh the "
            "customers on the project's page."
        )
    found, after = [], ""
    for _ in range(MOST_PAGES):
        page, after = page_of(group, after)
        found += [each for each in page if _may_be(call, since, each)]
        if not after:
            break
    fits = len(found) == 1 and not _others_then(call, since)
    return Found([Candidate(each, fits) for each in found], has_more=bool(after))


def _may_be(call: Call, since: datetime, remote: RemoteOperation) -> bool:
    name = call.batch.write.object_name
    return (
        remote.create_time is not None
        and since - BEFORE <= remote.create_time <= since + AFTER
        and (remote.object_name or "").casefold() == name.casefold()
        and len(remote.successful_ids) <= call.row_count
        and not record_call.is_of_another(call, remote.id)
    )


def _others_then(call: Call, since: datetime) -> bool:
    """Tell whether another unknown request left at about the same time."""
    others = Call.objects.undecided().exclude(pk=call.pk)
    write = call.batch.write
    return others.filter(
        batch__write__integration=write.integration_id,
        batch__write__group_ref=write.group_ref,
        batch__write__object_name__iexact=write.object_name,
        sent_at__range=(since - AFTER, since + AFTER),
    ).exists()


def link(call: Call, actor: Actor, remote_id: str) -> None:
    """Take an operation of Ampersand's for that of a request with an unknown outcome.

    Raises `NothingToDecide` where that cannot be.
    """
    if not 0 < len(remote_id) <= record_call.LONGEST_ID or not remote_id.isprintable():
        raise NothingToDecide("Choose one of the operations.")
    if record_call.is_of_another(call, remote_id):
        raise NothingToDecide(OF_ANOTHER)
    try:
        _link(call, actor, remote_id)
    except IntegrityError:
        # Another one was linked to it meanwhile.
        raise NothingToDecide(OF_ANOTHER) from None


def _link(call: Call, actor: Actor, remote_id: str) -> None:
    with transaction.atomic():
        # What was told of some rows would be counted twice.
        unknown = Call.objects.undecided().filter(pk=call.pk, succeeded=0, failed=0)
        linked = unknown.update(
            state=Call.State.ACCEPTED,
            remote_id=remote_id,
            due_at=db_clock.now(),
            outcome=None,
            reason="",
        )
        if not linked:
            raise NothingToDecide("It was resolved meanwhile.")
        batch = call.batch
        AuditEvent.record(
            action="call.linked",
            subject=f"Write {batch.write_id}: request {call.number}, {remote_id}"[:200],
            about=batch.operation,
            actor=actor,
            detail={"write": batch.write_id, "operation": batch.operation_id},
        )
        record_call.settle(batch)
