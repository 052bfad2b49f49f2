"""Work on files: what a worker does with a job, or a page where the file is small."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

from django.utils import timezone

from console.runtime import db_clock
from console.runtime.shutdown import holding
from console.runtime.trouble import MEMORY, Trouble, trouble_of
from files.mending.recipes import InvalidRecipe
from files.reading.apart import Killed
from files.remote.guard import NotLooked
from writes.models import FileJob, Write
from writes.worker import check_file, index_records, join_rows
from writes.worker.look_up import NotLookedUp
from writes.worker.progress import JobProgress, Progress, Stopped, TooLong

log = logging.getLogger(__name__)

State = FileJob.State

MOST_ATTEMPTS = 3
# What takes all memory once more harms whatever else runs beside it.
MOST_IN_NEED = 2

_WORK: dict[str, Callable[[Write, Progress], None]] = {
    FileJob.Kind.CHECK: check_file.check_file,
    FileJob.Kind.JOIN: join_rows.join_rows,
    FileJob.Kind.INDEX: index_records.index_records,
}

# What an end without success means for what was sent: a join comes after the sending.
_MEANS: dict[str, str] = {
    FileJob.Kind.CHECK: "Nothing was sent.",
    FileJob.Kind.JOIN: "What was sent is not affected: its counts are on its page.",
    FileJob.Kind.INDEX: "What was sent is not affected: no record finds it.",
}
_GONE: dict[str, str] = {
    FileJob.Kind.CHECK: "The stored file no longer exists. Upload it again.",
    FileJob.Kind.JOIN: "The stored file no longer exists, so its rows cannot be "
    "matched.",
    FileJob.Kind.INDEX: "The stored results of its rows no longer exist, so no record "
    "finds it.",
}

_KILLED = replace(
    MEMORY,
    text="The program that reads the workbook was ended by the system, perhaps for "
    "lack of memory.",
)


def run(job_id: int, seconds: float | None = None) -> None:
    """Do a job that waits; a second call finds nothing to do.

    After `seconds` of processor time, if any, the job waits again: for a worker.
    """
    job = _claim(job_id)
    if job is None:
        return
    try:
        with holding(partial(_hand_back, job)):
            _WORK[job.kind](job.write, JobProgress(job, seconds))
    except TooLong:
        _hand_back(job)
    except Stopped:
        newer = "Replaced by a newer one."
        # What was handed back meanwhile waits for another worker.
        _end(job, State.FAILED, newer, only_from=(State.RUNNING,))
    except FileNotFoundError as error:
        trouble = trouble_of(error)
        _end(job, State.FAILED, _told(job, trouble) if trouble else _GONE[job.kind])
    except (check_file.Refused, NotLookedUp, NotLooked) as error:
        _end(job, State.FAILED, f"{_MEANS[job.kind]} {error}")
    except InvalidRecipe as error:
        _end(job, State.FAILED, f"These changes do not fit the file. {error}")
    except Killed:
        log.exception("The child of file job %s was killed", job.pk)
        _try_again(job, _KILLED)
    except Exception as error:
        log.exception("File job %s went wrong", job.pk)
        _try_again(job, trouble_of(error))
    else:
        _end(job, State.DONE)


def _claim(job_id: int) -> FileJob | None:
    now = db_clock.now()
    job = FileJob.objects.select_related("write__integration__project").get(pk=job_id)
    is_abandoned = job.state == State.RUNNING and job.due_at and job.due_at <= now
    if job.state != State.WAITING and not is_abandoned:
        return None
    if job.attempts >= MOST_ATTEMPTS:
        words = f"It stopped {MOST_ATTEMPTS} times without finishing."
        _end(job, State.FAILED, f"{words} {_MEANS[job.kind]}")
        return None
    mine = FileJob.objects.filter(pk=job.pk, state=job.state, due_at=job.due_at)
    claimed = mine.update(
        state=State.RUNNING,
        due_at=now + FileJob.LEASE,
        attempts=job.attempts + 1,
        done_bytes=0,
        done_rows=0,
    )
    if not claimed:
        return None
    job.refresh_from_db(fields=["state", "due_at", "attempts"])
    return job


def _end(
    job: FileJob,
    state: str,
    problem: str = "",
    *,
    only_from: tuple[str, ...] = FileJob.OPEN,
) -> None:
    job.change(
        only_from=only_from,
        state=state,
        problem=problem,
        due_at=None,
        ended_at=timezone.now(),
    )


def _hand_back(job: FileJob) -> None:
    """Let another worker begin it anew, which does not count as a try."""
    mine = FileJob.objects.filter(pk=job.pk, state=State.RUNNING, attempts=job.attempts)
    mine.update(state=State.WAITING, due_at=db_clock.now(), attempts=job.attempts - 1)


def _told(job: FileJob, trouble: Trouble) -> str:
    """Say what an end by `trouble` means, why it came, and what to do."""
    return f"{_MEANS[job.kind]} {trouble.text} {trouble.remedy}"


def _try_again(job: FileJob, trouble: Trouble | None) -> None:
    is_in_need = trouble is not None and trouble.name == MEMORY.name
    if job.attempts >= (MOST_IN_NEED if is_in_need else MOST_ATTEMPTS):
        if trouble:
            _end(job, State.FAILED, _told(job, trouble))
            return
        words = "The console failed while it read the file."
        cause = "Its log has the cause."
        _end(job, State.FAILED, f"{words} {_MEANS[job.kind]} {cause}")
        return
    due_at = db_clock.now() + timedelta(seconds=2)
    job.change(only_from=(State.RUNNING,), state=State.WAITING, due_at=due_at)
