"""A person finds out what became of a write whose outcome is unknown.

    unknown ──link──────────▶ in progress    it is this operation of Ampersand
            ──was_written───▶ succeeded      one record, found in the customer's system
            ──was_not_written▶ not written
            ──send_again────▶ unknown still, and decided (`writes.actions.resend`)

Each is one conditional UPDATE, so that of two people, or of a person and an answer that
comes late, only the first has a say.
"""

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from ampersand import AmpersandError, Refused
from ampersand import Operation as RemoteOperation
from console.actor import Actor
from console.connections.probe import PATIENCE
from console.fields import UnreadableSecret
from console.models import AuditEvent, NoActiveKey
from operations.actions import follow
from operations.display.problem import problem_in_words
from operations.models import Operation
from writes import record_index
from writes.models import Batch

State = Operation.State

# Clocks differ by this much without anybody noticing.
CLOCKS_DIFFER = timedelta(minutes=1)
# Ampersand begins what it accepts at once; a request that waited longer is another one.
BEGINS_WITHIN = timedelta(minutes=15)


class NothingChanged(Exception):
    """What was asked for was not done; the text tells why and what to do."""


class NotUnknown(NothingChanged):
    """Its outcome is known by now, or somebody decided already."""


class Taken(NothingChanged):
    """Another operation of this console is the one with that id: `twin`."""

    def __init__(self, twin: Operation) -> None:
        super().__init__(f"It is operation #{twin.pk}.")
        self.twin = twin


class Doubtful(NothingChanged):
    """Something speaks against it: `doubts` are sentences that a person must weigh."""

    def __init__(self, doubts: list[str]) -> None:
        super().__init__(" ".join(doubts))
        self.doubts = doubts


def link(
    batch: Batch, remote_id: str, actor: Actor, *, is_sure: bool = False
) -> Operation:
    """Watch Ampersand's operation `remote_id` as what became of `batch`; return it.

    Ampersand is asked for it first, with one read. Where somebody follows it here
    already, `is_sure` leaves it there: that one is returned, and this one is decided
    and stays unknown. Raises `NotUnknown`, `Taken`, `Doubtful` unless `is_sure`, and
    `NothingChanged` where Ampersand does not know it or cannot be asked.
    """
    operation = batch.operation
    _need_unknown(operation)
    twin = _twin(operation, remote_id)
    if twin is not None:
        _leave_to(twin, operation, actor, is_sure=is_sure)
        return twin
    remote = _ask(operation, remote_id)
    doubts = doubts_about(operation, remote)
    if doubts and not is_sure:
        raise Doubtful(doubts)
    if remote.id.casefold() == remote_id.casefold():
        # As Ampersand spells it, so that it cannot be linked twice.
        remote_id = remote.id
    who = actor.name
    try:
        with transaction.atomic():
            _reconcile(
                batch,
                actor,
                state=State.IN_PROGRESS,
                remote_id=remote_id,
                due_at=timezone.now(),
                reason=f"Linked by {who} to {remote_id}.",
            )
            _audit(operation, actor, "operation.linked", {"remote_id": remote_id})
            follow.ask_now(operation)
    except IntegrityError:
        # Followed at the same moment.
        operation.refresh_from_db()
        twin = _twin(operation, remote_id)
        if twin is None:
            raise
        raise Taken(twin) from None
    return operation


def was_written(batch: Batch, record_id: str, actor: Actor) -> None:
    """Keep that the one record of `batch` was found written. Raises `NotUnknown`."""
    with transaction.atomic():
        _reconcile(
            batch,
            actor,
            state=State.SUCCEEDED,
            record_id=record_id,
            rows_succeeded=1,
            rows_failed=0,
            ended_at=timezone.now(),
            reason=f"Found by {actor.name}: record {record_id}.",
        )
        record_index.note_told(batch.operation)
        detail = {"record_id": record_id}
        _audit(batch.operation, actor, "operation.found_written", detail)


def was_not_written(batch: Batch, looked_at: str, actor: Actor) -> None:
    """Keep that nothing of `batch` arrived, and how that was found out.

    Raises `NotUnknown`.
    """
    with transaction.atomic():
        _reconcile(
            batch,
            actor,
            state=State.NOT_WRITTEN,
            rows_succeeded=0,
            rows_failed=batch.operation.rows_sent,
            ended_at=timezone.now(),
            reason=f"Found by {actor.name}: {looked_at}",
        )
        detail = {"looked_at": looked_at}
        _audit(batch.operation, actor, "operation.found_not_written", detail)


def doubts_about(operation: Operation, remote: RemoteOperation) -> list[str]:
    """Return what speaks against `remote` being what became of `operation`."""
    doubts = []
    name, began, sent = remote.object_name, remote.create_time, operation.sent_at
    if name and name.casefold() != operation.object_name.casefold():
        doubts.append(f"It writes {name}, but {operation.object_name} was sent.")
    if remote.action_type and remote.action_type.casefold() != "write":
        doubts.append(f"It is not a write: Ampersand calls it “{remote.action_type}”.")
    if began and sent and began < sent - CLOCKS_DIFFER:
        doubts.append(f"It started {_moment(began)}, before this was sent.")
    elif began and sent and began > sent + BEGINS_WITHIN:
        doubts.append(f"It started {_moment(began)}, long after this was sent.")
    return doubts


def _moment(moment: object) -> str:
    return f"on {timezone.localtime(moment):%-d %b %Y at %H:%M:%S}"  # type: ignore[arg-type]


def _need_unknown(operation: Operation) -> None:
    if operation.state != State.UNKNOWN:
        raise NotUnknown("Nothing was changed: its outcome is known by now.")


def _twin(operation: Operation, remote_id: str) -> Operation | None:
    others = Operation.objects.filter(project=operation.project_id)
    return others.filter(remote_id__iexact=remote_id).first()


def _leave_to(
    twin: Operation, operation: Operation, actor: Actor, *, is_sure: bool
) -> None:
    """Decide that `twin`, which somebody follows, tells what became of it."""
    if not is_sure or twin.action != Operation.Action.FOLLOW:
        raise Taken(twin)
    who = actor.name
    with transaction.atomic():
        if not operation.resolve(f"{who} found that it is operation #{twin.pk}."):
            raise NotUnknown("Nothing was changed: it is already resolved.")
        detail = {"remote_id": twin.remote_id, "operation": str(twin.pk)}
        _audit(operation, actor, "operation.linked", detail)


def _ask(operation: Operation, remote_id: str) -> RemoteOperation:
    project = operation.project
    try:
        client = project.client(timeout=PATIENCE)
        return client.get_operation(project=project.remote_id, operation_id=remote_id)
    except Refused as error:
        if error.problem.status != 404:
            raise NothingChanged(_not_asked(problem_in_words(error))) from None
        raise NothingChanged(
            f"Nothing was changed: Ampersand has no such operation in {project}. Check "
            "the id."
        ) from None
    except (AmpersandError, NoActiveKey, UnreadableSecret) as error:
        raise NothingChanged(_not_asked(problem_in_words(error))) from None


def _not_asked(why: str) -> str:
    return f"Nothing was changed. {why} Try again in a minute."


def _reconcile(batch: Batch, actor: Actor, **values: object) -> None:
    """Store the new state; its rows are joined to it anew. Raises `NotUnknown`."""
    done = batch.operation.reconcile(by=actor.name, **values)  # type: ignore[arg-type]
    if not done:
        _need_unknown(batch.operation)
    kept = Batch.objects.filter(
        pk=batch.pk, first_row__isnull=False, write__files_deleted_at=None
    )
    kept.update(is_settled=False)


def _audit(
    operation: Operation, actor: Actor, action: str, detail: dict[str, str]
) -> None:
    AuditEvent.record(
        action=action,
        subject=f"Operation {operation.pk}, whose outcome was unknown",
        about=operation,
        actor=actor,
        detail=detail,
    )
