"""The timeline says what is known to have happened, and who did it."""

import pytest

from console.models import Project
from operations.display.timeline import _BY_ITSELF, timeline
from operations.models import Operation
from tests.conftest import stored_operation

State = Operation.State

pytestmark = pytest.mark.django_db


@pytest.fixture
def operation(project: Project) -> Operation:
    """An operation that olga confirmed a moment ago."""
    return Operation.objects.create(
        project=project,
        action="create",
        started_by_name="olga",
        due_at="2024-03-20T12:00Z",
    )


def send(operation: Operation, state: str, **values: object) -> None:
    """Let it be sent, and come into `state`."""
    now = operation.created_at
    operation.change(only_from=("waiting",), state="sending", sent_at=now, due_at=now)
    operation.change(only_from=("sending",), state=state, **values)


@pytest.mark.parametrize("state", ["unknown", "rejected", "succeeded"])
def test_an_answer_is_told_only_where_one_came(
    operation: Operation, state: str
) -> None:
    send(operation, state)
    events = timeline(operation)
    assert [event.state for event in events] == ["waiting", "sending", state]
    assert ["olga" in event.text for event in events] == [True, False, False]
    # Each of these has a sentence of its own; the others are told by their state.
    assert events[-1].text == _BY_ITSELF["sending", state]


def test_what_a_person_did_names_the_person_and_not_twice(
    operation: Operation,
) -> None:
    operation.cancel(by="mara")
    last = timeline(operation)[-1]
    assert last.state == "cancelled"
    assert "mara" in last.text
    assert last.why == ""
    assert "process" in last.process


def test_a_reason_stays_in_the_history_when_the_next_one_takes_its_place(
    operation: Operation,
) -> None:
    reason = "The connection was refused."
    send(operation, "waiting", reason=reason, sent_at=None)
    send(operation, "succeeded", reason="")
    whys = [event.why for event in timeline(operation)]
    assert whys == ["", "", reason, "", ""]


def test_an_end_that_a_late_log_corrects_is_told_as_such(project: Project) -> None:
    operation = stored_operation(
        project=project, action="upsert", remote_id="r-1", state="in_progress"
    )
    operation.change(only_from=("in_progress",), state="succeeded")
    operation.change(only_from=("succeeded",), state="partly_failed")
    first, late = timeline(operation)[-2:]
    assert (first.state, late.state) == ("succeeded", "partly_failed")
    for event in (first, late):
        assert State(event.state).label.lower() in event.text
    beginnings = [event.text.partition(":")[0] for event in (first, late)]
    assert beginnings[0] != beginnings[1]
