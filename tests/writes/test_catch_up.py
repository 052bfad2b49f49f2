"""What came before a count or an index: the clock goes through it once, bit by bit."""

import importlib
import io
import threading
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from console.models import Integration
from console.validators import LARGEST_ID
from operations.models import DayError, Failure, Operation
from operations.models.rollup import is_counted
from operations.worker.count_days import count_marked, mark_all
from sandbox.app import Sandbox
from tests.conftest import make_project
from tests.operations.conftest import make_operation
from tests.writes.making import confirm, make_draft, work_off
from tests.writes.test_records import DATA, sent
from tests.writes.test_runs import people
from writes import record_index
from writes.actions import begin_job, catch_up
from writes.management.commands import clock
from writes.models import (
    Backlog,
    FileJob,
    IndexedValue,
    IndexKey,
    SearchTerm,
    Write,
)
from writes.records import find, missing
from writes.search import terms
from writes.worker import run_calls, run_job

Kind = Backlog.Kind
ALL = 1e9

pytestmark = pytest.mark.django_db


def failures() -> list[tuple[int | None, str, int]]:
    found = Failure.objects.order_by("operation", "-rows", "code")
    return list(found.values_list("operation", "code", "rows"))


def noted() -> set[Any]:
    return set(SearchTerm.objects.values_list("write", "kind", "text"))


def indexed() -> list[Any]:
    found = IndexedValue.objects.order_by("digest", "write")
    return list(found.values_list("digest", "write"))


def forget() -> None:
    """Have nothing counted or indexed, as before there was any of it."""
    for model in (Failure, SearchTerm, IndexedValue):
        model.objects.all().delete()
    Write.objects.update(indexed=Write.Indexed.NOT_YET)
    for kind in Kind.values:
        Backlog.ask(kind)


@pytest.fixture
def history(
    sandbox: Sandbox, integration: Integration, olga: User
) -> dict[str, Operation]:
    """A file, a run and a record, some rows of which were refused."""
    csv = b"external_id__c,LastName\nk-1,One\nk-2,\nk-3,\n"
    draft = make_draft(integration, olga, csv=csv, primary_key="external_id__c")
    file = confirm(draft, olga)
    target = make_project("Today", remote_id="demo-c", generation="C")
    rows = people(5, r1="", r2="")
    draft = make_draft(target.integrations.get(), olga, csv=rows, action="create")
    run = confirm(draft, olga)
    run_calls.run(run.pk)
    record = confirm(make_draft(integration, olga, record={"FirstName": "x"}), olga)
    work_off()
    return {"file": file, "run": run, "record": record}


@pytest.mark.usefixtures("history")
def test_everything_is_as_if_it_had_been_kept_from_the_beginning() -> None:
    before = failures(), noted(), indexed()
    rows = {pk: rows for pk, _, rows in failures()}
    for operation in Operation.objects.all():
        assert rows[operation.pk] == operation.rows_failed
    assert all(before)
    forget()
    for _ in range(2):
        assert not catch_up.catch_up(seconds=ALL)
        assert not Backlog.objects.exists()
        assert (failures(), noted(), indexed()) == before
        for kind in Kind.values:
            Backlog.ask(kind)


@pytest.mark.usefixtures("history")
def test_the_days_of_what_was_counted_are_counted_again() -> None:
    count_marked(seconds=ALL)
    before = set(DayError.objects.values_list("digest", "operations", "rows"))
    forget()
    mark_all()
    count_marked(seconds=ALL)
    assert not DayError.objects.exists()
    call_command("clock", once=True)
    assert before
    assert is_counted()
    found = set(DayError.objects.values_list("digest", "operations", "rows"))
    assert found == before


def test_of_what_was_swept_no_example_comes_back(history: dict[str, Operation]) -> None:
    Write.objects.update(files_deleted_at=timezone.now())
    Backlog.ask(Kind.ERRORS)
    assert not catch_up.catch_up(seconds=ALL)
    assert {pk for pk, _, _ in failures()} == {each.pk for each in history.values()}
    assert not Failure.objects.exclude(example="").exists()


@pytest.mark.usefixtures("history")
def test_it_goes_on_where_it_was_stopped() -> None:
    before = failures(), noted(), indexed()
    forget()
    # One of each kind, the newest first.
    assert catch_up.catch_up(seconds=0)
    newest = Write.objects.order_by("-pk").values_list("pk", flat=True)[0]
    assert {pk for pk, _, _ in noted()} == {newest}
    assert Backlog.objects.get(kind=Kind.SEARCH).up_to == newest - 1
    calls = 1
    while catch_up.catch_up(seconds=0):
        calls += 1
    assert calls <= 3
    assert (failures(), noted(), indexed()) == before


@pytest.mark.usefixtures("history")
def test_killed_in_the_middle_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    before = failures(), noted(), indexed()
    forget()
    note, done = terms.note, []

    def dies(write: Write) -> None:
        note(write)
        done.append(write.pk)
        if len(done) == 2:
            raise SystemExit

    monkeypatch.setattr(terms, "note", dies)
    with pytest.raises(SystemExit):
        catch_up.catch_up(seconds=ALL)
    assert terms.is_complete() is False
    monkeypatch.undo()
    assert not catch_up.catch_up(seconds=ALL)
    assert (failures(), noted(), indexed()) == before


@pytest.mark.usefixtures("history")
def test_another_clock_in_between_doubles_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = failures(), noted(), indexed()
    forget()
    note, store = terms.note, catch_up.store_failures
    fill = record_index.fill
    inside = 0

    def other_first(work: Any) -> Any:
        def both(*args: Any) -> Any:
            nonlocal inside
            if not inside:
                inside += 1
                catch_up.catch_up(seconds=ALL)
            return work(*args)

        return both

    monkeypatch.setattr(terms, "note", other_first(note))
    monkeypatch.setattr(catch_up, "store_failures", other_first(store))
    monkeypatch.setattr(record_index, "fill", other_first(fill))
    while catch_up.catch_up(seconds=ALL):
        inside = 0
    assert (failures(), noted(), indexed()) == before


@pytest.mark.usefixtures("history")
def test_what_is_asked_for_anew_meanwhile_is_not_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Backlog.ask(Kind.SEARCH)
    assert catch_up.catch_up(seconds=0)
    assert Backlog.objects.get().up_to < LARGEST_ID
    note = terms.note

    def asked_anew(write: Write) -> None:
        note(write)
        Backlog.ask(Kind.SEARCH)

    monkeypatch.setattr(terms, "note", asked_anew)
    assert catch_up.catch_up(seconds=0)
    assert Backlog.objects.get().up_to == LARGEST_ID


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_clocks_at_once_double_nothing(
    sandbox: Sandbox, integration: Integration, olga: User
) -> None:
    for number in range(6):
        sent(integration, olga, DATA + b"x-%d,x\n" % number)
    before = failures(), noted(), indexed()
    forget()
    together = threading.Barrier(2)
    faults: list[Exception] = []

    def clock_of_its_own() -> None:
        try:
            together.wait()
            while catch_up.catch_up(seconds=0):
                pass
        except Exception as error:
            faults.append(error)
        finally:
            connection.close()

    clocks = [threading.Thread(target=clock_of_its_own) for _ in range(2)]
    for each in clocks:
        each.start()
    for each in clocks:
        each.join()
    assert not faults
    work_off()
    assert not Backlog.objects.exists()
    assert (failures(), noted(), indexed()) == before


def test_one_that_fails_keeps_no_other_from_it(
    history: dict[str, Operation], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = catch_up.store_failures

    def fails(operation: Operation) -> None:
        if operation.pk == history["record"].pk:
            raise ValueError
        store(operation)

    monkeypatch.setattr(catch_up, "store_failures", fails)
    forget()
    assert not catch_up.catch_up(seconds=ALL)
    assert {pk for pk, _, _ in failures()} == {
        history["file"].pk,
        history["run"].pk,
    }


def test_where_nothing_is_left_one_query_tells_so(
    django_assert_num_queries: Any,
) -> None:
    with django_assert_num_queries(1):
        assert not catch_up.catch_up()


def test_the_clock_looks_seldom_where_nothing_is_left(
    integration: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock.time, "monotonic", lambda: 100.0)
    assert clock._catch_up() == 100 + clock.LOOK_BACK_EVERY
    make_operation(integration.project, state="failed")
    make_operation(integration.project, state="failed")
    Backlog.ask(Kind.ERRORS)
    monkeypatch.setattr(catch_up, "catch_up", lambda: True)
    assert clock._catch_up() == 100


def test_an_upgrade_asks_for_what_there_is(history: dict[str, Operation]) -> None:
    migration = importlib.import_module("writes.migrations.0024_backlog")
    migration.ask(apps, None)
    assert set(Backlog.objects.values_list("kind", flat=True)) == set(Kind.values)


def test_of_an_empty_console_nothing_is_left() -> None:
    migration = importlib.import_module("writes.migrations.0024_backlog")
    migration.ask(apps, None)
    assert not Backlog.objects.exists()


class TestRecords:
    """Files are read by workers where they are large, one at a time."""

    def test_large_files_are_indexed_by_a_worker_one_after_the_other(
        self,
        sandbox: Sandbox,
        integration: Integration,
        olga: User,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        for number in range(3):
            sent(integration, olga, DATA + b"x-%d,x\n" % number)
        before = indexed()
        forget()
        monkeypatch.setattr(begin_job, "SMALL", 0)
        for left in (True, True, False):
            assert catch_up.catch_up(seconds=ALL) is left
            assert catch_up.catch_up(seconds=ALL) is left
            job = FileJob.objects.get(kind="index", state__in=FileJob.OPEN)
            run_job.run(job.pk)
            job.refresh_from_db()
            assert job.state == FileJob.State.DONE
        assert indexed() == before
        assert missing(olga).count == 0

    def test_one_that_cannot_be_read_keeps_no_other_from_being_indexed(
        self, sandbox: Sandbox, integration: Integration, olga: User
    ) -> None:
        sound, broken = sent(integration, olga), sent(integration, olga)
        gone = sent(integration, olga)
        forget()
        broken.path_of("rows_store").write_bytes(b"no database")
        gone.path_of("rows_store").unlink()
        catch_up.catch_up(seconds=ALL)
        while job := FileJob.objects.filter(state__in=FileJob.OPEN).first():
            run_job.run(job.pk)
            catch_up.catch_up(seconds=ALL)
        assert [hit.write for hit in find(olga, "k-1").hits] == [sound]
        assert missing(olga).newest == [gone, broken]
        assert not Backlog.objects.exists()

    def test_rows_that_are_not_joined_yet_are_left_to_their_join(
        self, sandbox: Sandbox, integration: Integration, olga: User
    ) -> None:
        write = sent(integration, olga)
        forget()
        Write.objects.filter(pk=write.pk).update(rows_store="")
        assert not catch_up.catch_up(seconds=ALL)
        assert missing(olga).newest == [write]

    def test_with_a_new_key_all_are_indexed_anew(
        self, sandbox: Sandbox, integration: Integration, olga: User
    ) -> None:
        sent(integration, olga)
        before = IndexKey.current()
        call_command("rebuild", "records", "--new-key", stdout=io.StringIO())
        assert missing(olga).count == 1
        assert not catch_up.catch_up(seconds=ALL)
        assert IndexKey.current() != before
        assert len(find(olga, "k-1").hits) == 1
