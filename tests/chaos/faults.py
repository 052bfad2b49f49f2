"""Every fault of the sandbox, for every action, in the first, middle and last batch."""

from collections.abc import Iterator

from django.conf import settings

from operations.models import Operation
from sandbox.faults import FAULTS
from tests.chaos.checks import ledger, violations
from tests.chaos.kills import work_again
from tests.chaos.plays import Play, draft_parts, olga, three
from tests.chaos.processes import forked
from tests.chaos.stage import Stage
from tests.chaos.tables import say_violations, table
from tests.writes.making import confirm

State = Operation.State

PLACES = ("first", "middle", "last")

# After these nobody can know whether it was written.
UNKNOWABLE = {
    "500",
    "502_html",
    "timeout_before",
    "timeout_after",
    "reset_before",
    "reset_after",
    "truncated",
}
# After these the answer is not waited for longer than this.
SILENT = {"timeout_before", "timeout_after"}
SILENT_SECONDS = 5
# Of these no end is ever told.
ENDLESS = {"unknown_status_forever", "never_ends", "lost_operation"}

SHORT = {
    State.SUCCEEDED: "success",
    State.PARTLY_FAILED: "partly",
    State.COMPLETED: "ended",
    State.IN_PROGRESS: "running",
    State.REJECTED: "refused",
    State.CANCELLED: "stopped",
}


def run(stage: Stage, every: int) -> list[str]:
    """Play every fault, or every n-th; print what became of the batch that had it."""
    found: list[str] = []
    rows = []
    plays = list(_plays(stage))
    for play in plays:
        play.prepare_on(stage)
    cells = 0
    for fault in FAULTS:
        row = [fault]
        for play in plays:
            for number, place in enumerate(PLACES, start=1):
                cells += 1
                if cells % every:
                    row.append("-")
                    continue
                state, wrong = _cell(stage, play, fault, number)
                row.append(SHORT.get(state, state) + ("!" if wrong else ""))
                found += [f"{fault}, {play.name}, {place}: {each}" for each in wrong]
        rows.append(row)
    head = ["fault", *(f"{play.name} {place}" for play in plays for place in PLACES)]
    table(f"What became of a batch with a fault, {stage.database.name}", head, rows)
    say_violations(found)
    return found


def _plays(stage: Stage) -> Iterator[Play]:
    yield Play("create", three(lambda n: {"record": {"LastName": f"Berg {n}"}}))
    stage.set("empty")
    contacts = _make_contacts(stage)
    yield Play(
        "update",
        three(
            lambda n: {
                "action": "update",
                "record_id": contacts[n - 1],
                "record": {"LastName": f"Tal {n}"},
            }
        ),
        made=_make_contacts,
    )
    yield Play("CSV", lambda: confirm(draft_parts(), olga()))
    yield Play(
        "URL",
        three(
            lambda n: {
                "url": f"http://files.invalid/{n}.csv",
                "primary_key": "external_id__c",
            }
        ),
    )


def _make_contacts(stage: Stage) -> list[str]:
    return [stage.remote.create(LastName=f"Berg {number}") for number in (1, 2, 3)]


def _cell(stage: Stage, play: Play, fault: str, number: int) -> tuple[str, list[str]]:
    """Play with a fault in the n-th request; return its state, and what is wrong."""
    play.begin_on(stage)
    stage.remote.plan(fault, number)
    ended = forked(lambda _: _play(stage, fault, number))
    return ended.result or ("stuck", [ended.error])


def _play(stage: Stage, fault: str, number: int) -> tuple[str, list[str]]:
    if fault in SILENT:
        settings.SEND_TIMEOUT = SILENT_SECONDS
    before = ledger()
    faulty = sorted(before.states)[number - 1]
    mine = frozenset([faulty])
    work_again()
    wrong = violations(
        stage.remote.settled(),
        before,
        may_be_unknown=mine if fault in UNKNOWABLE else frozenset(),
        may_run_on=mine if fault in ENDLESS else frozenset(),
    )
    after = ledger().states
    others = {state for pk, state in after.items() if pk != faulty}
    if others != {State.SUCCEEDED} and fault not in ENDLESS:
        wrong.append(f"others did not succeed: {others}")
    return after[faulty], wrong
