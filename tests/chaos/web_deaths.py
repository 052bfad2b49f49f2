"""The web process dies while it confirms a draft."""

from collections import Counter

from console.models import AuditEvent
from operations.models import Operation
from tests.chaos.checks import ledger
from tests.chaos.kills import aftermath
from tests.chaos.plays import Play, draft_parts, draft_record, olga
from tests.chaos.processes import Line, done, forked, kill_myself
from tests.chaos.stage import Stage
from tests.chaos.steps import Step, Steps, count_steps
from tests.writes.making import confirm
from writes.models import Batch, Write


def web_dies(stage: Stage, every: int) -> tuple[list[object], list[str]]:
    """Kill who confirms at every step; return a row of the table, and what is wrong."""
    found: list[str] = []
    ends: Counter[str] = Counter()
    total = 0
    for name, draft in (("draft of parts", draft_parts), ("draft", draft_record)):
        play = Play(name.replace(" ", "_"), draft)
        play.prepare_on(stage)
        play.begin_on(stage)
        steps = done(_confirm_counted)
        for at in range(1, steps + 1, every):
            total += 1
            play.begin_on(stage)
            end, wrong = _confirm_until(stage, at)
            ends[end] += 1
            found += [f"web dies, {name} {at}: {each}" for each in wrong]
    told = "; ".join(f"{count} × {end}" for end, count in ends.most_common())
    return ["the web dies while it confirms", total, total, told, len(found)], found


def _confirm_counted() -> int:
    count = 0

    def add(number: int, step: Step) -> None:
        nonlocal count
        count = number

    count_steps(Steps(add))
    confirm(Write.objects.get(), olga())
    return count


def _confirm_until(stage: Stage, at: int) -> tuple[str, list[str]]:
    """Kill who confirms at a step: afterwards there is nothing, or all of it."""

    def dying(line: Line) -> None:
        count_steps(Steps(lambda number, step: number == at and kill_myself()))
        confirm(Write.objects.get(), olga())

    if not forked(dying).was_killed:
        return "not killed", ["it was not killed"]
    confirmed, wrong = done(_all_or_nothing)
    if not confirmed:
        done(lambda: confirm(Write.objects.get(), olga()) and None)
    before = done(ledger)
    end, found = aftermath(stage, before)
    was = "all was there" if confirmed else "untouched, and confirmed again"
    return f"{was}: {end}", wrong + found


def _all_or_nothing() -> tuple[bool, list[str]]:
    write = Write.objects.get()
    is_confirmed = write.state == Write.State.CONFIRMED
    parts = len(write.check_report.get("parts", [])) or 1
    expected = parts if is_confirmed else 0
    kept = {
        "batches": Batch.objects.count(),
        "operations": Operation.objects.count(),
        "first transitions": sum(
            o.transitions.count() for o in Operation.objects.all()
        ),
        "confirmations": parts
        * AuditEvent.objects.filter(action="write.confirmed").count(),
    }
    wrong = [
        f"the write is {write.state}, with {count} {name}"
        for name, count in kept.items()
        if count != expected
    ]
    return is_confirmed, wrong
