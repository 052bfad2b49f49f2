"""Work on files: at once or by the worker, and taken over when a worker dies."""

import errno
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.db import IntegrityError, OperationalError, connection, transaction
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.models import Integration
from console.runtime import trouble
from files.reading.apart import Killed
from sandbox.app import Sandbox
from tests.answers import Shown
from tests.writes.making import confirm, make_draft, work_off
from writes import dispatch, tasks
from writes.actions import begin_job
from writes.models import FileJob, Write
from writes.storage import stored
from writes.worker import check_file, join_rows, run_job
from writes.worker import progress as job_progress
from writes.worker.progress import JobProgress, Progress, Stopped

State = FileJob.State
CHECK = FileJob.Kind.CHECK
JOIN = FileJob.Kind.JOIN
LARGE = begin_job.SMALL + 1

pytestmark = pytest.mark.django_db


@pytest.fixture
def write(integration: Integration, olga: User) -> Write:
    """A draft of a file that was checked."""
    return make_draft(integration, olga, csv=b"id,a\r\n1,x\r\n", primary_key="id")


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], list[int]]:
    """A function that has something else done in place of a check."""

    def does(what: Callable[[Write, Progress], None]) -> list[int]:
        done: list[int] = []

        def run(write: Write, progress: Progress) -> None:
            done.append(write.pk)
            what(write, progress)

        for kind in FileJob.Kind.values:
            monkeypatch.setitem(run_job._WORK, kind, run)
        return done

    return does


def nothing(write: Write, progress: Progress) -> None:
    return None


def broken(write: Write, progress: Progress) -> None:
    raise ZeroDivisionError


def killed(write: Write, progress: Progress) -> None:
    """Vanish as a process does: nothing is written any more."""
    raise SystemExit


def test_a_small_file_is_done_when_the_page_comes(write: Write) -> None:
    job = begin_job.begin(write, CHECK, size=begin_job.SMALL)
    assert (job.state, job.attempts, job.due_at) == (State.DONE, 1, None)
    assert job.ended_at is not None


def test_a_large_file_waits_for_the_worker(
    write: Write,
    work: Any,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    done = work(nothing)
    nudged: list[int] = []
    monkeypatch.setattr(dispatch, "enqueue_job", nudged.append)
    with django_capture_on_commit_callbacks(execute=True):
        job = begin_job.begin(write, CHECK, size=LARGE)
    assert (job.state, nudged, done) == (State.WAITING, [job.pk], [])
    tasks.work_on_file.func(job.pk)
    job.refresh_from_db()
    assert (job.state, done) == (State.DONE, [write.pk])


def test_a_job_is_done_once(write: Write, work: Any) -> None:
    done = work(nothing)
    job = begin_job.begin(write, CHECK, size=LARGE)
    for _ in range(3):
        run_job.run(job.pk)
    assert done == [write.pk]


def test_a_newer_job_takes_the_place_of_an_older_one(write: Write, work: Any) -> None:
    stopped: list[Exception] = []

    def slow(write: Write, progress: Progress) -> None:
        begin_job.begin(write, CHECK, size=LARGE)
        try:
            progress.step("Checking", 10)
        except Stopped as error:
            stopped.append(error)
            raise

    work(slow)
    older = begin_job.begin(write, CHECK, size=0)
    assert len(stopped) == 1
    assert (older.state, older.due_at) == (State.FAILED, None)
    assert "newer" in older.problem
    newer = FileJob.objects.order_by("-pk")[0]
    assert newer.state == State.WAITING


def test_only_one_job_of_a_kind_can_be_open(write: Write) -> None:
    begin_job.begin(write, CHECK, size=LARGE)
    with pytest.raises(IntegrityError), transaction.atomic():
        FileJob.objects.create(write=write, kind=CHECK, edition=1)


def test_a_check_of_a_draft_that_was_changed_meanwhile_keeps_nothing(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    really = check_file._work_out

    def changed(*args: Any) -> dict[str, Any]:
        values = really(*args)
        Write.objects.update(edition=7, is_ready=False)
        return values

    monkeypatch.setattr(check_file, "_work_out", changed)
    job = begin_job.begin(write, CHECK, size=0)
    write.refresh_from_db()
    assert (write.is_ready, write.edition) == (False, 7)
    assert job.state == State.FAILED
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_killed_worker_is_taken_over(write: Write, work: Any) -> None:
    work(killed)
    job = begin_job.begin(write, CHECK, size=LARGE)
    with pytest.raises(SystemExit):
        run_job.run(job.pk)
    job.refresh_from_db()
    assert job.state == State.RUNNING
    done = work(nothing)
    run_job.run(job.pk)
    assert done == []
    assert dispatch.enqueue_due_jobs(timezone.now()) == 0
    FileJob.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    assert dispatch.enqueue_due_jobs(timezone.now()) == 1
    run_job.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempts, done) == (State.DONE, 2, [write.pk])


def test_a_worker_that_lives_keeps_its_lease(write: Write, work: Any) -> None:
    def slow(write: Write, progress: Progress) -> None:
        FileJob.objects.update(due_at=timezone.now() - timedelta(seconds=1))
        progress.step("Checking", 10)
        assert dispatch.enqueue_due_jobs(timezone.now()) == 0

    work(slow)
    assert begin_job.begin(write, CHECK, size=0).state == State.DONE


def test_a_lost_nudge_is_given_again(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = begin_job.begin(write, CHECK, size=LARGE)
    nudged: list[int] = []
    monkeypatch.setattr(dispatch, "enqueue_job", nudged.append)
    later = timezone.now() + dispatch.REPEAT_JOB_AFTER + timedelta(seconds=1)
    for _ in range(2):
        dispatch.enqueue_due_jobs(later)
    assert nudged == [job.pk]


@pytest.mark.parametrize("fault", [broken, killed])
def test_after_three_attempts_it_is_given_up(
    fault: Any, write: Write, work: Any
) -> None:
    done = work(fault)
    job = begin_job.begin(write, CHECK, size=LARGE)
    for _ in range(9):
        FileJob.objects.filter(state__in=FileJob.OPEN).update(due_at=timezone.now())
        try:
            run_job.run(job.pk)
        except SystemExit:
            pass
    job.refresh_from_db()
    assert (job.state, job.due_at, len(done)) == (State.FAILED, None, 3)
    # That it says so is what keeps people from looking for what was written.
    assert "Nothing was sent" in job.problem


def test_a_check_that_was_given_up_can_be_tried_again(
    write: Write, work: Any, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = f"/writes/{write.pk}/file/"
    with monkeypatch.context() as patch:
        patch.setitem(run_job._WORK, CHECK, broken)
        browser.post(page, {"do": "check"})
        for job in FileJob.objects.filter(state__in=FileJob.OPEN):
            for _ in range(3):
                run_job.run(job.pk)
    answer = browser.get(page)
    assert "unchecked-heading" in Shown(answer).ids
    browser.post(page, {"do": "check"})
    write.refresh_from_db()
    assert write.is_ready


@pytest.mark.parametrize("fault", [broken, killed])
def test_a_join_that_was_given_up_does_not_say_that_nothing_was_sent(
    fault: Any, write: Write, work: Any
) -> None:
    work(fault)
    job = begin_job.begin(write, JOIN, size=LARGE)
    for _ in range(4):
        FileJob.objects.filter(state__in=FileJob.OPEN).update(due_at=timezone.now())
        try:
            run_job.run(job.pk)
        except SystemExit:
            pass
    job.refresh_from_db()
    assert job.state == State.FAILED
    assert job.problem
    # It would be a lie: rows are joined after they were sent.
    assert "Nothing was sent" not in job.problem


@pytest.mark.parametrize("kind", [CHECK, JOIN])
@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), trouble.FULL),
        (OSError(errno.EROFS, "Read-only file system"), trouble.READ_ONLY),
        (OperationalError("the connection is lost"), trouble.AWAY),
        (MemoryError(), trouble.MEMORY),
    ],
)
def test_what_kept_it_from_ending_is_told(
    error: Exception, told: trouble.Trouble, kind: str, write: Write, work: Any
) -> None:
    def fails(write: Write, progress: Progress) -> None:
        raise error

    work(fails)
    job = begin_job.begin(write, kind, size=LARGE)
    for _ in range(3):
        run_job.run(job.pk)
    job.refresh_from_db()
    assert job.state == State.FAILED
    assert told.text in job.problem
    assert told.remedy in job.problem
    assert ("Nothing was sent" in job.problem) == (kind == CHECK)


@pytest.mark.parametrize(
    "error", [MemoryError(), OSError(errno.ENOMEM, ""), Killed(), RuntimeError()]
)
def test_what_wants_memory_is_not_tried_three_times(
    error: Exception, write: Write, work: Any
) -> None:
    def fails(write: Write, progress: Progress) -> None:
        raise error

    done = work(fails)
    job = begin_job.begin(write, CHECK, size=LARGE)
    for _ in range(4):
        run_job.run(job.pk)
    job.refresh_from_db()
    assert job.state == State.FAILED
    assert len(done) == job.attempts == (3 if type(error) is RuntimeError else 2)


def test_a_file_that_is_not_mounted_is_not_called_gone(
    write: Write, settings: Any, tmp_path: Path
) -> None:
    """Who uploads again what is only out of sight has it twice afterwards."""
    settings.DATA_DIR = tmp_path / "unmounted"
    write.path_of("original").unlink()
    job = begin_job.begin(write, CHECK, size=0)
    assert job.state == State.FAILED
    assert trouble.MISSING.text in job.problem
    assert "Upload it again" not in job.problem


@pytest.mark.parametrize("kind", [CHECK, JOIN])
def test_a_file_that_is_gone_is_told(kind: str, write: Write) -> None:
    for path in {write.path_of("original"), write.path_of("as_sent")}:
        path.unlink()
    job = begin_job.begin(write, kind, size=0)
    assert (job.state, job.attempts) == (State.FAILED, 1)
    assert "no longer exists" in job.problem
    # Who uploads again what was sent may send it twice.
    assert ("Upload it again" in job.problem) == (kind == CHECK)


def test_a_draft_whose_file_is_gone_tells_so_on_its_page(
    write: Write, browser: Browser
) -> None:
    write.path_of("original").unlink()
    page = f"/writes/{write.pk}/file/"
    assert browser.get(page).status_code == 200
    answer = browser.post(page, {"do": "check"}, follow=True)
    assert answer.status_code == 200
    job = write.jobs.latest("pk")
    assert job.state == State.FAILED
    assert job.problem in answer.text


def test_a_draft_that_nobody_began_to_check_can_be_checked(
    write: Write, browser: Browser
) -> None:
    """The process ended between the change and the job."""
    Write.objects.update(edition=write.edition + 1, is_ready=False)
    answer = browser.get(f"/writes/{write.pk}/file/")
    assert "unchecked-heading" in Shown(answer).ids
    browser.post(f"/writes/{write.pk}/file/", {"do": "check"})
    write.refresh_from_db()
    assert write.is_ready


def test_the_page_follows_a_check_and_is_loaded_anew_at_its_end(
    write: Write, browser: Browser
) -> None:
    job = begin_job.begin(write, CHECK, size=LARGE)
    FileJob.objects.filter(pk=job.pk).update(
        step="Checking", done_bytes=LARGE // 2, done_rows=1234, state=State.RUNNING
    )
    content = browser.get(f"/writes/{write.pk}/file/").content.decode()
    fragment = browser.get(f"/writes/{write.pk}/file/work/").content.decode()
    for text in (content, fragment):
        assert "Checking" in text
        assert "1,234" in text
        assert 'value="49"' in text or 'value="50"' in text
    assert "<html" not in fragment
    seen = re.findall(r"work/\?seen=(\w+)", fragment)[0]
    work = f"/writes/{write.pk}/file/work/?seen={seen}"
    assert browser.get(work).status_code == 204
    FileJob.objects.filter(pk=job.pk).update(done_rows=1235)
    assert "1,235" in browser.get(work).content.decode()
    FileJob.objects.filter(pk=job.pk).update(state=State.DONE, due_at=None)
    answer = browser.get(f"/writes/{write.pk}/file/work/")
    assert (answer.status_code, answer["HX-Refresh"]) == (204, "true")


def test_progress_is_written_rarely_however_often_it_is_told(write: Write) -> None:
    job = begin_job.begin(write, CHECK, size=LARGE)
    FileJob.objects.filter(pk=job.pk).update(state=State.RUNNING)
    progress = JobProgress(job)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        progress.step("Checking", LARGE)
        for number in range(10_000):
            progress(number, number)
    assert len(queries) < 10
    job.refresh_from_db()
    assert job.step == "Checking"


def test_progress_is_written_again_after_a_while(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = begin_job.begin(write, CHECK, size=LARGE)
    FileJob.objects.filter(pk=job.pk).update(state=State.RUNNING)
    now = [0.0]
    monkeypatch.setattr(job_progress.time, "monotonic", lambda: now[0])
    progress = JobProgress(job)
    progress.step("Checking", 100)
    progress(10, 1)
    now[0] += job_progress.EVERY
    progress(20, 2)
    job.refresh_from_db()
    assert (job.done_bytes, job.done_rows, job.percent) == (20, 2, 20)


def test_the_queries_of_a_check_do_not_grow_with_the_file(
    integration: Integration, olga: User
) -> None:
    def queries(rows: int) -> int:
        data = b"id,a\r\n" + b"".join(b"%d,\r\n" % number for number in range(rows))
        write = make_draft(integration, olga, csv=b"id\n1\n", primary_key="id")
        original = stored(ContentFile(data), "original")
        write.change(
            only_from="draft",
            original=original,
            inspection={},
            edition=write.edition + 1,
        )
        with CaptureQueriesContext(connection) as captured:
            begin_job.begin(write, CHECK, size=0)
        return len(captured)

    assert queries(20_000) <= queries(10) + 3


def test_the_queries_of_a_join_do_not_grow_with_the_rows(
    sandbox: Sandbox, integration: Integration, olga: User
) -> None:
    def queries(rows: int) -> int:
        lines = b"".join(b"k-%d,Berg\n" % number for number in range(rows))
        data = b"external_id__c,LastName\n" + lines
        write = make_draft(integration, olga, csv=data, primary_key="external_id__c")
        confirm(write, olga)
        work_off()
        write.refresh_from_db()
        with CaptureQueriesContext(connection) as captured:
            join_rows.join_rows(write, JobProgress(_running(write)))
        return len(captured)

    few = queries(3)
    assert queries(2_000) <= few + 3


def _running(write: Write) -> FileJob:
    return FileJob.objects.create(
        write=write, kind=JOIN, edition=write.edition, state=State.RUNNING
    )
