"""What the worker is told to do. Each task is a door: one call, no logic."""

from django.tasks import task

from writes import sending


@task(queue_name="sending")
def send_operation(operation_id: int) -> None:
    """Send the request of an operation, if it still waits."""
    sending.send(operation_id)
