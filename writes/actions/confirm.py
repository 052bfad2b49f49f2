"""From a draft to what will be sent: committed before anything leaves.

A write that goes in one request has one batch and one operation. A file that goes in
parts has one of each for every part: the first waits to be sent, the others are held
until the part before them ended well (`writes.models.batch`). In a parallel write all
wait, and the project's gate paces them.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from ampersand import Request, RequestInvalid
from console.actor import Actor
from console.models import AuditEvent
from console.runtime import db_clock
from files.raw_records import read_header
from files.records_json.cutting import Piece
from files.splitting import Part
from operations.models import Operation
from writes import calls, dispatch, record_index, requests
from writes.actions import destinations
from writes.actions.duplicates import RepeatFound, claim
from writes.actions.need_approval import (
    ApprovalNeeded,
    Decision,
    NotApproved,
    digest_of,
    hold_to_rules,
)
from writes.actions.release_parts import due_at
from writes.models import Batch, Call, KeyLookup, Write
from writes.models.key_lookup import is_stale
from writes.search import terms
from writes.storage import measure

Delivery = Write.Delivery
State = Operation.State

# What stands in a batch's body where something is put in when it is sent.
FILLED_IN = ("recordsCSV", "recordsURL")


@dataclass(frozen=True)
class Planned:
    """One batch to be: which rows it carries, and what is known of its request."""

    request: Request
    rows: int | None
    part: Part | None = None
    csv_sha256: str = ""
    sha256: str = ""
    size: int = 0
    # The requests of a run.
    pieces: Sequence[Piece] = ()


class AlreadyDecided(RequestInvalid):
    """What a draft was to send again is unknown no more, or somebody was first."""

    def __init__(self, operation: Operation) -> None:
        super().__init__(
            f"Nothing was sent: operation #{operation.pk} was resolved meanwhile. "
            f"{operation.resolution or operation.get_state_display() + '.'}"
        )


def confirm(
    write: Write,
    actor: Actor,
    *,
    reason: str = "",
    repeat_reason: str = "",
    repeats: int | None = None,
    stop_after: int | None = None,
    decision: Decision | None = None,
) -> Operation:
    """Turn a draft into requests that will be sent, and return the first's operation.

    Committed before anything leaves. Confirming twice returns the first operation.
    `reason` says why it is sent, `repeat_reason` why once more although the same was
    sent before; `repeats` is the id of the write that this was said of, where it was
    said of a certain one. All are at most 200 characters. Of a file in parts nothing
    more goes once `stop_after` rows failed, if that is a number above 0. Where a rule
    asks for the approval of another person, `decision` is theirs, `actor` is they, and
    it goes out in the name of who asked.
    Raises `RepeatFound` (`writes.actions.duplicates`), `AlreadyDecided`, `NoActiveKey`,
    `UnreadableSecret`, `RequestInvalid` (as `ApprovalNeeded` and `NotApproved` are) and
    `FileNotFoundError` with the draft left as it is.
    """
    if not write.is_draft:
        return _operation_of(write)
    planned = plan(write)
    digest = digest_of(write, planned)
    sender = _sender(decision) if decision else actor
    try:
        with transaction.atomic():
            now = timezone.now()
            confirmed = write.change(
                only_from=Write.State.DRAFT,
                only_edition=write.edition,
                by=sender.name,
                state=Write.State.CONFIRMED,
                confirmed_at=now,
                reason=reason,
                stop_after=stop_after or None,
            )
            if not confirmed:
                return _operation_of(write)
            hold_to_rules(write, digest, decision, actor)
            KeyLookup.objects.filter(write=write).delete()
            _note_content(write, now, actor, repeat_reason, repeats)
            operations = [
                _add(write, number, each, sender, now, of=len(planned))
                for number, each in enumerate(planned, start=1)
            ]
            terms.note(write)
            _audit(write, operations, actor, sender)
            if write.resends is not None:
                again = operations[0]
                _decide(write.resends, again, actor, sender, repeat_reason)
            destinations.remember(write, sender)
            if write.source == Write.Source.RECORD:
                record_index.fill(write)
            for operation in operations[: _enqueued_at_once(write)]:
                transaction.on_commit(partial(dispatch.enqueue_send, operation))
    except (RepeatFound, AlreadyDecided, ApprovalNeeded, NotApproved):
        write.refresh_from_db()
        raise
    return operations[0]


def _sender(decision: Decision) -> Actor:
    """Return who asked for what was approved: it goes out in their name."""
    asked = decision.approval
    return Actor(user=asked.requested_by, name=asked.requested_by_name)


def _enqueued_at_once(write: Write) -> int:
    """Return how many parts are enqueued at once; the others are when due."""
    return write.project.max_at_once if write.is_parallel else 1


def _note_content(
    write: Write,
    now: datetime,
    actor: Actor,
    repeat_reason: str,
    repeats: int | None,
) -> None:
    """Claim the content; where it repeats a write, keep which and why."""
    earlier = claim(write, now, reason=repeat_reason, known=repeats)
    if earlier is None:
        return
    write.change(
        only_from=Write.State.CONFIRMED, repeats=earlier, repeat_reason=repeat_reason
    )
    AuditEvent.record(
        action="write.repeated",
        subject=f"Write {write.pk} has the same content as write {earlier.pk}",
        about=write,
        actor=actor,
        detail={"write": write.pk, "earlier": earlier.pk, "reason": repeat_reason},
    )


def _decide(
    unknown: Operation, again: Operation, actor: Actor, sender: Actor, reason: str
) -> None:
    """Keep that `again` sends what `unknown` did, once; or raise `AlreadyDecided`."""
    said = f"{sender.name} sent it again as operation #{again.pk}. {reason}".strip()
    if not unknown.resolve(said):
        raise AlreadyDecided(unknown)
    AuditEvent.record(
        action="operation.sent_again",
        subject=f"Operation {unknown.pk}, whose outcome is unknown, as {again.pk}",
        about=unknown,
        actor=actor,
        detail={"operation": unknown.pk, "again": again.pk, "reason": reason},
    )


def _operation_of(write: Write) -> Operation:
    batch = write.batches.select_related("operation").first()
    if batch is not None:
        return batch.operation
    if write.is_draft:
        raise RequestInvalid("It was changed meanwhile. Review it again.")
    raise RequestInvalid("This draft was discarded.")


def plan(write: Write) -> list[Planned]:
    """Return what will be sent. Raises as `confirm` does."""
    if not write.is_ready:
        raise RequestInvalid("The file has not been checked, or has errors.")
    if write.source == Write.Source.CSV:
        return _plan_file(write)
    prepared = requests.prepare_shown(write)
    content = prepared.content()
    rows = 1 if write.source == Write.Source.RECORD else write.row_count
    sha256 = hashlib.sha256(content).hexdigest()
    return [Planned(prepared, rows, sha256=sha256, size=len(content))]


def _plan_file(write: Write) -> list[Planned]:
    report = write.check_report
    if is_stale(write, db_clock.now()):
        raise RequestInvalid(
            "The keys were looked up too long ago: records may have been created or "
            "deleted since. Look them up again."
        )
    size, sha256 = measure(write.path_of("as_sent"))
    if sha256 != report["as_sent_sha256"]:
        raise RequestInvalid("The stored file is not the one that was checked.")
    if write.is_run:
        return _plan_run(write, size, sha256)
    shown = requests.prepare_shown(write)
    if write.goes_in_parts:
        return _plan_parts(shown, report["parts"])
    whole = _whole(write, size)
    if write.delivery != Delivery.TEXT:
        return [Planned(shown, write.row_count, whole, sha256)]
    content = requests.prepare_exact(write).content()
    body_sha256 = hashlib.sha256(content).hexdigest()
    return [Planned(shown, write.row_count, whole, sha256, body_sha256, len(content))]


def _plan_run(write: Write, size: int, sha256: str) -> list[Planned]:
    """Return the one batch of a run, with the requests that its rows are cut into."""
    envelopes = calls.envelopes_of(write)
    path, table = write.path_of("as_sent"), calls.table_of(write)
    found = list(calls.cut(path, table, envelopes, write.lanes))
    if len(found) != write.check_report.get("run", {}).get("calls", len(found)):
        raise RequestInvalid(
            f"It takes {len(found):,} requests now, since the number of records in one "
            "request changed after the check. Go back to the form and review it again."
        )
    around = {
        type_: {
            "before": envelope.before,
            "after": envelope.after,
            "most": envelope.most,
            "is_single": envelope.is_single,
        }
        for type_, envelope in envelopes.items()
    }
    envelope = next(iter(envelopes.values()))
    masked_key = write.project.active_key().value.masked
    request = replace(envelope.request(b""), body=around, masked_key=masked_key)
    whole = _whole(write, size)
    return [Planned(request, write.row_count, whole, sha256, pieces=found)]


def _plan_parts(shown: Request, parts: list[dict[str, Any]]) -> list[Planned]:
    if not parts:
        raise RequestInvalid("This file cannot be split into small enough parts.")
    planned = []
    for told in parts:
        sha256 = told["sha256"]
        part = Part(**{k: v for k, v in told.items() if k != "sha256"})
        rows = part.last_row - part.first_row + 1
        planned.append(Planned(shown, rows, part, sha256))
    return planned


def _whole(write: Write, size: int) -> Part:
    """Return the part that is the whole file of `size` bytes."""
    header = len(read_header(write.path_of("as_sent")))
    last_row = (write.row_count or 0) + 1
    return Part(1, 2, last_row, header, size - header)


def _add(
    write: Write,
    number: int,
    planned: Planned,
    sender: Actor,
    now: datetime,
    *,
    of: int,
) -> Operation:
    # One after the other unless the operator allowed more.
    goes_now = number == 1 or write.is_parallel
    operation = Operation.objects.create(
        kind=Operation.Kind.RUN if planned.pieces else Operation.Kind.REQUEST,
        state=State.WAITING if goes_now else State.HELD,
        project=write.project,
        integration=write.integration,
        action=write.action,
        source=write.source,
        write_number=write.pk,
        object_name=write.object_name,
        group_ref=write.group_ref,
        started_by=sender.user,
        started_by_name=sender.name,
        purpose=write.reason or write.repeat_reason,
        record_id=write.record_id,
        part=f"part {number:,} of {of:,}" if of > 1 else "",
        rows_sent=planned.rows,
        rows_succeeded=0 if planned.pieces else None,
        rows_failed=0 if planned.pieces else None,
        created_at=now,
        due_at=due_at(write.project, now, number - 1) if goes_now else None,
    )
    has_file = write.source == Write.Source.CSV
    # A part has the names of a batch's columns, its number among them.
    position = asdict(planned.part) if planned.part else {"number": number}
    batch = Batch.objects.create(
        write=write,
        operation=operation,
        generation=write.project.generation,
        method=planned.request.method,
        url=planned.request.url,
        body=json.dumps(_body(planned.request, has_file=has_file), ensure_ascii=False),
        masked_key=planned.request.masked_key,
        sha256=planned.sha256,
        size=planned.size,
        csv_sha256=planned.csv_sha256,
        is_settled=not has_file,
        calls_total=len(planned.pieces),
        **position,
    )
    if planned.pieces:
        Call.objects.all().plan(batch, planned.pieces)
    return operation


def _body(request: Request, *, has_file: bool) -> dict[str, Any]:
    """Return the body, without what is put in from the file when it is sent."""
    body = dict(request.body or {})
    if has_file:
        body |= {name: None for name in FILLED_IN if name in body}
    return body


def _audit(
    write: Write, operations: list[Operation], actor: Actor, sender: Actor
) -> None:
    batch = operations[0].batch
    detail: dict[str, Any] = {
        "write": write.pk,
        "operation": operations[0].pk,
        "address": batch.url,
        "body_sha256": batch.sha256,
        "body_bytes": batch.size,
        "reason": write.reason,
    }
    if sender is not actor:
        detail["requested_by"] = sender.name
    if write.source == Write.Source.CSV:
        detail |= {
            "parts": len(operations),
            "delivery": write.delivery,
            "parallel": write.is_parallel,
            "deadline_hours": write.deadline_hours,
            "file_sha256": write.check_report["as_sent_sha256"],
            "file_bytes": write.check_report["as_sent_size"],
        }
    AuditEvent.record(
        action="write.confirmed",
        subject=f"{write.get_action_display()} {write.count_label} "
        f"for {write.group_label}",
        about=write if len(operations) > 1 else operations[0],
        actor=actor,
        detail=detail,
    )


def review_token(write: Write, shown: Request) -> str:
    """Return what tells one request from another, for the button that sends it."""
    said = f"{write.edition} {shown.method} {shown.url}\n".encode() + shown.content()
    return hashlib.sha256(said).hexdigest()
