"""What the workers are told to do. Each task is a door: one call, no logic."""

from datetime import datetime

from django.tasks import task

from writes.worker import (
    import_operations,
    run_calls,
    run_job,
    send,
    send_notices,
    share_file,
    watch_calls,
)


@task(queue_name="sending")
def send_operation(operation_id: int) -> None:
    """Send the request of an operation, if it still waits."""
    send.send(operation_id)


@task(queue_name="sending")
def send_calls(operation_id: int) -> None:
    """Send the requests of a run, one after the other, as long as they may go."""
    run_calls.run(operation_id)


@task(queue_name="watching")
def watch_calls_accepted(call_ids: list[int], due_at: str) -> None:
    """Ask about those requests of runs that are still due at `due_at` (ISO 8601)."""
    watch_calls.watch(call_ids, datetime.fromisoformat(due_at))


@task(queue_name="watching")
def import_operations_of(group_id: int) -> None:
    """Follow the operations of a customer that other programs started."""
    import_operations.import_in_background(group_id)


@task(queue_name="watching")
def post_notices(notice_ids: list[int]) -> None:
    """Tell one webhook what is due of these notices."""
    send_notices.post(notice_ids)


@task(queue_name="watching")
def mail_notices(notice_ids: list[int]) -> None:
    """Send as e-mail what is due of these notices."""
    send_notices.send_mail(notice_ids)


@task(queue_name="files")
def work_on_file(job_id: int) -> None:
    """Check a file, join its rows or index them, if that is still wanted."""
    run_job.run(job_id)


@task(queue_name="files")
def delete_from_store(batch_id: int) -> None:
    """Take a file out of the store that nobody needs to fetch any more."""
    share_file.remove_from_store(batch_id)
