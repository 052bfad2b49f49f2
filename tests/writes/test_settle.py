"""After the end: every row gets its fate, once, and again when more is told."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import escape

from console.models import Integration
from files.rows.fates import Totals
from operations.models import LogEntry, Operation
from sandbox.app import Sandbox
from tests.writes.making import confirm, make_draft, work_off
from writes.actions import settle as settling
from writes.models import Batch, FileJob, Write
from writes.worker import join_rows, run_job

State = Operation.State
JOIN = FileJob.Kind.JOIN
KEY = "external_id__c"
MISSING = "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --"

pytestmark = pytest.mark.django_db


@pytest.fixture
def write(integration: Integration, olga: User) -> Write:
    """Four rows, confirmed: nothing has become of them."""
    data = b"external_id__c,LastName\n" + b"".join(b"k-%d,B\n" % n for n in range(1, 5))
    write = make_draft(integration, olga, csv=data, primary_key=KEY)
    confirm(write, olga)
    return write


def end(operation: Operation, state: str, result: str = "", **values: Any) -> None:
    """End an operation with a sentence of Ampersand's."""
    values = {"sent_at": timezone.now(), "due_at": None, "result": result, **values}
    Operation.objects.filter(pk=operation.pk).update(state=state, **values)


def tell(operation: Operation, *keys: str, error: str = MISSING) -> None:
    """Add a log entry that names failed rows."""
    sequence = operation.log_entries.count() + 1
    details = {"failureType": "Partial", "failedCreates": {error: list(keys)}}
    LogEntry.objects.create(
        operation=operation,
        sequence=sequence,
        text="Some failed.",
        raw={"failureDetails": {**details, "failedUpdates": {}, "n": sequence}},
        fingerprint=f"print-{sequence}",
        tells_outcome=True,
    )


def settle(write: Write) -> Totals | None:
    """Let the clock tick and the worker join until both are done."""
    for _ in range(5):
        settling.join_told(timezone.now())
        for job in FileJob.objects.filter(state__in=FileJob.OPEN):
            run_job.run(job.pk)
    write.refresh_from_db()
    totals = write.rows_totals
    if totals:
        known = totals.succeeded + totals.failed + totals.unknown
        assert known == totals.sent
    return totals


def joins(write: Write) -> int:
    return write.jobs.filter(kind=JOIN).count()


def first(write: Write) -> Operation:
    return write.batches.first().operation


def test_nothing_is_joined_before_the_end(write: Write) -> None:
    for state in ("waiting", "sending", "in_progress"):
        values = {"due_at": timezone.now(), "remote_id": "r-1"}
        end(first(write), state, **values)
        assert settle(write) is None
    assert joins(write) == 0


def test_what_ended_is_joined_once(write: Write) -> None:
    operation = first(write)
    end(operation, "partly_failed", "Batch write completed (3 succeeded, 1 failed)")
    tell(operation, "k-2")
    totals = settle(write)
    assert totals
    assert (totals.succeeded, totals.failed, totals.unknown) == (3, 1, 0)
    assert joins(write) == 1
    assert write.batches.get().is_settled
    assert settling.join_told(timezone.now()) == 0


def test_late_log_entries_have_it_joined_anew(write: Write) -> None:
    operation = first(write)
    soon = timezone.now() + timedelta(minutes=1)
    result = "Batch write completed (2 succeeded, 2 failed)"
    end(operation, "partly_failed", result, due_at=soon)
    tell(operation, "k-2")
    totals = settle(write)
    assert totals
    assert (totals.succeeded, totals.failed, totals.unknown) == (0, 1, 3)
    assert not write.batches.get().is_settled
    before = write.path_of("rows_store")
    tell(operation, "k-4")
    totals = settle(write)
    assert totals
    assert (totals.succeeded, totals.failed, totals.unknown) == (2, 2, 0)
    assert joins(write) == 2
    assert not before.exists()
    end(operation, "partly_failed", result)
    settle(write)
    assert write.batches.get().is_settled


@pytest.mark.parametrize(
    ("state", "result", "expected"),
    [
        ("succeeded", "Batch write completed (4 succeeded, 0 failed)", (4, 0, 0, 0)),
        ("completed", "", (0, 0, 4, 0)),
        ("failed", "No records processed successfully.", (0, 0, 4, 0)),
        ("failed", "Batch write completed (0 succeeded, 4 failed)", (0, 4, 0, 0)),
        ("unknown", "", (0, 0, 4, 0)),
        ("rejected", "", (0, 4, 0, 0)),
        ("cancelled", "", (0, 0, 0, 4)),
        # Success that nobody counted is not claimed.
        ("succeeded", "", (0, 0, 4, 0)),
    ],
)
def test_each_end_says_no_more_than_is_proven(
    state: str, result: str, expected: tuple[int, ...], write: Write
) -> None:
    end(first(write), state, result)
    totals = settle(write)
    assert totals
    found = (totals.succeeded, totals.failed, totals.unknown, totals.not_sent)
    assert found == expected


def test_what_does_not_add_up_is_an_alarm_on_the_page(
    write: Write, browser: Browser
) -> None:
    operation = first(write)
    end(operation, "partly_failed", "Batch write completed (4 succeeded, 1 failed)")
    tell(operation, "k-2", "nobody-has-this")
    totals = settle(write)
    assert totals
    assert totals.alarms
    text = browser.get(f"/writes/{write.pk}/rows/").context["totals"].alarms
    assert text == totals.alarms
    page = browser.get(f"/writes/{write.pk}/", follow=True).content.decode()
    for alarm in totals.alarms:
        assert escape(alarm) in page


def test_a_message_that_names_no_row_is_shown_as_such(
    write: Write, browser: Browser
) -> None:
    operation = first(write)
    end(operation, "partly_failed", "Batch write completed (3 succeeded, 1 failed)")
    LogEntry.objects.create(
        operation=operation,
        sequence=1,
        text="",
        error="UNABLE_TO_LOCK_ROW:unable to obtain access:--",
        raw={"error": "UNABLE_TO_LOCK_ROW:unable to obtain access:--"},
        fingerprint="x",
        tells_outcome=True,
    )
    totals = settle(write)
    assert totals
    assert (totals.succeeded, totals.failed, totals.unknown) == (0, 0, 4)
    page = browser.get(f"/writes/{write.pk}/rows/").content.decode()
    assert "unable to obtain access" in page


def test_an_unknown_part_is_looked_at_for_an_hour(write: Write) -> None:
    operation = first(write)
    end(operation, "unknown")
    settle(write)
    assert not write.batches.get().is_settled
    end(operation, "succeeded", "Batch write completed (4 succeeded, 0 failed)")
    totals = settle(write)
    assert totals
    assert totals.succeeded == 4
    assert write.batches.get().is_settled


def test_an_unknown_part_is_settled_after_an_hour(write: Write) -> None:
    end(first(write), "unknown", sent_at=timezone.now() - 2 * settling.LATE)
    settle(write)
    assert write.batches.get().is_settled


def test_a_join_that_fails_is_not_begun_for_ever(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    end(first(write), "succeeded", "Batch write completed (4 succeeded, 0 failed)")
    monkeypatch.setitem(run_job._WORK, JOIN, lambda *_: 1 / 0)
    for _ in range(20):
        settle(write)
    assert joins(write) == 1
    assert write.batches.get().is_settled


def test_a_write_whose_file_is_gone_is_settled_without_rows(
    write: Write, browser: Browser
) -> None:
    write.path_of("as_sent").unlink()
    end(first(write), "succeeded", "Batch write completed (4 succeeded, 0 failed)")
    assert settle(write) is None
    assert write.batches.get().is_settled
    page = browser.get(f"/writes/{write.pk}/rows/").content.decode()
    assert "no longer exists" in page
    # Who uploads again what was sent may send it twice.
    assert "Upload it again" not in page


class TestParts:
    """The rows of a write in parts are joined when nothing moves any more."""

    @pytest.fixture
    def write(self, integration: Integration, olga: User, small_parts: int) -> Write:
        data = b"external_id__c,LastName\n" + b"".join(
            b"k-%d,Name %d\n" % (n, n) for n in range(1, 5)
        )
        write = make_draft(integration, olga, csv=data, primary_key=KEY)
        confirm(write, olga)
        assert write.batches.count() == 4
        return write

    def test_a_part_that_lets_the_next_go_is_not_the_end(self, write: Write) -> None:
        """Between the end of one part and the clock's tick nothing moves."""
        end(first(write), "succeeded", "Batch write completed (1 succeeded, 0 failed)")
        assert settle(write) is None
        assert joins(write) == 0

    def test_where_it_stopped_the_rest_is_not_sent(
        self, write: Write, browser: Browser
    ) -> None:
        end(first(write), "failed", "Batch write completed (0 succeeded, 1 failed)")
        totals = settle(write)
        assert totals
        assert (totals.sent, totals.failed, totals.not_sent) == (1, 1, 3)

    def test_going_on_has_it_joined_anew(
        self, sandbox: Sandbox, write: Write, browser: Browser
    ) -> None:
        end(first(write), "failed", "Batch write completed (0 succeeded, 1 failed)")
        settle(write)
        browser.post(f"/writes/{write.pk}/go-on/")
        work_off()
        totals = settle(write)
        assert totals
        assert (totals.succeeded, totals.failed, totals.not_sent) == (3, 1, 0)

    def test_parts_that_are_held_for_ever_keep_the_clock_from_nobody(
        self,
        write: Write,
        integration: Integration,
        olga: User,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(settling, "MOST_AT_ONCE", 3)
        end(first(write), "failed", "Batch write completed (0 succeeded, 1 failed)")
        settle(write)
        other = make_draft(integration, olga, csv=b"id\n1\n", primary_key="id")
        confirm(other, olga)
        end(first(other), "succeeded", "Batch write completed (1 succeeded, 0 failed)")
        totals = settle(other)
        assert totals
        assert totals.succeeded == 1

    def test_a_write_at_rest_costs_the_clock_one_query(self, write: Write) -> None:
        end(first(write), "failed", "Batch write completed (0 succeeded, 1 failed)")
        settle(write)
        with CaptureQueriesContext(connection) as captured:
            settling.join_told(timezone.now())
        assert len(captured) == 1

    def test_what_was_told_is_asked_in_few_queries(
        self, write: Write, django_assert_max_num_queries: Any
    ) -> None:
        with django_assert_max_num_queries(2):
            join_rows.told_digest(write)


def test_many_ways_of_naming_the_same_rows(
    sandbox: Sandbox, integration: Integration, olga: User
) -> None:
    """Uneven parts, results in another order, colons in errors, repeated keys."""
    data = b"external_id__c,LastName\n" + b"".join(
        b"K:%d,%s\n" % (n, b"" if n % 3 else b"Berg") for n in range(1, 301)
    )
    write = make_draft(integration, olga, csv=data, primary_key=KEY)
    confirm(write, olga)
    work_off()
    write.refresh_from_db()
    totals = write.rows_totals
    assert totals
    assert (totals.succeeded, totals.failed, totals.unknown) == (100, 200, 0)
    assert totals.alarms == []


@pytest.fixture
def swept(write: Write) -> Callable[[], None]:
    def sweep() -> None:
        Write.objects.update(
            files_deleted_at=timezone.now(), **dict.fromkeys(Write.FILES, "")
        )

    return sweep


def test_what_was_swept_meanwhile_gets_no_rows(
    write: Write,
    swept: Callable[[], None],
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    end(first(write), "succeeded", "Batch write completed (4 succeeded, 0 failed)")
    really = join_rows.join

    def slow(*args: Any, **values: Any) -> Totals:
        totals = really(*args, **values)
        swept()
        return totals

    monkeypatch.setattr(join_rows, "join", slow)
    assert settle(write) is None
    assert write.rows_store.name == ""
    assert not list(tmp_path.rglob("*.rows.sqlite3"))
    assert Batch.objects.get().is_settled
