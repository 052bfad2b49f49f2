"""What must be true in the end, whatever happened, by the sandbox's own record."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from console.models import AuditEvent
from operations.models import Operation
from writes.models import Batch, FileJob, Write

State = Operation.State

Received = list[dict[str, Any]]


@dataclass(frozen=True)
class Ledger:
    """What is written down at one moment: the keys of all rows, and all states."""

    writes: frozenset[int]
    batches: frozenset[int]
    events: frozenset[int]
    states: dict[int, str]

    def in_state(self, *states: str) -> frozenset[int]:
        """Return the operations in one of `states`."""
        return frozenset(pk for pk, state in self.states.items() if state in states)


def ledger() -> Ledger:
    """Return what is written down now."""
    return Ledger(
        writes=frozenset(Write.objects.values_list("pk", flat=True)),
        batches=frozenset(Batch.objects.values_list("pk", flat=True)),
        events=frozenset(AuditEvent.objects.values_list("pk", flat=True)),
        states=dict(Operation.objects.values_list("pk", "state")),
    )


def violations(
    received: Received,
    before: Ledger,
    *,
    may_be_unknown: frozenset[int] | None = frozenset(),
    may_run_on: frozenset[int] = frozenset(),
) -> list[str]:
    """Return everything that is not as it must be, once nothing moves any more.

    Only operations in `may_be_unknown` may be so, any if it is None. Of those in
    `may_run_on` the sandbox tells no end, and what comes after them stays held.
    """
    return [
        *worked_on_twice(received),
        *_strange(received),
        *_lost(before),
        *_broken_chains(),
        *_untrue(received, may_be_unknown),
        *_stuck(may_run_on),
        *_rows_that_do_not_add_up(),
    ]


def worked_on_twice(received: Received) -> list[str]:
    """Return what the sandbox worked on more than once."""
    numbers = dict(Batch.objects.values_list("sha256", "operation_id"))
    return [
        f"operation {numbers.get(digest, '?')} was worked on {count} times"
        for digest, count in _worked_on(received).items()
        if count > 1
    ]


def _strange(received: Received) -> list[str]:
    strange = _worked_on(received).keys() - Batch.objects.values_list(
        "sha256", flat=True
    )
    return [f"a request of no batch was worked on: {each}" for each in strange]


def _worked_on(received: Received) -> Counter[str]:
    return Counter(each["bodySha256"] for each in received if each["worked"])


def _lost(before: Ledger) -> list[str]:
    after = ledger()
    found = []
    for name in ("writes", "batches", "events"):
        if missing := getattr(before, name) - getattr(after, name):
            found.append(f"{name} are lost: {sorted(missing)}")
    if before.states.keys() - after.states.keys():
        found.append("operations are lost")
    if broken := AuditEvent.objects.first_broken():
        found.append(f"the audit trail is broken at {broken.pk}")
    return found


def _broken_chains() -> list[str]:
    """Return what does not lead from nothing to its state, each step to the next."""
    found = []
    for kept in (*Operation.objects.all(), *Write.objects.all()):
        state = ""
        for transition in kept.transitions.order_by("number"):
            if transition.from_state != state:
                found.append(f"{kept}: {state!r}, then {transition}")
            state = transition.to_state
        if state != kept.state:
            found.append(f"{kept} is {kept.state}, its last transition tells {state}")
    return found


def _untrue(received: Received, may_be_unknown: frozenset[int] | None) -> list[str]:
    worked = {each["bodySha256"]: each for each in received if each["worked"]}
    found = []
    for batch in Batch.objects.select_related("operation"):
        operation, truth = batch.operation, worked.get(batch.sha256)
        if operation.state == State.UNKNOWN:
            is_true = may_be_unknown is None or operation.pk in may_be_unknown
        elif truth is None:
            is_true = operation.state in (*Operation.NOT_SENT, State.REJECTED)
        else:
            is_true = _fits(operation, truth)
        if not is_true:
            what = f"worked on: {truth}" if truth else "not worked on"
            found.append(f"operation {operation.pk} is {operation.state}, but {what}")
    return found


def _fits(operation: Operation, truth: dict[str, Any]) -> bool:
    """Tell whether the state of an operation is that of a request worked on."""
    succeeded, failed = truth["succeeded"], truth["failed"]
    counts = (operation.rows_succeeded, operation.rows_failed)
    if operation.state in (State.SUCCEEDED, State.PARTLY_FAILED, State.FAILED):
        pairs = zip(counts, (succeeded, failed), strict=True)
        if any(ours is not None and ours != theirs for ours, theirs in pairs):
            return False
    match operation.state:
        case State.SUCCEEDED:
            return bool(succeeded) and not failed
        case State.PARTLY_FAILED:
            return bool(succeeded) and bool(failed)
        case State.FAILED:
            return not succeeded
        case State.COMPLETED:
            return bool(succeeded or failed)
    return operation.state == State.IN_PROGRESS


def _stuck(may_run_on: frozenset[int]) -> list[str]:
    moving = [State.WAITING, State.SENDING, State.IN_PROGRESS, State.HELD]
    stuck = Operation.objects.filter(state__in=moving).exclude(pk__in=may_run_on)
    unsettled = Batch.objects.filter(is_settled=False)
    if may_run_on:
        stuck = stuck.exclude(state=State.HELD)
        unsettled = unsettled.none()
    found = [f"operation {each.pk} is stuck: {each.state}" for each in stuck]
    jobs = FileJob.objects.filter(state__in=FileJob.OPEN)
    found += [f"file job {job.pk} is stuck: {job.state}" for job in jobs]
    return found + [f"batch {batch.pk} is never settled" for batch in unsettled]


def _rows_that_do_not_add_up() -> list[str]:
    found = []
    for write in Write.objects.filter(source="csv", state=Write.State.CONFIRMED):
        totals = write.rows_totals
        if totals is None:
            moving = write.batches.filter(is_settled=False)
            found += [] if moving else [f"the rows of write {write.pk} are not joined"]
            continue
        told = (totals.succeeded, totals.failed, totals.unknown, totals.not_sent)
        if totals.rows != write.row_count or sum(told) != write.row_count:
            found.append(f"of {write.row_count} rows of write {write.pk}: {told}")
    return found
