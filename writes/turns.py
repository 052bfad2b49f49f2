"""Which part of a write may go: the rules, and nothing that changes anything.

One after the other, a part's turn comes when the one before it ended well. In a
parallel write all may go at once, until one does not end well: then what has not left
is held. A person may let them go past such a part; that is noted on its batch. While a
write is paused no part's turn comes.
"""

from collections.abc import Sequence

from django.db.models import Exists, OuterRef, Q

from operations.models import Operation
from writes.models import Batch, Write

State = Operation.State

# After these the next part goes by itself: Ampersand worked on the rows, and what it
# refused is known row by row.
ENDED_WELL = (State.SUCCEEDED, State.PARTLY_FAILED)
# Nothing is decided yet in these; in all others it did not end well.
_OPEN = (*Operation.IN_FLIGHT, State.HELD)


def _ended_badly() -> Q:
    return ~Q(operation__state__in=(*_OPEN, *ENDED_WELL))


def whose_turn_came() -> Q:
    """Return the condition that the turn of a held batch has come."""
    others = Batch.objects.filter(write_id=OuterRef("write_id"))
    done = Q(operation__state__in=ENDED_WELL) | (_ended_badly() & Q(is_passed=True))
    before = others.filter(done, number=OuterRef("number") - 1)
    bad = others.filter(_ended_badly(), is_passed=False)
    in_order = Q(write__is_parallel=False) & (Q(number=1) | Q(Exists(before)))
    together = Q(write__is_parallel=True) & ~Q(Exists(bad))
    return Q(write__paused_at=None) & (in_order | together)


def is_paused() -> Q:
    """Return the condition that the write of an operation is paused."""
    paused = Batch.objects.filter(write__paused_at__isnull=False)
    return Q(Exists(paused.filter(operation=OuterRef("pk"))))


def is_stopped() -> Q:
    """Return the condition that another part stopped the parallel write of one."""
    bad = Batch.objects.filter(
        _ended_badly(), write_id=OuterRef("write_id"), is_passed=False
    )
    stopped = Batch.objects.filter(Q(Exists(bad)), write__is_parallel=True)
    return Q(Exists(stopped.filter(operation=OuterRef("pk"))))


def stopped_at(write: Write, batches: Sequence[Batch]) -> list[Batch]:
    """Return the parts whose end holds others back; none if they go by themselves.

    `batches` are those of `write` in their order, with their operations.
    """
    if all(batch.operation.state != State.HELD for batch in batches):
        return []
    if write.is_parallel:
        return [batch for batch in batches if _is_in_the_way(batch)]
    last: list[Batch] = []
    for batch in batches:
        if batch.operation.state == State.HELD:
            break
        if batch.operation.is_in_flight:
            # Also where a later one was cancelled by hand: they go one by one.
            return []
        last = [batch]
    return [batch for batch in last if _is_in_the_way(batch)]


def _is_in_the_way(batch: Batch) -> bool:
    state = batch.operation.state
    return not batch.is_passed and state not in (*_OPEN, *ENDED_WELL)


def goes_on(write: Write, batches: Sequence[Batch]) -> bool:
    """Tell whether held parts will be let go without anybody doing anything."""
    if write.paused_at is not None:
        return False
    is_held = any(batch.operation.state == State.HELD for batch in batches)
    return is_held and not stopped_at(write, batches)
