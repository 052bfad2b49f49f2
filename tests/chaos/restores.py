"""A dump from the middle of the work is restored after everything was sent."""

from collections import Counter

from django.conf import settings

from console.health import pulse
from console.runtime import db_clock
from operations.models import Operation
from tests.chaos import clock, workers
from tests.chaos.checks import worked_on_twice
from tests.chaos.kills import points_of, work_again, work_until
from tests.chaos.plays import CREATE, PARTS, Play
from tests.chaos.processes import Line, done, forked
from tests.chaos.stage import Stage
from tests.chaos.tables import progress, say_violations, table
from writes.actions.hold_restored import hold_restored
from writes.models import Write

DUMP = "dump"
# Within the hour after which a write that could not leave is given up.
LATER = 1800.0
EVERY = 5


def run(stage: Stage, every: int) -> list[str]:
    """Dump at many steps, send the rest, restore; print what became of it."""
    found: list[str] = []
    rows = []
    for play in (CREATE, PARTS):
        row, wrong = _from_many_dumps(stage, play, EVERY * every)
        rows.append(row)
        found += wrong
    head = ("a dump is restored", "points", "held", "ends", "violations")
    table(f"Restored after sending, {stage.database.name}", head, rows)
    say_violations(found)
    return found


def _from_many_dumps(
    stage: Stage, play: Play, every: int
) -> tuple[list[object], list[str]]:
    found: list[str] = []
    ends: Counter[str] = Counter()
    points = points_of(stage, play)[::every]
    held = 0
    for number, at in enumerate(points, start=1):
        progress(f"restore, {play.name}", number, len(points))
        play.begin_on(stage)
        forked(lambda line, at=at: _work_until(stage, at, line))
        stage.database.keep(DUMP)
        done(lambda: _work_on(stage))
        stage.database.restore(DUMP)
        clock.turn(LATER)
        ended = forked(lambda _: _restored(stage))
        end, count, wrong = ended.result or ("stuck", 0, [ended.error])
        ends[end] += 1
        held += count
        found += [f"{play.name}, dumped at step {at}: {each}" for each in wrong]
    told = "; ".join(f"{count} × {end}" for end, count in ends.most_common())
    return [play.name, len(points), held, told, len(found)], found


def _work_until(stage: Stage, at: int, line: Line) -> None:
    _keep_the_pulse(stage)
    work_until(at, line)


def _work_on(stage: Stage) -> None:
    _keep_the_pulse(stage)
    work_again()


def _restored(stage: Stage) -> tuple[str, int, list[str]]:
    """Work with the restored database; return the ends, how many are held, and faults.

    The workers may come before the clock.
    """
    settings.DATA_DIR = stage.directory
    workers.run_tasks()
    hold_restored(db_clock.now())
    _keep_the_pulse(stage)
    workers.work(stride=200.0)
    received = stage.remote.settled()
    found = worked_on_twice(received)
    unsent = Write.objects.filter(batches__operation__state__in=Operation.UNSENT)
    held = unsent.exclude(paused_at=None).exclude(pause_reason="").distinct()
    for write in set(unsent) - set(held):
        found.append(f"write {write.pk} waits and nobody was asked")
    states = Counter(Operation.objects.values_list("state", flat=True))
    words = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    return words, len(held), found


def _keep_the_pulse(stage: Stage) -> None:
    """Have the clock tick in this process as often as the real one, however it turns.

    Without this it would be away for hours, which counts as a restored database.
    """
    settings.DATA_DIR = stage.directory
    tick = workers.tick

    def ticking() -> None:
        pulse.beat(db_clock.now())
        tick()

    workers.tick = ticking
    pulse.beat(db_clock.now())
