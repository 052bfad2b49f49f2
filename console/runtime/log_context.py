"""What a line of the log belongs to: the request or task that is worked on.

Signals end it (`console.apps`), and no middleware: Django logs the answer of a request
when it has passed all of them.
"""

from contextvars import ContextVar
from typing import Any

_NOTHING: dict[str, str] = {}
# Replaced, never changed.
_now: ContextVar[dict[str, str]] = ContextVar("log_context", default=_NOTHING)


def log_context() -> dict[str, str]:
    """Return what this thread works on, by name; empty where that is nothing."""
    return _now.get()


def begin_request(request_id: str) -> None:
    """Have what is logged from now on carry the id of a request."""
    _now.set({"request_id": request_id})


def begin_task(task_result: Any, **_: Any) -> None:
    """Have what is logged from now on carry a task: its door, its numbers, its id.

    A task is given numbers of rows and times, never what is in the rows.
    """
    given = ", ".join(map(str, task_result.args))
    named = {"task": f"{task_result.task.name}({given})", "task_id": task_result.id}
    _now.set({**_now.get(), **named})


def end(**_: Any) -> None:
    """Forget what was worked on; also before a request, which has no id yet."""
    _now.set(_NOTHING)
