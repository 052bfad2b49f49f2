"""The steps of a process: every touch of the database and of the network.

A step is a moment before or after a statement, a commit, a connect, a write to the
socket or a read from it. They are counted, and at one of them something happens.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from django.db import connection
from httpcore._backends.anyio import AnyIOBackend, AnyIOStream

from ampersand import network

_WORDS = {"BEGIN", "SELECT", "INSERT", "UPDATE", "DELETE"}


class Step(NamedTuple):
    """One step: what is touched, whether this is before or after, and the exact SQL."""

    what: str
    when: str
    sql: str = ""

    @property
    def kind(self) -> "Step":
        """The step without its SQL, for tables."""
        return Step(self.what, self.when)


class Steps:
    """Counts the steps of this process and calls `at_step` with each, from 1 on."""

    def __init__(self, at_step: Callable[[int, Step], None]) -> None:
        self.taken = 0
        self._at_step = at_step

    def take(self, step: Step) -> None:
        """Count one step, and let happen what is to happen at it."""
        self.taken += 1
        self._at_step(self.taken, step)

    def around(
        self, what: str, call: Callable[..., Any], sql: str = ""
    ) -> Callable[..., Any]:
        """Return `call` with a step before and one after."""

        def stepping(*args: Any, **values: Any) -> Any:
            self.take(Step(what, "before", sql))
            result = call(*args, **values)
            self.take(Step(what, "after", sql))
            return result

        return stepping

    def around_async(self, what: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return the coroutine function `call` with a step before and one after."""

        async def stepping(*args: Any, **values: Any) -> Any:
            self.take(Step(what, "before"))
            result = await call(*args, **values)
            self.take(Step(what, "after"))
            return result

        return stepping


def count_steps(steps: Steps) -> None:
    """Have everything that this process does from now on counted in `steps`."""
    _count_statements(steps)
    for around, backend, stream in (
        (steps.around, network._Backend, network._Stream),
        (steps.around_async, AnyIOBackend, AnyIOStream),
    ):
        backend.connect_tcp = around("connect", backend.connect_tcp)
        stream.write = around("write to socket", stream.write)
        stream.read = around("read from socket", stream.read)


def _count_statements(steps: Steps) -> None:
    def run(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        word = str(sql).split(maxsplit=1)[0].upper()
        # The names of savepoints are other ones each time.
        what, text = (word, str(sql)) if word in _WORDS else ("savepoint", word)
        return steps.around(what, execute, text)(sql, params, many, context)

    connection.execute_wrappers.append(run)
    wrapped = {"COMMIT": "_commit", "ROLLBACK": "_rollback"}
    if connection.vendor == "postgresql":
        # There a transaction begins with the first statement after this.
        wrapped["BEGIN"] = "_set_autocommit"
    for what, name in wrapped.items():
        setattr(connection, name, steps.around(what, getattr(connection, name)))
