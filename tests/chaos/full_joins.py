"""The disk is full while rows are joined, and a person has them joined again."""

from collections import Counter
from pathlib import Path

from tests.chaos import workers
from tests.chaos.checks import Ledger, ledger, violations
from tests.chaos.kills import first_of_each, steps_of, work_alike
from tests.chaos.plays import PARTS, olga
from tests.chaos.processes import done, forked
from tests.chaos.small_disk import empty, files_on_small_disk, fill
from tests.chaos.stage import Stage
from tests.chaos.steps import Step, Steps, count_steps
from tests.chaos.tables import progress, say
from tests.conftest import actor
from writes.actions.rejoin import not_joined, rejoin
from writes.models import FileJob, Write

NAME = "the disk is full during the join"
# Rows of the table, and what is not as it must be.
Outcome = tuple[list[list[object]], list[str]]


def joins_on_full_disk(stage: Stage, every: int) -> Outcome:
    """Fill the disk at every step of a join; return a row of the table, and faults."""
    with files_on_small_disk(stage.directory / "files") as disk:
        if disk is None:
            say(f"“{NAME}” is left out: only root can mount a small disk.")
            return [], []
        return _at_every_step(stage, disk, every)


def _at_every_step(stage: Stage, disk: Path, every: int) -> Outcome:
    found: list[str] = []
    ends: Counter[str] = Counter()
    points = _while_joining(stage)[::every]
    for number, at in enumerate(points, start=1):
        progress(NAME, number, len(points))
        PARTS.begin_on(stage)
        before, files = done(ledger), _files(disk)
        worked = forked(lambda _, at=at: _work_until_full(disk, at))
        empty(disk)
        joined = forked(
            lambda _, before=before, files=files: _join_again(
                stage, disk, before, files
            )
        )
        ends[worked.result or "it died"] += 1
        wrong = [error for error in (worked.error, joined.error) if error]
        found += [
            f"{NAME}, step {at}: {each}" for each in wrong + (joined.result or [])
        ]
    told = "; ".join(f"{count} × {end}" for end, count in ends.most_common())
    return [[NAME, len(points), 0, told, len(found)]], found


def _while_joining(stage: Stage) -> list[int]:
    """Return the steps at which there is work on files to do."""
    steps = steps_of(stage, PARTS)
    return [
        number
        for number in first_of_each(steps)
        if any(
            kind == "job" and state in FileJob.OPEN
            for kind, _, state in steps[number - 1][1]
        )
    ]


def _work_until_full(disk: Path, at: int) -> str:
    """Work to the end, the disk full from one step on; return how the join ended."""

    def happen(number: int, step: Step) -> None:
        if number == at:
            fill(disk)

    count_steps(Steps(happen))
    work_alike()
    last = FileJob.objects.filter(kind=FileJob.Kind.JOIN).latest("pk")
    return f"{last.state}, tried {last.attempts} times"


def _join_again(
    stage: Stage, disk: Path, before: Ledger, files: set[Path]
) -> list[str]:
    """Have a person join what failed; return what is not as it must be."""
    for write in not_joined():
        rejoin(write, actor(olga()))
    workers.work()
    named = {
        Path(getattr(write, kind).path)
        for write in Write.objects.all()
        for kind in Write.FILES
        if getattr(write, kind)
    }
    strays = _files(disk) - files - named
    found = [f"{path.name} is left over" for path in sorted(strays)]
    return found + violations(stage.remote.settled(), before)


def _files(disk: Path) -> set[Path]:
    return {path for path in disk.rglob("*") if path.is_file()}
