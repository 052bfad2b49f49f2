"""Watching: asked once a nudge, nothing lost, nothing regressed."""

from datetime import timedelta
from unittest import mock

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from ampersand import SecretStr
from console.access.roles import Role
from console.models import NoActiveKey, Project
from operations import dispatch
from operations.actions import follow
from operations.models import Operation
from operations.tasks import watch_operations
from operations.worker import watch as watching
from operations.worker.watch import LEASE
from sandbox.app import Sandbox
from tests.conftest import actor, make_user
from tests.operations.conftest import (
    NOON,
    Clock,
    Remote,
    entry,
    failed_rows,
    make_operation,
)

State = Operation.State
pytestmark = pytest.mark.django_db


def watch(operation: Operation) -> Operation:
    """Ask as a nudge would that is on time."""
    operation.refresh_from_db()
    assert operation.due_at is not None
    watching.watch([operation.pk], operation.due_at)
    operation.refresh_from_db()
    return operation


class TestWatch:
    def test_it_keeps_what_ampersand_says(
        self, clock: Clock, remote: Remote, operation: Operation
    ) -> None:
        text = "Validated parameters successfully"
        remote.logs = [entry(text)]
        watch(operation)
        assert operation.state == State.IN_PROGRESS
        assert operation.remote_status == "in_progress"
        assert (operation.asked_count, operation.asked_at) == (1, NOON)
        assert operation.due_at
        assert operation.due_at > NOON
        assert operation.log_entries.get().text == text
        assert operation.version == 2

    def test_a_doubled_nudge_asks_once(
        self, clock: Clock, remote: Remote, operation: Operation
    ) -> None:
        for _ in range(2):
            watch_operations.func([operation.pk], NOON.isoformat())
        assert remote.times_asked == 1

    def test_a_stale_nudge_and_a_missing_row_ask_nothing(
        self, clock: Clock, remote: Remote, operation: Operation
    ) -> None:
        watching.watch([operation.pk], NOON - timedelta(seconds=1))
        watching.watch([operation.pk + 1], NOON)
        assert remote.asked == []

    @pytest.mark.parametrize("state", ["waiting", "sending", "unknown", "cancelled"])
    def test_what_is_not_watched_is_not_asked(
        self, clock: Clock, remote: Remote, project: Project, state: str
    ) -> None:
        operation = make_operation(project, state=state, due_at=NOON)
        watching.watch([operation.pk], NOON)
        assert remote.asked == []

    @pytest.mark.django_db(transaction=True)
    def test_while_it_asks_the_row_is_leased_and_no_transaction_is_open(
        self, clock: Clock, operation: Operation
    ) -> None:
        seen = []

        def reader(project: Project) -> None:
            row = Operation.objects.get(pk=operation.pk)
            seen.append((row.due_at, connection.in_atomic_block))
            raise NoActiveKey("None.")

        with mock.patch.object(Project, "reader", reader):
            watch(operation)
        assert seen == [(NOON + LEASE, False)]

    def test_the_end_is_kept_with_counts(
        self, clock: Clock, remote: Remote, operation: Operation
    ) -> None:
        remote.status = "success"
        remote.result = "Batch write completed (3 succeeded, 1 failed)"
        watch(operation)
        assert operation.state == State.PARTLY_FAILED
        assert (operation.rows_succeeded, operation.rows_failed) == (3, 1)
        assert operation.ended_at == NOON
        assert operation.is_watched

    def test_late_logs_are_added_and_change_the_counts(
        self, clock: Clock, remote: Remote, operation: Operation
    ) -> None:
        remote.status = "success"
        watch(operation)
        assert operation.state == State.SUCCEEDED
        clock.advance(seconds=20)
        details = failed_rows(failedUpdates={"X:y:--": ["a"]})
        remote.logs = [entry("Some", severity="ERROR", details=details)]
        watch(operation)
        assert operation.state == State.PARTLY_FAILED
        assert (operation.rows_succeeded, operation.rows_failed) == (None, 1)
        assert operation.ended_at == NOON

    def test_three_minutes_past_the_end_it_stops(
        self, clock: Clock, remote: Remote, operation: Operation
    ) -> None:
        remote.status = "success"
        watch(operation)
        while operation.due_at is not None:
            clock.now = operation.due_at
            watch(operation)
        assert timedelta(minutes=3) <= clock.now - NOON < timedelta(minutes=5)

    def test_an_end_is_never_taken_back(
        self, clock: Clock, remote: Remote, operation: Operation
    ) -> None:
        remote.status = "success"
        watch(operation)
        remote.status = "in_progress"
        watch(operation)
        assert operation.state == State.SUCCEEDED

    def test_an_unknown_word_is_kept_and_asked_again(
        self, clock: Clock, remote: Remote, operation: Operation
    ) -> None:
        remote.status = "wibbling" * 50
        watch(operation)
        assert operation.state == State.IN_PROGRESS
        assert operation.remote_status.startswith("wibbling")
        assert operation.due_at

    def test_after_a_week_it_stops_and_can_be_asked(
        self, clock: Clock, remote: Remote, operation: Operation
    ) -> None:
        clock.advance(days=7)
        watch(operation)
        assert operation.due_at is None
        assert operation.can_be_asked


class TestLogs:
    def test_they_are_kept_in_the_order_of_time(
        self, clock: Clock, remote: Remote, operation: Operation
    ) -> None:
        remote.logs = [entry("c", at=3), entry("a", at=1), entry("b", at=2)]
        watch(operation)
        texts = operation.log_entries.values_list("sequence", "text")
        assert list(texts) == [(1, "a"), (2, "b"), (3, "c")]

    def test_asking_again_adds_only_what_is_new(
        self, clock: Clock, remote: Remote, operation: Operation
    ) -> None:
        remote.logs = [entry("b", at=2), entry("b", at=2)]
        watch(operation)
        remote.logs = [entry("a", at=1), entry("b", at=2), entry("b", at=2)]
        watch(operation)
        texts = operation.log_entries.values_list("text", flat=True)
        assert list(texts) == ["b", "b", "a"]

    def test_entries_that_ampersand_forgot_stay(
        self, clock: Clock, remote: Remote, operation: Operation
    ) -> None:
        remote.logs = [entry("a")]
        watch(operation)
        remote.logs = []
        watch(operation)
        assert operation.log_entries.count() == 1

    def test_entries_of_any_form_are_kept(
        self, clock: Clock, remote: Remote, operation: Operation
    ) -> None:
        remote.logs = [
            {"message": "plain", "severity": "S" * 99},
            7,
            None,
            {"timestamp": "yesterday", "message": {"msg": {"deep": [1]}}},
        ]
        watch(operation)
        assert operation.log_entries.count() == 4

    def test_the_state_counts_even_if_the_log_cannot_be_read(
        self, clock: Clock, remote: Remote, operation: Operation
    ) -> None:
        remote.status = "success"
        detail = "no logs"
        remote.logs_refusal = (400, {"detail": detail}, {})
        watch(operation)
        assert operation.state == State.SUCCEEDED
        assert detail in operation.watch_problem
        assert operation.due_at


class TestProblems:
    @pytest.mark.parametrize(
        ("status", "named"),
        [(404, "project"), (401, "API key"), (500, "Because.")],
    )
    def test_a_refusal_changes_no_state(
        self,
        clock: Clock,
        remote: Remote,
        operation: Operation,
        status: int,
        named: str,
    ) -> None:
        remote.refusal = (status, {"detail": "Because."}, {})
        watch(operation)
        assert operation.state == State.IN_PROGRESS
        assert named in operation.watch_problem
        assert operation.asked_at is None
        assert operation.due_at
        assert operation.due_at > NOON

    def test_an_answer_clears_the_problem(
        self, clock: Clock, remote: Remote, operation: Operation
    ) -> None:
        remote.refusal = (404, {}, {})
        watch(operation)
        remote.refusal = None
        watch(operation)
        assert operation.watch_problem == ""

    def test_retry_after_is_honoured(
        self, clock: Clock, remote: Remote, operation: Operation
    ) -> None:
        moment = "Wed, 20 Mar 2030 12:00:00 GMT"
        remote.refusal = (429, {}, {"X-Amp-Retry-After": moment})
        watch(operation)
        assert operation.due_at == NOON + timedelta(days=1)

    def test_without_a_key_it_says_so(
        self, clock: Clock, remote: Remote, operation: Operation
    ) -> None:
        operation.project.api_keys.get().revoke()
        with pytest.raises(NoActiveKey) as missing:
            operation.project.active_key()
        watch(operation)
        assert str(missing.value) in operation.watch_problem
        assert operation.due_at
        assert operation.due_at > NOON

    def test_an_unreadable_key_is_told_from_a_wrong_one(
        self, clock: Clock, remote: Remote, operation: Operation
    ) -> None:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE console_apikey SET value = 'garbage'")
        watch(operation)
        assert "FIELD_KEYS" in operation.watch_problem

    def test_the_key_is_in_none_of_it(
        self, clock: Clock, remote: Remote, operation: Operation
    ) -> None:
        key = SecretStr("SANDBOX-KEY").reveal()
        remote.refusal = (400, {"detail": f"bad key {key}"}, {})
        watch(operation)
        assert key not in operation.watch_problem


class TestNudgeDue:
    def test_each_due_operation_is_nudged_once(
        self,
        clock: Clock,
        project: Project,
        enqueued: list[tuple[list[int], str]],
    ) -> None:
        running = make_operation(project)
        ended = make_operation(project, state="succeeded", due_at=NOON)
        make_operation(project, due_at=NOON + timedelta(seconds=1))
        make_operation(project, state="succeeded", due_at=None)
        make_operation(project, state="waiting", remote_id="", due_at=NOON)
        assert dispatch.enqueue_due_watches(NOON) == 2
        assert dispatch.enqueue_due_watches(NOON) == 0
        lease = (NOON + dispatch.REPEAT_WATCH_AFTER).isoformat()
        assert enqueued == [([running.pk, ended.pk], lease)]

    def test_a_lost_nudge_is_repeated(
        self, clock: Clock, operation: Operation, enqueued: list[tuple[list[int], str]]
    ) -> None:
        dispatch.enqueue_due_watches(NOON)
        assert dispatch.enqueue_due_watches(NOON + dispatch.REPEAT_WATCH_AFTER) == 1

    def test_its_nudges_find_their_operation(
        self,
        clock: Clock,
        remote: Remote,
        operation: Operation,
        enqueued: list[tuple[list[int], str]],
    ) -> None:
        dispatch.enqueue_due_watches(NOON)
        watch_operations.func(*enqueued[0])
        assert remote.times_asked == 1

    def test_nothing_due_costs_one_query(
        self, clock: Clock, project: Project, django_assert_num_queries: object
    ) -> None:
        make_operation(project, due_at=NOON + timedelta(hours=1))
        with django_assert_num_queries(1):  # type: ignore[operator]
            assert dispatch.enqueue_due_watches(NOON) == 0


class TestFollow:
    def test_it_starts_once(self, project: Project) -> None:
        user = make_user("vera", Role.OPERATOR)
        first, is_new = follow.follow(
            project=project, remote_id=" abc ", actor=actor(user)
        )
        again, is_new_again = follow.follow(
            project=project, remote_id="abc", actor=actor(user)
        )
        assert (is_new, is_new_again) == (True, False)
        assert first == again
        assert first.state == State.IN_PROGRESS
        assert first.remote_id == "abc"

    @pytest.mark.parametrize("bad", ["", "  ", "a/b", "..", "a\nb", "x" * 201, "\0"])
    def test_what_cannot_be_an_id_is_refused(self, project: Project, bad: str) -> None:
        user = make_user("vera", Role.OPERATOR)
        with pytest.raises(ValidationError):
            follow.follow(project=project, remote_id=bad, actor=actor(user))

    def test_it_learns_the_object(
        self, clock: Clock, remote: Remote, project: Project
    ) -> None:
        user = make_user("vera", Role.OPERATOR)
        operation, _ = follow.follow(
            project=project, remote_id="abc", actor=actor(user)
        )
        assert watch(operation).object_name == "contact"


def test_the_documents_failed_operation_is_shown_as_failed(
    sandbox: Sandbox, project: Project
) -> None:
    project.remote_id = "2234wf"
    project.save()
    remote_id = "5e4f06ca-445f-43ea-943e-78465ee1bb7a"
    operation = watch(make_operation(project, remote_id=remote_id, rows_sent=None))
    assert operation.state == State.FAILED
    assert "LineEnding" in operation.reason
    assert operation.log_entries.count() == 2
