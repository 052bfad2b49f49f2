"""The rate limit, or gate, of a project: how many requests at once and a second.

Writes: `admit_write` claims an operation, or puts it off; afterwards the breaker takes
note of what came of it. Reads: `admit_reads` grants a number of requests, and
the caller makes no more than those; afterwards `reads_ended` takes note of them all.

All of it counts over every worker and machine, because it happens under the lock of
one row. Nobody waits here: who is not let through gets a time and comes again then.
"""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from ampersand import AmpersandError, Refused
from console.models import Project
from console.runtime import db_clock
from operations.limits import circuit_breaker
from operations.models import Gate, Operation
from operations.models.gate import LONGEST_WAIT

State = Operation.State

# Whatever Ampersand asks for, it is not asked again sooner.
SHORTEST_WAIT = timedelta(seconds=1)
# Those that wait are spread over this time, and again over the same when it is full.
SPREAD = timedelta(minutes=1)
# Reads come in bunches: a second's worth may go together.
BUNCH = timedelta(seconds=1)


@dataclass(frozen=True)
class NotNow:
    """When to try again, and why not now: the beginning of a sentence.

    `in_line` says that nothing is wrong: others of the same project go first.
    """

    until: datetime
    why: str
    in_line: bool = False


@dataclass(frozen=True)
class Reads:
    """How many requests may be made now, and when the others may be."""

    granted: int
    next_at: datetime


# --- Writes ---------------------------------------------------------------------

# Each returns how many requests of a project are under way that no operation stands
# for. Filled by who sends such.
UNDER_WAY: list[Callable[[Project], int]] = []


def admit(project: Project, claim: Callable[[], bool]) -> NotNow | bool:
    """Let one more request through by calling `claim`; tell whether that took it.

    Returns until when none goes where none does, and calls nothing then. `claim` is
    called in the transaction that holds the lock.
    """
    most, _ = window(project.max_per_second)
    with transaction.atomic():
        gate = Gate.locked(project.pk)
        # After waiting for the lock, which may have taken a while.
        now = db_clock.now()
        wait = _not_now(gate, project, now)
        if wait is not None:
            gate.save(update_fields=["turn_at"])
            return wait
        if not claim():
            return False
        gate.write_starts = [*gate.write_starts, now.timestamp()][-most:]
        gate.save(update_fields=["write_starts"])
    return True


def admit_write(
    operation: Operation, *, only_if: Q | None = None, **values: Any
) -> bool:
    """Claim a waiting operation with `values`, or put it off; tell whether it is yours.

    One short transaction under the lock of the gate, so that of many workers none
    exceeds the pace. `only_if` and `values` are those of `Operation.change`.
    """

    def claim() -> bool:
        return operation.change(only_from=(State.WAITING,), only_if=only_if, **values)

    with transaction.atomic():
        told = admit(operation.project, claim)
        if isinstance(told, NotNow):
            _put_off(operation, told)
            return False
    return told


def puts_off(operation: Operation) -> bool:
    """Put a waiting operation off if it would not be admitted now; tell whether it was.

    To be asked before what is costly to prepare. A gate that looks open takes no lock.
    """
    now = db_clock.now()
    seen = Gate.objects.filter(pk=operation.project_id).first()
    if seen is None or _not_now(seen, operation.project, now) is None:
        return False
    with transaction.atomic():
        gate = Gate.locked(operation.project_id)
        wait = _not_now(gate, operation.project, now)
        if wait is not None:
            gate.save(update_fields=["turn_at"])
            _put_off(operation, wait)
    return wait is not None


def _put_off(operation: Operation, wait: NotNow) -> None:
    values: dict[str, Any] = {"due_at": wait.until}
    if not operation.remote_status:
        # What Ampersand itself said of it is worth more.
        values["reason"] = f"{wait.why}."
    if wait.in_line and not operation.attempts:
        # Its hour begins when it could have been sent.
        values["waiting_since"] = db_clock.now()
    operation.change(only_from=(State.WAITING,), **values)


def close_writes(
    project: Project,
    until: datetime,
    why: str,
    refused_before: datetime | None = None,
) -> None:
    """Let no write of the project through until then: Ampersand asked for it.

    Unless it took other writes since it refused this one before (`refused_before`):
    then it is the write that it does not take now, and the others go on.
    """
    with transaction.atomic():
        gate = Gate.locked(project.pk)
        accepted = gate.writes_accepted_at
        if refused_before and accepted and accepted > refused_before:
            return
        before = gate.writes_closed_until
        if before is None or before < until:
            gate.writes_closed_until, gate.writes_closed_why = until, why
            gate.save(update_fields=["writes_closed_until", "writes_closed_why"])


def note_accepted(project: Project) -> None:
    """Keep that Ampersand took a write, where it asked us to wait before."""
    asked = Gate.objects.filter(pk=project.pk, writes_closed_until__isnull=False)
    asked.update(writes_accepted_at=db_clock.now())


def wait_asked_for(asked: datetime | None, now: datetime) -> datetime | None:
    """Return the time that Ampersand named, within what is sensible; None for none."""
    if asked is None:
        return None
    return min(max(asked, now + SHORTEST_WAIT), now + LONGEST_WAIT)


def window(per_second: float) -> tuple[int, float]:
    """Return (count, seconds): no more than `count` may begin in so many seconds.

    5 a second are 5 in one second, 2.5 are 3 in 1.2 seconds, 0.5 is 1 in two.
    """
    count = math.ceil(per_second)
    return count, count / per_second


def _not_now(gate: Gate, project: Project, now: datetime) -> NotNow | None:
    """Return why no write goes now, and the turn of who asked; None if one may go."""
    if gate.try_at is not None and gate.is_open:
        return NotNow(
            _turn(gate, project, gate.try_at, now),
            "Ampersand is not responding, so sending to this project is paused",
        )
    closed = gate.closed_at(now)
    if closed is not None:
        return NotNow(_turn(gate, project, closed, now), gate.writes_closed_why)
    free_at = _free_at(gate, project, now)
    if free_at is None:
        return None
    why = (
        f"The rate limit of this project is reached: at most {project.max_at_once} "
        f"at once and {project.max_per_second:g} a second"
    )
    return NotNow(_turn(gate, project, free_at, now), why, in_line=True)


def _free_at(gate: Gate, project: Project, now: datetime) -> datetime | None:
    """Return when a write may begin as far as can be known, None if now."""
    most, seconds = window(project.max_per_second)
    at = now.timestamp()
    # A start in the future was noted before the clock was set back.
    recent = [start for start in gate.write_starts if abs(at - start) < seconds]
    if len(recent) >= most:
        return datetime.fromtimestamp(recent[-most] + seconds, tz=UTC)
    under_way = Operation.objects.filter(project=project, state=State.SENDING).count()
    under_way += sum(count(project) for count in UNDER_WAY)
    return now + SHORTEST_WAIT if under_way >= project.max_at_once else None


def _turn(gate: Gate, project: Project, earliest: datetime, now: datetime) -> datetime:
    """Give the next turn from `earliest` on, so that those put off do not come at once.

    Tries cost as much as sending: there are no more a second than may be sent, as long
    as the line is not longer than SPREAD.
    """
    earliest = max(earliest, now)
    pause = timedelta(seconds=1 / project.max_per_second)
    turn = earliest if gate.turn_at is None else gate.turn_at + pause
    if not earliest <= turn <= earliest + SPREAD:
        turn = earliest
    gate.turn_at = turn
    return turn + pause / 4 * random.random()  # nosec B311 # noqa: S311 - nothing secret


# --- Reads ----------------------------------------------------------------------


def admit_reads(project: Project, wanted: int) -> Reads:
    """Let up to `wanted` requests that only read through now.

    None is granted while the breaker is open or Ampersand asked us to wait.
    """
    now = db_clock.now()
    with transaction.atomic():
        gate = Gate.locked(project.pk)
        if gate.try_at is not None and gate.is_open:
            return Reads(0, max(gate.try_at, now) + _jitter())
        closed = gate.reads_closed_until
        if closed is not None and now < closed <= now + LONGEST_WAIT:
            return Reads(0, closed + _jitter())
        used = gate.reads_used_until
        if used is None or not now < used <= now + BUNCH:
            used = now
        each = timedelta(seconds=1 / project.reads_per_second)
        granted = min(wanted, (now + BUNCH - used) // each)
        if granted > 0:
            used += granted * each
            Gate.objects.filter(pk=gate.pk).update(reads_used_until=used)
    return Reads(granted, max(now, used + each - BUNCH) + _jitter())


# So many searches go together, and no more a second: each is a call of the customer's
# own quota, and takes longer than a read of Ampersand's.
SEARCHES_AT_ONCE = 5
SEARCHES_PER_SECOND = 5.0
# No line of them is as long: what was noted later was noted by another clock.
LONGEST_LINE = timedelta(minutes=1)


def admit_searches(project: Project, count: int) -> NotNow | timedelta:
    """Take the next turn for `count` searches; return how long to wait for it.

    The turns are one after the other over all workers. None is given while the breaker
    is open or Ampersand asked us to wait.
    """
    with transaction.atomic():
        gate = Gate.locked(project.pk)
        now = db_clock.now()
        if gate.try_at is not None and gate.is_open:
            return NotNow(gate.try_at, "Ampersand is not responding")
        closed = gate.reads_closed_until
        if closed is not None and now < closed <= now + LONGEST_WAIT:
            return NotNow(closed, "Rate limited by Ampersand")
        turn = gate.search_turn_at
        if turn is None or not now < turn <= now + LONGEST_LINE:
            turn = now
        gate.search_turn_at = turn + timedelta(seconds=count / SEARCHES_PER_SECOND)
        gate.save(update_fields=["search_turn_at"])
    return turn - now


def reads_ended(project: Project, errors: Sequence[AmpersandError | None]) -> None:
    """Take note of reads made together, with None for each that went well.

    For the breaker, and for those that have to wait when Ampersand says so.
    """
    circuit_breaker.note(project, "read", errors)
    now = db_clock.now()
    asked = [
        until
        for error in errors
        if isinstance(error, Refused) and error.problem.asks_to_wait
        if (until := wait_asked_for(error.problem.retry_after, now))
    ]
    if asked:
        with transaction.atomic():
            gate = Gate.locked(project.pk)
            gate.reads_closed_until = max(asked)
            gate.save(update_fields=["reads_closed_until"])


def _jitter() -> timedelta:
    """Return up to a second, so that those put off together do not come together."""
    return timedelta(seconds=random.random())  # nosec B311 # noqa: S311 - nothing secret
