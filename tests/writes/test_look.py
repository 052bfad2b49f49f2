"""The clock's look: it finds whatever a tick would find, and nothing in a quiet one."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection

from console.models import Integration, Project
from console.runtime import db_clock
from operations.models import Gate, Operation, RollupMark
from tests.conftest import actor
from tests.writes.making import make_draft
from writes.actions import look
from writes.actions.confirm import confirm
from writes.actions.look import is_anything_due
from writes.models import Batch, FileJob

State = Operation.State

pytestmark = pytest.mark.django_db

LATER = timedelta(minutes=5)
BEFORE = -timedelta(seconds=1)


@pytest.fixture
def quiet(integration: Integration, olga: User) -> Operation:
    """A write that waits for its worker, and a clock that has done its part."""
    operation = confirm(make_draft(integration, olga), actor(olga))
    call_command("clock", once=True)
    Operation.objects.update(due_at=db_clock.now() + LATER, has_news=False)
    RollupMark.objects.all().delete()
    operation.refresh_from_db()
    assert not is_anything_due()
    return operation


def moment(after: timedelta) -> object:
    return db_clock.now() + after


def test_an_empty_console_is_quiet() -> None:
    assert not is_anything_due()


@pytest.mark.parametrize("state", [State.WAITING, State.SENDING, State.IN_PROGRESS])
def test_what_is_due_in_any_state(quiet: Operation, state: str) -> None:
    ids = {"remote_id": "r-1"} if state == State.IN_PROGRESS else {}
    sent = {} if state == State.WAITING else {"sent_at": moment(BEFORE), **ids}
    rows = Operation.objects.filter(pk=quiet.pk)
    rows.update(state=state, due_at=moment(LATER), **sent)
    assert not is_anything_due()
    rows.update(due_at=moment(BEFORE))
    assert is_anything_due()


def unsettled(operation: Operation) -> None:
    """Let it end, with rows that nobody has joined."""
    Operation.objects.update(
        state=State.SUCCEEDED, due_at=None, sent_at=moment(BEFORE), record_id="1"
    )
    Batch.objects.update(is_settled=False)


def with_news(operation: Operation) -> None:
    Operation.objects.update(has_news=True)


def of_a_run(operation: Operation) -> None:
    Batch.objects.update(calls_due_at=moment(BEFORE))


def with_a_job(operation: Operation) -> None:
    write = operation.batch.write
    FileJob.objects.create(
        write=write, kind="join", edition=write.edition, due_at=moment(BEFORE)
    )


def behind_an_open_breaker(operation: Operation) -> None:
    Gate.objects.update_or_create(
        project=operation.project,
        defaults={"opened_at": moment(BEFORE), "try_at": moment(BEFORE)},
    )


def to_be_counted(operation: Operation) -> None:
    RollupMark.add(operation.pk)


@pytest.mark.parametrize(
    "happens",
    [
        unsettled,
        with_news,
        of_a_run,
        with_a_job,
        behind_an_open_breaker,
        to_be_counted,
    ],
)
def test_what_else_a_tick_turns_to(
    quiet: Operation, happens: Callable[[Operation], None]
) -> None:
    happens(quiet)
    assert is_anything_due()


def test_a_part_that_is_held_for_ever_costs_nothing(quiet: Operation) -> None:
    Operation.objects.update(state=State.HELD, due_at=None)
    Batch.objects.update(is_settled=False)
    assert not is_anything_due()


@pytest.mark.sqlite
def test_the_look_reads_no_whole_table(project: Project) -> None:
    sql, params = look._statement("sqlite")
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
        plan = [row[-1] for row in cursor.fetchall()]
    scans = [line for line in plan if line.startswith("SCAN")]
    # Gates are as many as projects, marks as what just changed.
    allowed = ("operations_gate", "operations_rollupmark", "CONSTANT ROW")
    assert [s for s in scans if "INDEX" not in s and not s.endswith(allowed)] == []
