"""The pace of a project: never too many at once or a second, over all workers."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ampersand import Problem, Refused
from console.models import Project
from operations.limits import rate_limit
from operations.models import Gate, Operation
from tests.conftest import make_project
from tests.operations.conftest import Clock, make_operation
from tests.texts import numbers

State = Operation.State

pytestmark = pytest.mark.django_db


def waiting(project: Project, count: int = 1, **values: Any) -> list[Operation]:
    """Return operations that wait to be sent and are due."""
    given: dict[str, Any] = {"remote_id": "", "sent_at": None, "answered_at": None}
    given |= {"state": State.WAITING, **values}
    return [make_operation(project, **given) for _ in range(count)]


def admitted(operation: Operation) -> bool:
    """Try to claim an operation as a worker does."""
    operation = Operation.objects.get(pk=operation.pk)
    now = timezone.now()
    return rate_limit.admit_write(
        operation, state=State.SENDING, sent_at=now, due_at=now
    )


def end(operation: Operation) -> None:
    operation.change(only_from=(State.SENDING,), state=State.SUCCEEDED, due_at=None)


def paced(**values: Any) -> Project:
    return make_project(**{"max_at_once": 4, "max_per_second": 5, **values})


def test_so_many_at_once_and_no_more(clock: Clock) -> None:
    project = paced(max_at_once=2, max_per_second=100)
    first, second, third = waiting(project, 3)
    assert [admitted(o) for o in (first, second, third)] == [True, True, False]
    third.refresh_from_db()
    assert third.state == State.WAITING
    assert third.attempts == 0
    assert numbers(third.reason) == [2, 100]
    assert third.due_at is not None
    assert clock.now < third.due_at <= clock.now + timedelta(seconds=2)
    end(first)
    assert admitted(third)


def test_so_many_a_second_and_no_more(clock: Clock) -> None:
    project = paced(max_at_once=100, max_per_second=3)
    operations = waiting(project, 7)
    assert sum(admitted(o) for o in operations) == 3
    clock.advance(seconds=0.999)
    assert sum(admitted(o) for o in operations[3:]) == 0
    clock.advance(seconds=0.001)
    assert sum(admitted(o) for o in operations[3:]) == 3


@pytest.mark.parametrize(("rate", "seconds"), [(0.5, 2), (0.1, 10), (2.5, 1.2)])
def test_the_rate_may_be_a_fraction(rate: float, seconds: float, clock: Clock) -> None:
    most, length = rate_limit.window(rate)
    assert (length, most / length) == (pytest.approx(seconds), pytest.approx(rate))
    project = paced(max_at_once=100, max_per_second=rate)
    operations = waiting(project, most + 1)
    assert sum(admitted(o) for o in operations) == most
    clock.advance(seconds=seconds - 0.01)
    assert not admitted(operations[-1])
    clock.advance(seconds=0.02)
    assert admitted(operations[-1])


def test_each_project_has_a_gate_of_its_own(clock: Clock) -> None:
    for name in ("One", "Two"):
        project = paced(name=name, max_at_once=1)
        assert [admitted(o) for o in waiting(project, 2)] == [True, False]


def test_what_is_put_off_is_spread_and_does_not_come_all_at_once(clock: Clock) -> None:
    project = paced(max_at_once=1, max_per_second=5)
    operations = waiting(project, 101)
    assert sum(admitted(o) for o in operations) == 1
    due = Operation.objects.filter(state=State.WAITING).values_list("due_at", flat=True)
    seconds = [(at - clock.now).total_seconds() for at in due if at]
    assert max(seconds) < 60
    for second in range(60):
        assert sum(second <= each < second + 1 for each in seconds) <= 6


def test_standing_in_line_does_not_use_up_the_hour_and_an_outage_does(
    clock: Clock,
) -> None:
    project = paced(max_at_once=1)
    _, second = waiting(project, 2)
    admitted(_)
    clock.advance(minutes=30)
    assert not admitted(second)
    second.refresh_from_db()
    assert second.waiting_since == clock.now
    end(_)
    rate_limit.close_writes(project, clock.now + timedelta(minutes=50), "Busy")
    clock.advance(minutes=20)
    assert not admitted(second)
    second.refresh_from_db()
    assert clock.now - second.waiting_since == timedelta(minutes=20)


def test_a_gate_that_ampersand_closed_lets_nothing_through_until_then(
    clock: Clock,
) -> None:
    project = paced()
    operation, another = waiting(project, 2)
    why = "It is busy"
    rate_limit.close_writes(project, clock.now + timedelta(seconds=90), why)
    rate_limit.close_writes(project, clock.now + timedelta(seconds=5), "Less")
    assert not admitted(operation)
    assert rate_limit.puts_off(Operation.objects.get(pk=another.pk))
    for each in (operation, another):
        each.refresh_from_db()
        assert each.due_at is not None
        assert each.due_at >= clock.now + timedelta(seconds=90)
        assert each.reason == f"{why}."
    clock.advance(seconds=90)
    assert admitted(operation)


def test_a_clock_that_was_set_back_does_not_shut_the_gate(clock: Clock) -> None:
    project = paced(max_at_once=100)
    before = waiting(project, 5)
    assert all(admitted(o) for o in before)
    rate_limit.close_writes(project, clock.now + timedelta(seconds=30), "It is busy")
    clock.advance(hours=-5)
    operation, another = waiting(project, 2)
    assert admitted(operation)
    rate_limit.admit_reads(project, 10)
    clock.advance(hours=-5)
    assert rate_limit.admit_reads(project, 10).granted == 10


def test_a_cancelled_operation_costs_no_turn(clock: Clock) -> None:
    project = paced(max_per_second=1)
    operation, another = waiting(project, 2)
    stale = Operation.objects.get(pk=operation.pk)
    operation.cancel(by="olga")
    now = timezone.now()
    assert not rate_limit.admit_write(
        stale, state=State.SENDING, sent_at=now, due_at=now
    )
    assert admitted(another)


ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("try"), st.integers(0, 7)),
        st.tuples(st.just("try all"), st.just(0)),
        st.tuples(st.just("end"), st.integers(0, 7)),
        st.tuples(st.just("pass"), st.sampled_from([0.01, 0.2, 0.5, 0.99, 1, 3])),
    ),
    max_size=10,
)


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    actions=ACTIONS,
    at_once=st.integers(1, 8),
    rate=st.sampled_from([0.5, 1, 2.5, 5]),
)
def test_however_workers_interleave_none_exceeds_the_pace(
    actions: list[tuple[str, float]],
    at_once: int,
    rate: float,
    clock: Clock,
    project: Project,
) -> None:
    Operation.objects.all().delete()
    Gate.objects.all().delete()
    Project.objects.update(max_at_once=at_once, max_per_second=rate)
    project.refresh_from_db()
    operations = waiting(project, 8)
    starts: list[datetime] = []
    crowd = [("try all", 0.0), ("pass", 0.5), ("try all", 0.0)]
    for action, value in [*crowd, *actions]:
        if action == "pass":
            clock.advance(seconds=value)
        elif action == "end":
            end(operations[int(value)])
        else:
            tried = operations if action == "try all" else [operations[int(value)]]
            starts += [clock.now for operation in tried if admitted(operation)]
        under_way = Operation.objects.filter(state=State.SENDING).count()
        assert under_way <= at_once
    most, seconds = rate_limit.window(rate)
    for start in starts:
        ahead = [t for t in starts if 0 <= (t - start).total_seconds() < seconds]
        assert len(ahead) <= most


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "pace", [{"max_at_once": 3, "max_per_second": 100}, {"max_at_once": 100}]
)
def test_threads_with_connections_of_their_own_keep_the_pace(
    pace: dict[str, int], clock: Clock
) -> None:
    project = paced(**pace)
    operations = waiting(project, 40)
    together = threading.Barrier(8)

    def work(part: list[Operation]) -> int:
        together.wait(timeout=60)
        try:
            return sum(admitted(operation) for operation in part)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        parts = [pool.submit(work, operations[n::8]) for n in range(8)]
        count = sum(part.result(timeout=60) for part in parts)
    assert count == min(project.max_at_once, project.max_per_second)
    assert Operation.objects.filter(state=State.SENDING).count() == count


def test_reads_have_their_own_pace_and_come_in_bunches(clock: Clock) -> None:
    project = paced(reads_per_second=100)
    assert rate_limit.admit_reads(project, 30).granted == 30
    assert rate_limit.admit_reads(project, 500).granted == 70
    none = rate_limit.admit_reads(project, 1)
    assert none.granted == 0
    assert clock.now < none.next_at <= clock.now + timedelta(seconds=1.1)
    clock.advance(seconds=0.5)
    assert rate_limit.admit_reads(project, 500).granted == 50
    clock.advance(hours=1)
    assert rate_limit.admit_reads(project, 500).granted == 100
    assert admitted(waiting(project)[0])


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    asked=st.lists(
        st.tuples(st.integers(1, 50), st.sampled_from([0, 0.01, 0.3, 1, 5])),
        max_size=30,
    )
)
def test_reads_exceed_their_pace_by_one_second_s_worth_at_most(
    asked: list[tuple[int, float]], clock: Clock, project: Project
) -> None:
    Gate.objects.all().delete()
    Project.objects.update(reads_per_second=40)
    project.refresh_from_db()
    began, granted = clock.now, 0
    for wanted, pause in asked:
        granted += rate_limit.admit_reads(project, wanted).granted
        elapsed = (clock.now - began).total_seconds()
        assert granted <= 40 * (elapsed + 1) + 1
        clock.advance(seconds=pause)


def test_a_read_that_is_told_to_wait_makes_all_reads_wait(clock: Clock) -> None:
    project = paced()
    until = clock.now + timedelta(seconds=40)
    problem = Problem(status=429, detail="Slow down.", retry_after=until)
    rate_limit.reads_ended(project, [None, Refused(problem)])
    refused = rate_limit.admit_reads(project, 5)
    assert (refused.granted, refused.next_at >= until) == (0, True)
    assert admitted(waiting(project)[0])
    clock.advance(seconds=40)
    assert rate_limit.admit_reads(project, 5).granted == 5


@pytest.mark.parametrize(
    ("asked", "waited"), [(-10, 1), (0.2, 1), (30, 30), (3600, 3600), (86_400, 3600)]
)
def test_what_ampersand_asks_is_kept_within_what_is_sensible(
    asked: float, waited: float, clock: Clock
) -> None:
    until = rate_limit.wait_asked_for(clock.now + timedelta(seconds=asked), clock.now)
    assert until == clock.now + timedelta(seconds=waited)
    assert rate_limit.wait_asked_for(None, clock.now) is None
