"""Killing the worker at every step of a run, and looking what became of each row.

After each death the workers come back. Then a person decides about what is unknown, as
the sandbox's own record tells it, and lets the run go on to its end.
"""

from collections import Counter
from typing import Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from console.models import Integration
from operations.models import Operation
from tests.chaos import kills, workers
from tests.chaos.plays import Play, olga
from tests.chaos.processes import Ended, done, forked
from tests.chaos.stage import Stage
from tests.chaos.tables import progress, say, say_ends, say_violations
from tests.conftest import actor, make_project
from tests.writes.making import confirm, make_draft
from writes.actions import run as actions
from writes.models import Call, Write

State = Operation.State

ROWS = 250


def prepare() -> None:
    """Confirm 250 rows in three requests, of which one row fails."""
    names = ["" if number == 148 else f"Nr {number}" for number in range(ROWS)]
    _confirm(names)


def prepare_later() -> None:
    """Confirm 250 rows in three requests that are accepted and written later."""
    _confirm([f"Nr {number}" for number in range(ROWS)], deadline_hours=1)


def _confirm(names: list[str], **values: Any) -> None:
    base = Integration.objects.get().project.write_url
    project = make_project(
        "Today", remote_id="demo-c", generation="C", write_url=base, api_url=base
    )
    lines = "\n".join(["LastName,FirstName", *(f"{name},x" for name in names), ""])
    draft = make_draft(
        *(project.integrations.get(), olga()),
        **{"csv": lines.encode(), "action": "create", **values},
    )
    confirm(draft, olga())


RUN = Play("run", prepare)
LATER = Play("later_run", prepare_later)
BUSY = Play("busy_run", prepare, faults={2: "429"})


def run(stage: Stage, every: int) -> list[str]:
    """Kill the worker at every step of a run, or every n-th; print what came of it."""
    found: list[str] = []
    ends: Counter[str] = Counter()
    for play in (RUN, LATER, BUSY):
        steps = _steps_of(stage, play)
        points = kills.first_of_each(steps)[::every]
        for number, at in enumerate(points, start=1):
            progress(f"{play.name}: kill point", number, len(points))
            killed = _killed_at(stage, play, at)
            ended = forked(lambda _: _bring_to_an_end(stage))
            words, wrong = ended.result or ("never came to rest", [ended.error])
            if not killed.was_killed:
                wrong = [*wrong, f"not killed. {killed.error}"]
            ends[words] += 1
            found += [f"{play.name}, step {at}: {each}" for each in wrong]
        say(f"  {len(points):5} kill points of {len(steps)} steps in {play.name}")
    say_ends(ends)
    say_violations(found)
    return found


def _killed_at(stage: Stage, play: Play, at: int) -> Ended:
    """Kill the worker at a step, or at the last one where so many do not come.

    How often it looks whether Ampersand is done depends on how long all of it takes.
    """
    while True:
        play.begin_on(stage)
        killed = forked(lambda line, at=at: kills.work_until(at, line))
        if killed.was_killed or not killed.result:
            return killed
        at = killed.result


def _steps_of(stage: Stage, play: Play) -> list[kills.Moment]:
    play.prepare_on(stage)
    play.begin_on(stage)
    steps: list[kills.Moment] = done(lambda: kills.counted(_states))
    return steps


def _states(beside: BaseDatabaseWrapper) -> tuple[Any, ...]:
    with beside.cursor() as cursor:
        cursor.execute(
            "SELECT 'operation', id, state FROM operations_operation UNION ALL"
            " SELECT 'job', id, state FROM writes_filejob UNION ALL"
            " SELECT 'call', id, CAST(state AS VARCHAR(20)) FROM writes_call"
            " ORDER BY 1, 2"
        )
        return tuple(cursor.fetchall())


def _bring_to_an_end(stage: Stage) -> tuple[str, list[str]]:
    connection.close()
    was_sending = set(
        Call.objects.filter(state=Call.State.SENDING).values_list("number", flat=True)
    )
    workers.work(stride=kills.AWAY)
    unknown = Call.objects.undecided()
    numbers = set(unknown.values_list("number", flat=True))
    found = [f"request {each} is unknown" for each in sorted(numbers - was_sending)]
    if len(numbers) > 1:
        found.append(f"{len(numbers)} requests are unknown after one death")
    received = stage.remote.settled()
    found += _untrue(received)
    _decide(received)
    workers.work(stride=kills.AWAY)
    received = stage.remote.settled()
    found += [*_twice(received), *_untrue(received), *_unaccounted()]
    words = f"{len(numbers)} unknown, then {Operation.objects.get().state}"
    return words, found


def _worked_on(received: list[dict[str, Any]]) -> Counter[str]:
    return Counter(
        each["bodySha256"] for each in received if each["operationId"] is not None
    )


def _twice(received: list[dict[str, Any]]) -> list[str]:
    worked = _worked_on(received)
    return [f"a request was worked on {n} times" for n in worked.values() if n > 1]


def _untrue(received: list[dict[str, Any]]) -> list[str]:
    """Return the requests whose state is not what the sandbox did."""
    truth = {
        each["bodySha256"]: (each["succeeded"], each["failed"])
        for each in received
        if each["operationId"] is not None
    }
    found = []
    for call in Call.objects.all():
        done_ = truth.get(bytes(call.sha256).hex())
        told = (call.succeeded, call.failed)
        if call.state == Call.State.ANSWERED:
            is_true = call.trust == Call.Trust.PERSON or done_ == told
        elif call.state == Call.State.UNKNOWN:
            is_true = True
        else:
            is_true = done_ is None
        if not is_true:
            what = f"{call.get_state_display()} {told}"
            found.append(f"request {call.number} is {what}, but {done_}")
    return found


def _decide(received: list[dict[str, Any]]) -> None:
    """Say of each unknown request what a person would find in the SaaS."""
    worked = _worked_on(received)
    for call in Call.objects.undecided().select_related("batch__write"):
        was_written = bytes(call.sha256).hex() in worked
        actions.decide(
            call, actor(olga()), was_written=was_written, looked_at="the records"
        )


def _unaccounted() -> list[str]:
    """Return what is not at its end, or does not add up to all rows."""
    operation = Operation.objects.get()
    counts = (operation.rows_succeeded or 0) + (operation.rows_failed or 0)
    found = []
    if operation.state not in Operation.ENDED:
        found.append(f"the run is {operation.state}")
    if counts != ROWS:
        found.append(f"{counts} of {ROWS} rows are accounted for")
    totals = Write.objects.get().rows_totals
    if totals is None or totals.unknown or totals.not_sent or totals.rows != ROWS:
        found.append(f"the rows are joined to {totals}")
    return found
