"""Each way in which sending can end, and that nothing is ever sent twice."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from ampersand import Client, NotSent
from console.access.roles import Role
from console.models import AuditEvent, Integration, NoActiveKey, Project
from console.runtime import db_retry
from operations.models import Gate, Operation
from sandbox.app import Sandbox
from tests.conftest import actor, make_user, move_projects
from tests.writes.making import fault_integration, make_draft, received, records
from writes import dispatch, requests
from writes.actions.confirm import confirm as confirm_write
from writes.models import Batch, Write
from writes.worker import record_answer
from writes.worker import send as sending

State = Operation.State

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator() -> User:
    return make_user("olga", Role.OPERATOR)


@pytest.fixture
def confirm(operator: User):
    """A function that confirms a draft as the operator and returns its operation."""

    def confirmed(write: Write) -> Operation:
        return confirm_write(write, actor(operator))

    return confirmed


@pytest.fixture
def operation(
    sandbox: Sandbox, integration: Integration, operator: User, confirm
) -> Operation:
    """A confirmed record that waits to be sent."""
    return confirm(make_draft(integration, operator))


def send(operation: Operation) -> None:
    """Send an operation, and look at it anew."""
    sending.send(operation.pk)
    operation.refresh_from_db()


def test_a_create_is_sent_once_and_its_record_id_kept(
    sandbox: Sandbox, integration: Integration, operator: User, confirm
) -> None:
    write = make_draft(integration, operator, record={"LastName": "Berg"})
    operation = confirm(write)
    assert operation.state == State.WAITING
    send(operation)
    assert operation.state == State.SUCCEEDED
    assert operation.record_id.startswith("003")
    assert (operation.rows_sent, operation.rows_succeeded, operation.rows_failed) == (
        1,
        1,
        0,
    )
    assert len(received(sandbox)) == 1


def test_a_second_nudge_sends_nothing(operation: Operation, sandbox: Sandbox) -> None:
    sending.send(operation.pk)
    sending.send(operation.pk)
    assert len(received(sandbox)) == 1


def test_confirming_twice_returns_the_first_operation(
    sandbox: Sandbox, integration: Integration, operator: User, confirm
) -> None:
    write = make_draft(integration, operator)
    stale = Write.objects.get(pk=write.pk)
    assert confirm(write) == confirm(stale)
    assert Operation.objects.count() == Batch.objects.count() == 1
    assert AuditEvent.objects.filter(action="write.confirmed").count() == 1


def test_an_update_changes_the_record(
    sandbox: Sandbox, integration: Integration, operator: User, confirm
) -> None:
    created = confirm(make_draft(integration, operator, record={"LastName": "Berg"}))
    sending.send(created.pk)
    created.refresh_from_db()
    write = make_draft(
        integration,
        operator,
        action="update",
        record_id=created.record_id,
        record={"LastName": "Tal"},
    )
    updated = confirm(write)
    sending.send(updated.pk)
    updated.refresh_from_db()
    assert updated.state == State.SUCCEEDED, updated.reason
    assert [r["LastName"] for r in records(sandbox, "contact")] == ["Tal"]


def test_a_csv_is_accepted_and_followed(
    sandbox: Sandbox, integration: Integration, operator: User, confirm
) -> None:
    data = b"external_id__c,LastName\na-1,Berg\na-2,Tal\n"
    write = make_draft(integration, operator, csv=data, primary_key="external_id__c")
    operation = confirm(write)
    send(operation)
    assert operation.state == State.IN_PROGRESS
    assert operation.remote_id
    assert operation.due_at is not None
    assert operation.rows_sent == 2


def test_a_refusal_keeps_the_reason_and_says_that_nothing_was_written(
    sandbox: Sandbox, integration: Integration, operator: User, confirm
) -> None:
    operation = confirm(make_draft(integration, operator, record={"FirstName": "A"}))
    send(operation)
    assert operation.state == State.REJECTED
    assert "LastName" in operation.reason
    assert (operation.rows_succeeded, operation.rows_failed) == (0, 1)
    assert records(sandbox, "contact") == []


FAULTS = {
    "401": State.REJECTED,
    "403": State.REJECTED,
    "404": State.REJECTED,
    "500": State.UNKNOWN,
    "502_html": State.UNKNOWN,
    "timeout_before": State.UNKNOWN,
    "timeout_after": State.UNKNOWN,
    "reset_before": State.UNKNOWN,
    "reset_after": State.UNKNOWN,
    "truncated": State.UNKNOWN,
}


@pytest.mark.parametrize(("fault", "state"), FAULTS.items())
def test_each_fault_gives_its_state_and_no_second_sending(
    fault: str,
    state: str,
    sandbox: Sandbox,
    project: Project,
    operator: User,
    confirm,
) -> None:
    integration = fault_integration(project, fault)
    write = make_draft(
        integration, operator, object_name=f"fault_{fault}__c", record={"Name": "A"}
    )
    operation = confirm(write)
    sending.send(operation.pk)
    send(operation)
    assert operation.state == state
    assert operation.reason
    assert operation.due_at is None
    assert len(received(sandbox)) <= 1


def test_what_never_left_waits_and_goes_out_later(
    operation: Operation, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: Client, request: object, **how: str) -> None:
        raise NotSent("The connection was refused")

    with monkeypatch.context() as patch:
        patch.setattr(Client, "send", refused)
        send(operation)
    assert operation.state == State.WAITING
    assert "refused" in operation.reason
    assert operation.sent_at is None
    assert received(sandbox) == []
    send(operation)
    assert operation.state == State.SUCCEEDED
    assert operation.reason == ""


def test_what_could_not_leave_for_an_hour_is_given_up(
    operation: Operation, sandbox: Sandbox
) -> None:
    long_ago = timezone.now() - timedelta(hours=1, seconds=1)
    Operation.objects.update(waiting_since=long_ago)
    send(operation)
    assert operation.state == State.CANCELLED
    assert received(sandbox) == []


def test_a_worker_that_vanished_while_sending_leaves_an_unknown_outcome(
    operation: Operation, sandbox: Sandbox
) -> None:
    operation.change(
        only_from=(State.WAITING,),
        state=State.SENDING,
        sent_at=timezone.now(),
        due_at=timezone.now() + timedelta(seconds=60),
    )
    assert sending.recover_overdue(timezone.now()) == 0
    assert sending.recover_overdue(timezone.now() + timedelta(seconds=61)) == 1
    operation.refresh_from_db()
    assert operation.state == State.UNKNOWN
    sending.send(operation.pk)
    assert received(sandbox) == []


def test_a_lease_renewed_at_the_last_moment_keeps_it_from_being_called_unknown(
    operation: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    operation.change(
        only_from=(State.WAITING,), state=State.SENDING, sent_at=now, due_at=now
    )
    really_change = Operation.change

    def renewed_first(self: Operation, **values: Any) -> bool:
        Operation.objects.update(due_at=now + sending.LEASE)
        return really_change(self, **values)

    monkeypatch.setattr(Operation, "change", renewed_first)
    assert sending.recover_overdue(now + timedelta(seconds=1)) == 0
    operation.refresh_from_db()
    assert operation.state == State.SENDING


def test_a_late_answer_is_worth_more_than_unknown(
    operation: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    really_send = Client.send

    def slow(self: Client, request: object, **how: str) -> object:
        result = really_send(self, request, **how)
        sending.recover_overdue(timezone.now() + timedelta(days=1))
        return result

    monkeypatch.setattr(Client, "send", slow)
    send(operation)
    assert operation.state == State.SUCCEEDED


def test_what_turns_out_late_not_to_have_left_is_not_sent_again(
    operation: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused_late(self: Client, request: object, **how: str) -> None:
        sending.recover_overdue(timezone.now() + timedelta(days=1))
        raise NotSent("The connection was refused")

    monkeypatch.setattr(Client, "send", refused_late)
    send(operation)
    assert operation.state == State.CANCELLED


def test_a_mistake_of_ours_while_sending_is_an_unknown_outcome(
    operation: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Client, request: object, **how: str) -> None:
        raise OSError(28, "the system's words", "/where/it/lies")

    monkeypatch.setattr(Client, "send", broken)
    send(operation)
    assert operation.state == State.UNKNOWN
    assert operation.reason
    for raw in ("Errno", "the system", "/where/it/lies"):
        assert raw not in operation.reason


def test_a_file_changed_after_confirming_is_not_sent(
    sandbox: Sandbox, integration: Integration, operator: User, confirm
) -> None:
    data = b"external_id__c,LastName\na-1,Berg\n"
    write = make_draft(integration, operator, csv=data, primary_key="external_id__c")
    operation = confirm(write)
    with write.as_sent.storage.open(write.as_sent.name, "wb") as file:
        file.write(b"external_id__c,LastName\na-1,Changed\n")
    send(operation)
    assert operation.state == State.CANCELLED
    assert operation.reason
    assert received(sandbox) == []


def test_what_is_sent_is_byte_for_byte_what_was_confirmed(
    sandbox: Sandbox, integration: Integration, operator: User, confirm
) -> None:
    record = {"zebra": "ü", "LastName": 'a "quoted"\nline', "NumberOfKids__c": 1.5}
    operation = confirm(make_draft(integration, operator, record=record))
    sending.send(operation.pk)
    assert received(sandbox)[0]["bodySha256"] == operation.batch.sha256


def test_a_project_without_a_key_sends_nothing_and_says_so(
    operation: Operation, integration: Integration, project: Project
) -> None:
    integration.project.api_keys.get().revoke()
    with pytest.raises(NoActiveKey) as missing:
        project.active_key()
    send(operation)
    assert operation.state == State.HELD
    assert str(missing.value) in operation.reason


def test_an_address_changed_after_confirming_stops_the_sending(
    operation: Operation, sandbox: Sandbox
) -> None:
    move_projects(write_url="https://elsewhere.invalid/v1")
    send(operation)
    assert operation.state == State.CANCELLED
    assert received(sandbox) == []


def test_a_lost_nudge_is_given_again(operation: Operation) -> None:
    assert dispatch.enqueue_due_sends(timezone.now()) == 0
    later = timezone.now() + dispatch.REPEAT_SEND_AFTER + timedelta(seconds=1)
    assert dispatch.enqueue_due_sends(later) == 1
    assert dispatch.enqueue_due_sends(later) == 0
    operation.refresh_from_db()
    assert operation.due_at == later + dispatch.REPEAT_SEND_AFTER


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("fault", ["", "429", "reset_after"])
def test_an_answer_is_kept_though_the_database_is_away_when_it_comes(
    fault: str,
    sandbox: Sandbox,
    project: Project,
    operator: User,
    confirm,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def answered(called: str) -> Operation:
        integration = fault_integration(project, fault)
        name = f"fault_{fault}__c" if fault else "contact"
        record = {"Name": called} if fault else {"LastName": called}
        write = make_draft(integration, operator, object_name=name, record=record)
        operation = confirm(write)
        sending.send(operation.pk)
        operation.refresh_from_db()
        return operation

    expected = answered("Berg")
    Gate.objects.all().delete()
    change, failures = Operation.change, [InterfaceError(), OperationalError()]

    def failing(self: Operation, *, only_from: tuple[str, ...], **values: Any) -> bool:
        if State.SENDING in only_from and failures:
            raise failures.pop()
        return change(self, only_from=only_from, **values)

    monkeypatch.setattr(db_retry, "PAUSE", 0)
    monkeypatch.setattr(Operation, "change", failing)
    operation = answered("Tal")
    assert not failures
    assert operation.state == expected.state != State.SENDING
    assert operation.answer.keys() == expected.answer.keys()
    assert len(received(sandbox)) == 2


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_was_stored_after_all_is_not_stored_over_the_next_sending(
    operation: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(self: Client, request: object, **how: str) -> None:
        raise NotSent("The connection was refused")

    def another_worker_takes_it() -> None:
        assert sending._claim(Operation.objects.get(pk=operation.pk))

    store = record_answer._store_not_sent

    def stored_without_a_word(*args: Any) -> None:
        store(*args)
        transaction.on_commit(another_worker_takes_it)
        transaction.on_commit(no_word)

    def no_word() -> None:
        raise OperationalError

    monkeypatch.setattr(db_retry, "PAUSE", 0)
    monkeypatch.setattr(Client, "send", unreachable)
    monkeypatch.setattr(record_answer, "_store_not_sent", stored_without_a_word)
    send(operation)
    assert (operation.state, operation.attempts) == (State.SENDING, 2)


def test_a_worker_that_must_end_leaves_alone_what_another_one_sends(
    operation: Operation,
) -> None:
    assert sending._claim(operation)
    Operation.objects.update(attempts=operation.attempts + 1)
    sending._stop_waiting(operation)
    operation.refresh_from_db()
    assert operation.state == State.SENDING
    sending._stop_waiting(operation)
    operation.refresh_from_db()
    assert operation.state == State.UNKNOWN


def test_nothing_is_kept_when_confirming_fails_half_way(
    sandbox: Sandbox,
    integration: Integration,
    operator: User,
    confirm,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write = make_draft(integration, operator)

    def broken(**_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(AuditEvent, "record", broken)
    with pytest.raises(RuntimeError), transaction.atomic():
        confirm(write)
    write.refresh_from_db()
    assert write.is_draft
    assert Operation.objects.count() == 0


def test_no_network_call_is_made_inside_a_transaction(
    operation: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    really_send = Client.send
    depth = len(transaction.get_connection().savepoint_ids)
    depths: list[int] = []

    def watched(self: Client, request: object, **how: str) -> object:
        depths.append(len(transaction.get_connection().savepoint_ids))
        return really_send(self, request, **how)

    monkeypatch.setattr(Client, "send", watched)
    sending.send(operation.pk)
    assert depths == [depth]


def test_the_review_prepares_the_same_request_as_the_sending(
    sandbox: Sandbox, integration: Integration, operator: User
) -> None:
    write = make_draft(integration, operator)
    assert requests.prepare_shown(write) == requests.prepare_exact(write)
