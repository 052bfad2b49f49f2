"""What goes wrong around the workers: the database, the disk, the clock, the web."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.db import DatabaseError, InterfaceError, connections

from tests.chaos import clock
from tests.chaos.checks import ledger
from tests.chaos.databases import Postgres, Sqlite
from tests.chaos.full_joins import joins_on_full_disk
from tests.chaos.kills import aftermath, points_of, work_alike
from tests.chaos.plays import CREATE, PARTS, Play
from tests.chaos.processes import done, forked
from tests.chaos.small_disk import empty, fill, small_disk
from tests.chaos.stage import Stage
from tests.chaos.steps import Step, Steps, count_steps
from tests.chaos.tables import progress, say, say_violations, table
from tests.chaos.web_deaths import web_dies

AN_HOUR = 3600.0
# Longer than SQLite's time-out in the harness.
AWAY_SECONDS = 1.0

_LOCK = """
import sqlite3, sys, time
other = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)
other.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
time.sleep(float(sys.argv[2]))
"""


@dataclass(frozen=True)
class Disaster:
    """What happens at one step; each `every`-th is tried, since it takes its time."""

    name: str
    happens: Callable[[], object]
    every: int


def run(stage: Stage, every: int) -> list[str]:
    """Let every disaster happen at many steps; print what became of it."""
    found: list[str] = []
    rows = []
    for disaster in _possible(stage):
        for play in (CREATE, PARTS):
            row, wrong = _at_many_steps(stage, disaster, play, disaster.every * every)
            rows.append(row)
            found += wrong
    row, wrong = web_dies(stage, every)
    rows.append(row)
    found += wrong
    more, wrong = joins_on_full_disk(stage, every)
    rows += more
    found += wrong
    head = ("disaster", "points", "died", "ends", "violations")
    table(f"Disasters, {stage.database.name}", head, rows)
    say_violations(found)
    return found


def _possible(stage: Stage) -> Iterator[Disaster]:
    yield Disaster("the clock steps back", lambda: clock.turn(-AN_HOUR), every=5)
    database = stage.database
    if isinstance(database, Postgres):
        yield Disaster("PostgreSQL restarts", database.restart, every=3)
    if isinstance(database, Sqlite):
        yield Disaster("SQLite is locked", lambda: _lock(database), every=5)
        with small_disk(database) as disk:
            if disk is None:
                say("The disk is not filled: only root can mount a small one.")
            else:
                yield Disaster("the disk is full", lambda: _fill(disk), every=5)


def _lock(database: Sqlite) -> None:
    """Have another process hold the database for longer than anybody waits.

    Where the worker holds it itself, nothing happens.
    """
    command = [sys.executable, "-c", _LOCK, str(database.path), str(AWAY_SECONDS)]
    other = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert other.stdout
    other.stdout.readline()


def _fill(disk: Path) -> None:
    fill(disk)
    if os.fork() == 0:
        time.sleep(AWAY_SECONDS)
        empty(disk)
        os._exit(0)


def _at_many_steps(
    stage: Stage, disaster: Disaster, play: Play, every: int
) -> tuple[list[object], list[str]]:
    found: list[str] = []
    ends: Counter[str] = Counter()
    died = 0
    points = points_of(stage, play)[::every]
    play.begin_on(stage)
    before = done(ledger)
    for number, at in enumerate(points, start=1):
        progress(f"{disaster.name}, {play.name}", number, len(points))
        play.begin_on(stage)
        ended = forked(lambda line, at=at: _work_through(disaster, at))
        if ended.result:
            died += 1
            # What starts workers again does so until the database is back.
            time.sleep(AWAY_SECONDS)
        where = f"{disaster.name}, {play.name} {at}"
        if ended.error:
            found.append(f"{where}: {ended.error}")
        end, wrong = aftermath(stage, before)
        ends[end] += 1
        found += [f"{where}: {each}" for each in wrong]
    told = "; ".join(f"{count} × {end}" for end, count in ends.most_common())
    return [f"{disaster.name}, {play.name}", len(points), died, told, len(found)], found


def _work_through(disaster: Disaster, at: int) -> str:
    """Work; let the disaster happen at one step; return what ended the worker, if so.

    Whatever starts the workers starts them again: that is the aftermath.
    """

    def happen(number: int, step: Step) -> None:
        if number == at:
            disaster.happens()

    count_steps(Steps(happen))
    try:
        work_alike()
    except (DatabaseError, InterfaceError, OSError) as error:
        connections.close_all()
        return type(error).__name__
    return ""
