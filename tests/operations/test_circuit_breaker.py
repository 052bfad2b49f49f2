"""The breaker: opens when Ampersand does not answer, and closes by itself."""

from datetime import timedelta

import pytest
from django.utils import timezone

from ampersand import AmpersandError, NotSent, OutcomeUnknown, Problem, Refused
from console.models import AuditEvent, Project
from operations import dispatch, tasks
from operations.limits import circuit_breaker, rate_limit
from operations.models import Gate, Operation
from operations.worker import watch
from tests.operations.conftest import Clock, Remote, make_operation

State = Operation.State

pytestmark = pytest.mark.django_db


def refused(status: int) -> Refused:
    return Refused(Problem(status=status, detail=f"It said {status}."))


NO_ANSWER = OutcomeUnknown("No complete answer within 60 s")
FAILURES = [NotSent("The connection was refused"), NO_ANSWER, refused(500)]


def fail(
    project: Project, times: int = 1, kind: circuit_breaker.Kind = "write"
) -> None:
    for _ in range(times):
        circuit_breaker.note(project, kind, [NO_ANSWER])


def gate_of(project: Project) -> Gate:
    return Gate.objects.get(pk=project.pk)


@pytest.fixture
def probes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The projects that a worker was told to try."""
    told: list[int] = []

    class Task:
        enqueue = staticmethod(told.append)

    monkeypatch.setattr(tasks, "probe_project", Task)
    return told


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("kind", ["write", "read"])
def test_five_failures_in_a_row_open_it(
    failure: AmpersandError, kind: circuit_breaker.Kind, project: Project, clock: Clock
) -> None:
    for _ in range(4):
        circuit_breaker.note(project, kind, [failure])
    assert not gate_of(project).is_open
    circuit_breaker.note(project, kind, [failure])
    opened = gate_of(project)
    assert opened.is_open
    assert opened.try_at == clock.now + timedelta(seconds=30)
    assert str(failure) in opened.last_failure
    event = AuditEvent.objects.get(action="breaker.opened")
    assert (event.actor_name, event.project_name) == ("system", project.name)


@pytest.mark.parametrize("answer", [None, refused(401), refused(404), refused(429)])
def test_any_answer_in_between_begins_the_count_anew(
    answer: AmpersandError | None, project: Project, clock: Clock
) -> None:
    fail(project, 4)
    circuit_breaker.note(project, "write", [answer])
    fail(project, 4)
    assert not gate_of(project).is_open
    fail(project)
    assert gate_of(project).is_open


def test_answered_reads_do_not_hide_that_no_write_is_answered(
    project: Project, clock: Clock
) -> None:
    for _ in range(5):
        fail(project)
        circuit_breaker.note(project, "read", [None])
    assert gate_of(project).is_open


def test_an_answered_write_ends_the_count_of_reads_too(
    project: Project, clock: Clock
) -> None:
    for _ in range(5):
        fail(project, kind="read")
        circuit_breaker.note(project, "write", [None])
    assert not gate_of(project).is_open


def test_of_reads_made_together_one_answer_is_enough(
    project: Project, clock: Clock
) -> None:
    circuit_breaker.note(project, "read", [NO_ANSWER] * 9 + [None])
    assert not Gate.objects.filter(read_failures__gt=0).exists()
    circuit_breaker.note(project, "read", [NO_ANSWER] * 9)
    assert gate_of(project).is_open


def test_success_writes_nothing_where_there_is_nothing_to_reset(
    project: Project, django_assert_num_queries
) -> None:
    with django_assert_num_queries(1):
        circuit_breaker.note(project, "write", [None])
    assert not Gate.objects.exists()


def test_while_it_is_open_nothing_is_sent_and_nothing_asked(
    project: Project, clock: Clock, remote: Remote, operation: Operation
) -> None:
    fail(project, 5)
    writing = make_operation(project, state=State.WAITING, remote_id="", sent_at=None)
    assert not rate_limit.admit_write(writing, state=State.SENDING)
    assert operation.due_at is not None
    watch.watch([operation.pk], operation.due_at)
    assert remote.asked == []
    for each in (writing, operation):
        each.refresh_from_db()
        assert each.due_at is not None
        assert clock.now + timedelta(seconds=30) <= each.due_at
    assert writing.state == State.WAITING
    assert writing.reason


def test_it_is_tried_once_when_its_time_is_over(
    project: Project, clock: Clock, probes: list[int]
) -> None:
    fail(project, 5)
    clock.advance(seconds=29)
    assert dispatch.enqueue_due_probes(clock.now) == 0
    clock.advance(seconds=1)
    assert dispatch.enqueue_due_probes(clock.now) == 1
    assert dispatch.enqueue_due_probes(clock.now) == 0
    assert probes == [project.pk]
    clock.advance(seconds=46)
    assert dispatch.enqueue_due_probes(clock.now) == 1


def test_a_clock_that_was_set_back_does_not_keep_it_open(
    project: Project, clock: Clock, probes: list[int]
) -> None:
    fail(project, 5)
    clock.advance(hours=-5)
    assert dispatch.enqueue_due_probes(clock.now) == 1


@pytest.mark.parametrize(
    "answer",
    [
        (404, {"detail": "Operation not found for the given operation ID."}, {}),
        (401, {"detail": "Unauthorized."}, {}),
        (429, {"detail": "Slow down."}, {}),
    ],
)
def test_an_answer_of_ampersand_closes_it(
    answer: tuple[int, dict[str, str], dict[str, str]],
    project: Project,
    clock: Clock,
    remote: Remote,
) -> None:
    fail(project, 5)
    remote.refusal = answer
    circuit_breaker.probe(project.pk)
    assert not gate_of(project).is_open
    event = AuditEvent.objects.get(action="breaker.closed")
    assert (event.actor_name, event.subject_url) == (
        "system",
        project.get_absolute_url(),
    )


def test_without_an_answer_it_stays_open_for_twice_as_long_up_to_five_minutes(
    project: Project, clock: Clock, remote: Remote
) -> None:
    fail(project, 5)
    remote.refusal = (503, {"detail": "Down."}, {})
    waits = []
    for _ in range(5):
        circuit_breaker.probe(project.pk)
        waits.append(gate_of(project).open_seconds)
    assert waits == [60, 120, 240, 300, 300]
    opened = gate_of(project)
    assert opened.try_at == timezone.now() + timedelta(seconds=300)
    assert "Down." in opened.last_failure
    assert AuditEvent.objects.filter(action="breaker.opened").count() == 1


def test_a_proxy_s_page_is_no_answer_of_ampersand(
    project: Project, clock: Clock, remote: Remote
) -> None:
    fail(project, 5)
    remote.refusal = (404, {"detail": "There is nothing here"}, {})
    circuit_breaker.probe(project.pk)
    assert gate_of(project).is_open


def test_after_it_closed_one_more_failed_write_opens_it_for_longer(
    project: Project, clock: Clock, remote: Remote
) -> None:
    fail(project, 5)
    remote.refusal = (401, {"detail": "Unauthorized."}, {})
    circuit_breaker.probe(project.pk)
    fail(project)
    assert gate_of(project).is_open
    assert gate_of(project).open_seconds == 60
    circuit_breaker.probe(project.pk)
    circuit_breaker.note(project, "write", [None])
    fail(project, 4)
    assert not gate_of(project).is_open
    fail(project)
    assert gate_of(project).open_seconds == 30


def test_what_was_under_way_when_it_opened_changes_nothing(
    project: Project, clock: Clock
) -> None:
    fail(project, 5)
    before = gate_of(project)
    fail(project, 3)
    circuit_breaker.note(project, "write", [None])
    after = gate_of(project)
    assert (after.is_open, after.try_at) == (True, before.try_at)


def test_trying_what_is_closed_asks_nothing(project: Project, remote: Remote) -> None:
    fail(project)
    circuit_breaker.probe(project.pk)
    assert remote.asked == []
