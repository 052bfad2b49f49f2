"""Killing the worker at every step, and looking what became of it once it is back."""

import os
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from operations.models import Operation
from tests.chaos import workers
from tests.chaos.checks import Ledger, ledger, violations
from tests.chaos.plays import CREATE, PARTS, POLLS, Play, go_on_with_all
from tests.chaos.processes import Line, done, forked, kill_myself
from tests.chaos.stage import Stage
from tests.chaos.steps import Step, Steps, count_steps
from tests.chaos.tables import progress, say, say_ends, say_violations, table

State = Operation.State

# After a death the workers look every few minutes only, which takes less time.
AWAY = 200.0

# A step, and the states of all operations and jobs at it.
Moment = tuple[Step, tuple[Any, ...]]


@dataclass
class Report:
    """What was done to a play, and what was found."""

    play: str
    steps: int
    killed: Counter[Step] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)


def run(stage: Stage, every: int) -> list[str]:
    """Kill the worker at every step of every play, or every n-th; print a table."""
    plays = (PARTS, CREATE, POLLS)
    reports = [kill_everywhere(stage, play, every=every) for play in plays]
    ends: Counter[str] = Counter()
    for report in reports:
        ends.update(report.ends)
    _print(stage.database.name, reports)
    say_ends(ends)
    found = [violation for report in reports for violation in report.violations]
    say_violations(found)
    return found


def _print(database: str, reports: list[Report]) -> None:
    touched = sorted({step.what for report in reports for step in report.killed})
    head = ["killed at"]
    head += [f"{r.play} {when}" for r in reports for when in ("before", "after")]
    rows = [
        [what]
        + [str(r.killed[Step(what, w)]) for r in reports for w in ("before", "after")]
        for what in touched
    ]
    table(f"Kill points, {database}", head, rows)
    for report in reports:
        killed = report.killed.total()
        say(f"  {killed:5} kill points of {report.steps} steps in {report.play}")
    total = sum(report.killed.total() for report in reports)
    say(f"  {total:5} kill points together")


def kill_everywhere(stage: Stage, play: Play, *, every: int = 1) -> Report:
    """Kill the worker at each `every`-th step of a play that is unlike those before."""
    steps = steps_of(stage, play)
    report = Report(play.name, steps=len(steps))
    play.begin_on(stage)
    before = done(ledger)
    points = first_of_each(steps)[::every]
    for number, at in enumerate(points, start=1):
        progress(f"{play.name}: kill point", number, len(points))
        play.begin_on(stage)
        ended = forked(lambda line, at=at: work_until(at, line))
        if not ended.was_killed:
            report.violations.append(f"{play.name} {at}: not killed. {ended.error}")
            continue
        report.killed[ended.note.kind] += 1
        end, found = aftermath(stage, before)
        report.ends[end] += 1
        where = f"{play.name}, {ended.note.when} {ended.note.what} (step {at})"
        report.violations += [f"{where}: {each}" for each in found]
    return report


def steps_of(stage: Stage, play: Play) -> list[Moment]:
    """Return all steps of a play when nothing happens."""
    play.prepare_on(stage)
    play.begin_on(stage)
    steps: list[Moment] = done(lambda: counted(_states))
    return steps


def points_of(stage: Stage, play: Play) -> list[int]:
    """Return the numbers of the steps of a play that are unlike those before."""
    return first_of_each(steps_of(stage, play))


def first_of_each(steps: list[Moment]) -> list[int]:
    """Return the numbers of the steps at which nothing is as at an earlier one."""
    first: dict[Moment, int] = {}
    for number, moment in enumerate(steps, start=1):
        first.setdefault(moment, number)
    return sorted(first.values())


def counted(states: Callable[[BaseDatabaseWrapper], tuple[Any, ...]]) -> list[Moment]:
    """Work, and return each step with the `states` of everything at it."""
    moments: list[Moment] = []
    beside = connection.copy()
    # Reads from the network come from another thread, with an event loop.
    beside.inc_thread_sharing()
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    count_steps(Steps(lambda _, step: moments.append((step, states(beside)))))
    work_alike()
    beside.close()
    return moments


def _states(beside: BaseDatabaseWrapper) -> tuple[Any, ...]:
    """Return the state of everything, by a connection on which nothing is counted."""
    with beside.cursor() as cursor:
        cursor.execute(
            "SELECT 'operation', id, state FROM operations_operation UNION ALL"
            " SELECT 'job', id, state FROM writes_filejob ORDER BY 1, 2"
        )
        return tuple(cursor.fetchall())


def work_until(at: int, line: Line) -> int:
    """Work, and be killed at step `at`; the step is said on the line before.

    Return how many steps there were where so many never came.
    """

    def die(number: int, step: Step) -> None:
        if number == at:
            line.say(note=step)
            kill_myself()

    steps = Steps(die)
    count_steps(steps)
    work_alike()
    return steps.taken


def work_alike() -> None:
    """Work so that the same steps come each time."""
    random.seed(1)
    workers.work()


def aftermath(stage: Stage, before: Ledger) -> tuple[str, list[str]]:
    """Start the workers again, then have a person go on.

    Return in words how all ended, and what is not as it must be.
    """
    ended = forked(lambda _: _bring_to_an_end(stage, before))
    return ended.result or ("never came to rest", [ended.error])


def _bring_to_an_end(stage: Stage, before: Ledger) -> tuple[str, list[str]]:
    """Work in this process until all is at rest, and look at it.

    What was being sent when the worker died must be unknown in the end, and nothing
    else may be: it is the one thing that nobody can know.
    """
    was_sending = ledger().in_state(State.SENDING)
    work_again()
    after = ledger()
    known = was_sending - after.in_state(State.UNKNOWN)
    found = [f"operation {pk} was being sent, now {after.states[pk]}" for pk in known]
    received = stage.remote.settled()
    found += violations(received, before, may_be_unknown=was_sending)
    states = Counter(after.states.values())
    words = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    return words, found


def work_again() -> None:
    """Work until nothing moves, and have a person send what is held back."""
    workers.work(stride=AWAY)
    while go_on_with_all():
        workers.work(stride=AWAY)
