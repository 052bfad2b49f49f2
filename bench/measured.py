"""Run a command of manage.py, and tell in a file what it cost when it ends.

`measured.py FILE COMMAND [ARGUMENT…]`. The file gets JSON: the seconds spent waiting
for the database, the number of queries, and the seconds of processor time.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import running  # noqa: F401 - makes the packages importable


class Meter:
    """Counts what a connection does, and how long it takes."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.queries = 0

    def query(
        self,
        execute: Callable[..., Any],
        sql: str,
        params: Any,
        many: bool,  # noqa: FBT001 - Django's own signature
        context: dict[str, Any],
    ) -> Any:
        """Time one query, as Django's `execute_wrapper` hands it over."""
        self.queries += 1
        return self.timed(execute)(sql, params, many, context)

    def timed(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return `call` with its time added up."""

        def measured(*args: Any) -> Any:
            start = time.perf_counter()
            try:
                return call(*args)
            finally:
                self.seconds += time.perf_counter() - start

        return measured


def main() -> None:
    """Run the command in this process."""
    file, *command = sys.argv[1:]
    import django
    from django.core.management import execute_from_command_line
    from django.db import connection

    django.setup()
    meter = Meter()
    connection.execute_wrappers.append(meter.query)
    # A commit is no query for Django, yet it is what waits for the disk.
    connection._commit = meter.timed(connection._commit)  # type: ignore[method-assign]  # noqa: SLF001
    try:
        execute_from_command_line(["manage.py", *command])
    finally:
        cost = {
            "seconds": meter.seconds,
            "queries": meter.queries,
            "processor": time.process_time(),
        }
        Path(file).write_text(json.dumps(cost))


if __name__ == "__main__":
    main()
