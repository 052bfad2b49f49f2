"""Work on files: at once where it is small, else by a worker, and never lost.

The row of a job holds the truth, a task only tells that it is due. A worker that was
killed leaves a job that is due, and the clock gives it out again.
"""

from functools import partial

from django.db import transaction
from django.utils import timezone

from console.runtime import db_clock
from files.reading.kinds import is_archive
from writes import dispatch
from writes.models import FileJob, Write
from writes.worker import run_job

# Up to this size, in bytes, a file is checked while the page waits.
SMALL = 2 * 1024 * 1024
# A page waits for so many seconds of processor time; a worker begins anew after them.
PATIENCE = 2.0


def begin(write: Write, kind: str, *, size: int, wait: bool = True) -> FileJob:
    """Have the file of `write`, `size` bytes long, worked on; return the job.

    One that is open for the same write is not wanted any more and stops by itself.
    With `wait`, small files are done when this returns, unless they are much work.
    Workbooks never are: so many at once could be uploaded that reading them took all
    memory, whereas as many are read at once as there are workers.
    """
    at_once = wait and size <= SMALL and not _is_workbook(write)
    with transaction.atomic():
        # Of two at the same moment the second waits, and takes the place of the first.
        Write.objects.select_for_update().get(pk=write.pk)
        FileJob.objects.filter(write=write, kind=kind, state__in=FileJob.OPEN).update(
            state=FileJob.State.FAILED,
            due_at=None,
            ended_at=timezone.now(),
            problem="Replaced by a newer one.",
        )
        job = FileJob.objects.create(
            write=write,
            kind=kind,
            edition=write.edition,
            total_bytes=size,
            due_at=db_clock.now() + dispatch.REPEAT_JOB_AFTER,
        )
        if not at_once:
            transaction.on_commit(partial(dispatch.enqueue_job, job.pk))
    if at_once:
        run_job.run(job.pk, PATIENCE)
        job.refresh_from_db()
        # What went wrong is due later, and the clock finds it.
        if job.due_at is not None and job.due_at <= db_clock.now():
            dispatch.enqueue_job(job.pk)
    return job


def _is_workbook(write: Write) -> bool:
    """Tell whether the file of `write` is read by a process of its own, or may be."""
    try:
        return is_archive(write.path_of("original"))
    except OSError:
        # The job tells what is the matter with it.
        return False
