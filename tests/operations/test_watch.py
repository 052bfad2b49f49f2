"""Watching many operations at once: claims, what is stored, and what it costs."""

import asyncio
import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.db import OperationalError, connections

from console.models import Project
from console.runtime.shutdown import hand_back_all
from operations import dispatch
from operations.actions import follow
from operations.models import Gate, Operation
from operations.worker import fetch, store, store_log, watch
from tests.conftest import make_project
from tests.operations.conftest import NOON, Clock, Remote, entry, make_operation

State = Operation.State
pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)

_numbers = itertools.count(1)


def make_many(project: Project, count: int, **values: Any) -> list[Operation]:
    """Return operations that were asked about before and are due now, without news."""
    remote_ids = [f"told-{next(_numbers)}" for _ in range(count)]
    return [
        make_operation(
            project,
            created_at=NOON - HOUR,
            answered_at=NOON - HOUR,
            remote_id=remote_id,
            answer={"operation": Remote().operation(remote_id)},
            log_digest=store_log.digest([]),
            **{"asked_count": 11, **values},
        )
        for remote_id in remote_ids
    ]


def pks(operations: list[Operation]) -> list[int]:
    return [operation.pk for operation in operations]


class TestClaim:
    def test_a_chunk_is_asked_about_once_however_often_it_is_nudged(
        self, clock: Clock, remote: Remote, project: Project
    ) -> None:
        operations = make_many(project, 5)
        for _ in range(2):
            watch.watch(pks(operations), NOON)
        assert remote.times_asked == 5

    def test_what_has_another_turn_meanwhile_is_left_out(
        self, clock: Clock, remote: Remote, project: Project
    ) -> None:
        early, late = make_many(project, 2)
        Operation.objects.filter(pk=late.pk).update(due_at=NOON + HOUR)
        watch.watch([early.pk, late.pk], NOON)
        late.refresh_from_db()
        assert remote.times_asked == 1
        assert (late.asked_count, late.due_at) == (11, NOON + HOUR)

    def test_two_nudges_share_the_operations_of_overlapping_chunks(
        self, clock: Clock, remote: Remote, project: Project
    ) -> None:
        operations = make_many(project, 4)
        watch.watch(pks(operations[:3]), NOON)
        watch.watch(pks(operations[1:]), NOON)
        assert remote.times_asked == 4

    def test_a_killed_worker_leaves_them_due_after_the_lease(
        self,
        clock: Clock,
        project: Project,
        monkeypatch: pytest.MonkeyPatch,
        enqueued: list[tuple[list[int], str]],
    ) -> None:
        operations = make_many(project, 3)

        def die(work: Any) -> None:
            work.close()
            raise SystemExit

        monkeypatch.setattr(watch, "read_together", die)
        with pytest.raises(SystemExit):
            watch.watch(pks(operations), NOON)
        assert (
            dispatch.enqueue_due_watches(NOON + watch.LEASE - timedelta(seconds=1)) == 0
        )
        assert dispatch.enqueue_due_watches(NOON + watch.LEASE) == 3

    def test_a_worker_that_has_to_stop_gives_them_back(
        self,
        clock: Clock,
        project: Project,
        monkeypatch: pytest.MonkeyPatch,
        enqueued: list[tuple[list[int], str]],
    ) -> None:
        operations = make_many(project, 3)

        def stop(work: Any) -> None:
            work.close()
            hand_back_all()
            raise SystemExit

        monkeypatch.setattr(watch, "read_together", stop)
        monkeypatch.setattr(connections, "close_all", lambda: None)
        with pytest.raises(SystemExit):
            watch.watch(pks(operations), NOON)
        assert dispatch.enqueue_due_watches(NOON) == 3

    def test_operations_of_several_projects_are_asked_each_with_its_own(
        self, clock: Clock, remote: Remote, project: Project
    ) -> None:
        other = make_project("Other", remote_id="other")
        mixed = make_many(project, 1) + make_many(other, 1) + make_many(project, 1)
        watch.watch(pks(mixed), NOON)
        asked = [path.split("/")[3] for path in remote.asked]
        assert asked == ["demo", "demo", "other"]


class TestWithoutNews:
    def test_only_the_asking_is_noted(
        self, clock: Clock, remote: Remote, project: Project
    ) -> None:
        [operation] = make_many(project, 1)
        clock.advance(seconds=1)
        watch.watch([operation.pk], NOON)
        before = {field.name: getattr(operation, field.name) for field in fields()}
        operation.refresh_from_db()
        changed = {
            name for name, value in before.items() if getattr(operation, name) != value
        }
        assert changed == {"due_at", "asked_count", "asked_at"}
        assert operation.asked_at == clock.now

    def test_each_gets_a_turn_of_its_own(
        self, clock: Clock, remote: Remote, project: Project
    ) -> None:
        operations = make_many(project, 20)
        watch.watch(pks(operations), NOON)
        turns = {o.due_at for o in Operation.objects.all()}
        assert len(turns) == 20
        minute = timedelta(seconds=60)
        assert all(minute * 0.8 <= due - NOON <= minute * 1.2 for due in turns)  # type: ignore[operator]

    def test_those_whose_last_turn_it_was_get_none_and_the_others_theirs(
        self, clock: Clock, remote: Remote, project: Project
    ) -> None:
        week = NOON - timedelta(days=7)
        old = make_many(project, 2)
        Operation.objects.update(created_at=week, answered_at=week)
        young = make_many(project, 1)
        for chunk in (old[:1], old[1:] + young):
            watch.watch(pks(chunk), NOON)
        turns = list(Operation.objects.order_by("pk").values_list("due_at", flat=True))
        assert turns[:2] == [None, None]
        assert turns[2]

    @pytest.mark.parametrize("count", [1, 60])
    def test_a_chunk_costs_the_same_queries_however_large(
        self,
        clock: Clock,
        remote: Remote,
        project: Project,
        django_assert_num_queries: Callable[[int], Any],
        count: int,
    ) -> None:
        Gate.objects.create(project=project)
        operations = make_many(project, count)
        # Two to claim, two for the project's key, five for its gate, one for all turns.
        with django_assert_num_queries(10):
            watch.watch(pks(operations), NOON)
        assert remote.times_asked == count

    def test_the_log_is_asked_for_every_fifth_time_only(
        self, clock: Clock, remote: Remote, project: Project
    ) -> None:
        for asked_count in range(10, 20):
            make_many(project, 1, asked_count=asked_count)
        watch.watch(pks(list(Operation.objects.all())), NOON)
        logs = [path for path in remote.asked if path.endswith("/logs")]
        assert (remote.times_asked, len(logs)) == (10, 2)

    def test_a_log_that_was_never_read_is_asked_for(
        self, clock: Clock, remote: Remote, project: Project
    ) -> None:
        [operation] = make_many(project, 1)
        follow.ask_now(operation)
        remote.logs = [entry("Something")]
        watch.watch([operation.pk], operation.due_at)  # type: ignore[arg-type]
        assert operation.log_entries.count() == 1


class TestMixedNews:
    def test_one_that_ended_does_not_touch_the_others(
        self, clock: Clock, remote: Remote, project: Project
    ) -> None:
        quiet, ended = make_many(project, 2)
        remote.statuses[ended.remote_id] = "success"
        watch.watch([quiet.pk, ended.pk], NOON)
        quiet.refresh_from_db()
        ended.refresh_from_db()
        assert (quiet.state, quiet.version) == (State.IN_PROGRESS, 1)
        assert (ended.state, ended.version) == (State.SUCCEEDED, 2)
        assert ended.log_digest

    def test_an_end_brings_the_log_with_it(
        self, clock: Clock, remote: Remote, project: Project
    ) -> None:
        [operation] = make_many(project, 1)
        remote.status = "success"
        remote.logs = [entry("Batch write completed (3 succeeded, 1 failed)")]
        watch.watch([operation.pk], NOON)
        operation.refresh_from_db()
        assert (operation.rows_succeeded, operation.rows_failed) == (3, 1)

    def test_a_refusal_of_one_is_its_own_problem(
        self, clock: Clock, remote: Remote, project: Project
    ) -> None:
        fine, gone = make_many(project, 2)
        remote.refusals[gone.remote_id] = (404, {}, {})
        watch.watch([fine.pk, gone.pk], NOON)
        fine.refresh_from_db()
        gone.refresh_from_db()
        assert (fine.watch_problem, fine.asked_count) == ("", 12)
        assert gone.watch_problem
        assert (gone.asked_count, gone.asked_at, gone.version) == (12, None, 2)

    def test_the_same_problem_again_is_no_news(
        self, clock: Clock, remote: Remote, project: Project
    ) -> None:
        [operation] = make_many(project, 1)
        remote.refusal = (404, {}, {})
        for _ in range(2):
            operation.refresh_from_db()
            watch.watch([operation.pk], operation.due_at)  # type: ignore[arg-type]
        operation.refresh_from_db()
        assert (operation.asked_count, operation.version) == (13, 2)

    def test_what_cannot_be_kept_of_one_is_no_loss_for_the_others(
        self,
        clock: Clock,
        remote: Remote,
        project: Project,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        operations = make_many(project, 3)
        remote.status = "success"
        keep_told = store._keep_told

        def keep_some(operation: Operation, *rest: Any) -> None:
            if operation.pk == operations[1].pk:
                raise ValueError("unkeepable")
            keep_told(operation, *rest)

        monkeypatch.setattr(store, "_keep_told", keep_some)
        watch.watch(pks(operations), NOON)
        states = list(Operation.objects.order_by("pk").values_list("state", "due_at"))
        assert [state for state, _ in states] == [
            "succeeded",
            "in_progress",
            "succeeded",
        ]
        assert states[1][1] == NOON + watch.LEASE

    def test_a_database_that_is_gone_ends_the_task(
        self,
        clock: Clock,
        remote: Remote,
        project: Project,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        operations = make_many(project, 2)
        remote.status = "success"

        def gone(*args: Any) -> None:
            raise OperationalError("gone")

        monkeypatch.setattr(store, "_keep_told", gone)
        with pytest.raises(OperationalError):
            watch.watch(pks(operations), NOON)

    def test_ask_now_during_the_asking_keeps_its_turn(
        self, clock: Clock, remote: Remote, project: Project
    ) -> None:
        quiet, told = make_many(project, 2)
        remote.statuses[told.remote_id] = "nearly_done"
        now = NOON + timedelta(seconds=3)

        def ask_now(operations: Any, news: Any) -> None:
            Operation.objects.update(due_at=now)
            keep(operations, news)

        keep = store.store_news
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(store, "store_news", ask_now)
            watch.watch([quiet.pk, told.pk], NOON)
        quiet.refresh_from_db()
        told.refresh_from_db()
        assert quiet.due_at == told.due_at == now
        assert told.remote_status == "nearly_done"

    def test_what_left_the_watch_during_the_asking_is_left_alone(
        self, clock: Clock, remote: Remote, project: Project
    ) -> None:
        quiet, told = make_many(project, 2)
        remote.statuses[told.remote_id] = "success"

        def leave(operations: Any, news: Any) -> None:
            Operation.objects.update(state=State.CANCELLED, due_at=None)
            keep(operations, news)

        keep = store.store_news
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(store, "store_news", leave)
            watch.watch([quiet.pk, told.pk], NOON)
        rows = Operation.objects.values_list("state", "due_at", "asked_count")
        assert list(rows) == [("cancelled", None, 11)] * 2

    def test_a_word_that_a_newer_console_knows_is_read_anew(
        self, clock: Clock, remote: Remote, project: Project
    ) -> None:
        [operation] = make_many(project, 1)
        said = remote.operation(operation.remote_id, "success")
        Operation.objects.update(answer={"operation": said})
        remote.status = "success"
        watch.watch([operation.pk], NOON)
        operation.refresh_from_db()
        assert operation.state == State.SUCCEEDED


class TestGate:
    def test_no_more_is_asked_than_the_pace_allows(
        self, clock: Clock, remote: Remote, project: Project
    ) -> None:
        Project.objects.update(reads_per_second=10)
        operations = make_many(project, 25)
        watch.watch(pks(operations), NOON)
        left = Operation.objects.filter(asked_count=11)
        assert (remote.times_asked, len(left)) == (10, 15)
        second = timedelta(seconds=1)
        assert all(NOON < o.due_at <= NOON + 3 * second for o in left)  # type: ignore[operator]

    def test_while_the_breaker_is_open_nothing_is_asked(
        self, clock: Clock, remote: Remote, project: Project
    ) -> None:
        until = NOON + timedelta(seconds=30)
        Gate.objects.create(project=project, opened_at=NOON, try_at=until)
        operations = make_many(project, 3)
        watch.watch(pks(operations), NOON)
        assert remote.asked == []
        assert all(until <= o.due_at for o in Operation.objects.all())  # type: ignore[operator]

    def test_the_gate_hears_how_each_went(
        self, clock: Clock, remote: Remote, project: Project
    ) -> None:
        operations = make_many(project, 30)
        remote.failure = httpx.ConnectError("down")
        watch.watch(pks(operations), NOON)
        assert Gate.objects.get().is_open


class TestBadRemote:
    def test_after_several_silent_answers_the_rest_waits_for_another_turn(
        self, clock: Clock, remote: Remote, project: Project
    ) -> None:
        operations = make_many(project, 60)
        remote.failure = httpx.ConnectError("down")
        watch.watch(pks(operations), NOON)
        rows = list(Operation.objects.values_list("watch_problem", "due_at"))
        asked = [due for problem, due in rows if problem]
        left = [due for problem, due in rows if not problem]
        assert fetch.SILENT_LIMIT <= len(asked) < 60
        assert all(due > NOON + store.PUT_OFF for due in asked)  # type: ignore[operator]
        assert all(NOON < due <= NOON + store.PUT_OFF for due in left)  # type: ignore[operator]

    def test_one_that_hangs_is_cut_and_keeps_no_answer_of_the_others(
        self,
        clock: Clock,
        remote: Remote,
        project: Project,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(fetch, "CUT_AFTER", 0.2)
        fine, hanging = make_many(project, 2)
        remote.hangs.add(hanging.remote_id)
        watch.watch([fine.pk, hanging.pk], NOON)
        fine.refresh_from_db()
        hanging.refresh_from_db()
        assert (fine.asked_at, fine.watch_problem) == (NOON, "")
        assert hanging.asked_at is None
        assert f"{fetch.CUT_AFTER:g}" in hanging.watch_problem

    def test_what_was_not_begun_in_time_is_given_back(
        self,
        clock: Clock,
        remote: Remote,
        project: Project,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(fetch, "BEGIN_WITHIN", -1)
        [operation] = make_many(project, 1)
        watch.watch([operation.pk], NOON)
        operation.refresh_from_db()
        assert remote.asked == []
        assert (operation.asked_count, operation.watch_problem) == (11, "")
        assert operation.due_at
        assert NOON < operation.due_at <= NOON + store.PUT_OFF


class TestNudges:
    def test_one_task_for_each_chunk_of_a_project(
        self,
        clock: Clock,
        project: Project,
        enqueued: list[tuple[list[int], str]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(dispatch, "CHUNK", 2)
        other = make_project("Other", remote_id="other")
        here, there = make_many(project, 3), make_many(other, 1)
        assert dispatch.enqueue_due_watches(NOON) == 4
        chunks = [chunk for chunk, _ in enqueued]
        assert chunks == [pks(here[:2]), pks(here[2:]), pks(there)]

    def test_those_that_gave_trouble_do_not_hold_up_the_others(
        self, clock: Clock, project: Project, enqueued: list[tuple[list[int], str]]
    ) -> None:
        fine = make_many(project, 2)
        [bad] = make_many(project, 1, watch_problem="It hangs.")
        dispatch.enqueue_due_watches(NOON)
        assert [chunk for chunk, _ in enqueued] == [pks(fine), [bad.pk]]

    def test_no_more_are_nudged_at_once_than_are_asked_in_time(
        self,
        clock: Clock,
        project: Project,
        enqueued: list[tuple[list[int], str]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(dispatch, "MOST_WATCHES", 2)
        make_many(project, 3)
        assert [dispatch.enqueue_due_watches(NOON) for _ in range(3)] == [2, 1, 0]

    def test_two_clocks_nudge_each_operation_once(
        self, clock: Clock, project: Project, enqueued: list[tuple[list[int], str]]
    ) -> None:
        operations = make_many(project, 2)
        chunks = list(dispatch._chunks(NOON))
        dispatch.enqueue_due_watches(NOON)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(dispatch, "_chunks", lambda now: chunks)
            assert dispatch.enqueue_due_watches(NOON) == 0
        assert len(enqueued) == 1
        assert enqueued[0][0] == pks(operations)


def fields() -> list[Any]:
    return list(Operation._meta.concrete_fields)


def test_a_reader_keeps_its_connections_between_chunks(project: Project) -> None:
    assert project.reader() is project.reader()
    assert asyncio.iscoroutinefunction(project.reader().get_operation)
