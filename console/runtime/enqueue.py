"""Giving a task to the queue without depending on it."""

import logging
from typing import Any

from django.tasks import Task

log = logging.getLogger(__name__)


def enqueue_safely(task: Task[Any, Any], *args: Any) -> None:
    """Enqueue `task` with `args`; log it where the queue does not take it.

    A task is only a hint that a row is due. The row stays due, so the clock enqueues
    it again: a lost task costs a few seconds, nothing else.
    """
    try:
        task.enqueue(*args)
    except Exception:
        log.exception("%s%r was not enqueued; the clock will try again", task, args)
