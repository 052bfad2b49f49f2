"""Every POST that any test makes is looked at: what changes something leaves an event.

docs/audit.md says which events each address leaves, or why it leaves none. A POST that
changes rows without one of them fails its test, whatever that is about.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.client import ClientHandler

DOCS = Path(__file__).resolve().parents[1] / "docs" / "audit.md"
EVENTS = "console_auditevent"
# Of an environment a row is made when somebody first asks, with what holds anyway.
SETTINGS = "console_environmentcontrol"
# Rows that are no act of a person: sessions, tries, queues, and who is alive.
NO_ACTS = {
    *("django_session", "console_session", "console_signinattempt"),
    *("console_heartbeat", "console_pulse", "operations_gate"),
    *("django_tasks_database_dbtaskresult", EVENTS),
}
# A session that is over is met by whatever is asked for next.
MET = {"user.signed_out"}
_CHANGE = re.compile(r'\s*(INSERT INTO|UPDATE|DELETE FROM)\s+"?(\w+)"?', re.IGNORECASE)
_SAVEPOINT = re.compile(r"(ROLLBACK TO )?SAVEPOINT (\S+)")


def rows() -> dict[str, set[str]]:
    """Return the events that each address leaves; none where a reason stands."""
    text, _, _ = DOCS.read_text().partition("## What the console does")
    found = re.findall(r"^\| `([\w:*]+)` \| (.*) \|$", text, re.MULTILINE)
    return {
        name: set() if told.startswith("–") else set(re.findall(r"`([\w.]+)`", told))
        for name, told in found
    }


def address_of(response: Any) -> str:
    """Return the name of the address that answered."""
    match = response.wsgi_request.resolver_match
    return match.view_name if match else ""


class Watch:
    """What the statements of one request changed, and which events they added."""

    def __init__(self) -> None:
        self.changed: set[str] = set()
        self.told: set[str] = set()
        # What was changed and told when each savepoint began.
        self._kept: dict[str, tuple[set[str], set[str]]] = {}

    def __call__(
        self, execute: Any, sql: Any, params: Any, many: bool, context: Any
    ) -> Any:
        result = execute(sql, params, many, context)
        if savepoint := _SAVEPOINT.fullmatch(str(sql)):
            self._follow(*savepoint.groups())
        found = _CHANGE.match(str(sql))
        # SQLite does not count what is inserted before its key is fetched.
        is_insert = found and found[1].upper().startswith("INSERT")
        if found and (is_insert or context["cursor"].rowcount):
            table = found[2].lower()
            if self._is_off or (is_insert and table == SETTINGS):
                return result
            if table == EVENTS:
                self.told |= {str(value) for value in params or ()}
            elif table not in NO_ACTS:
                self.changed.add(table)
        return result

    _is_off = False

    @classmethod
    @contextmanager
    def off(cls) -> Iterator[None]:
        """Do not look: what a test lets others do in the middle of a request."""
        cls._is_off = True
        try:
            yield
        finally:
            cls._is_off = False

    def _follow(self, rolls_back: str | None, name: str) -> None:
        """Forget what was taken back to a savepoint."""
        if rolls_back:
            changed, told = self._kept.get(name, (set(), set()))
            self.changed, self.told = set(changed), set(told)
        else:
            self._kept[name] = (set(self.changed), set(self.told))


def check(response: Any, watch: Watch) -> None:
    """Fail where a POST that went well changed something and told of it nowhere."""
    name = address_of(response)
    if response.status_code >= 400 or not name:
        return
    known = rows()
    if name not in known:
        assert not watch.changed, f"{name} has no row in docs/audit.md"
        return
    told = watch.told & set().union(*known.values())
    if path := os.environ.get("AUDIT_SEEN"):
        # For a person who wants to know what a run of tests has shown.
        with Path(path).open("a") as seen:
            seen.writelines(f"{name} {action}\n" for action in sorted(told) or ["–"])
    if not known[name]:
        return
    strange = told - known[name] - MET
    assert not strange, f"docs/audit.md does not say that {name} leaves {strange}"
    assert told or not watch.changed, f"{name} changed {watch.changed} without an event"


@contextmanager
def watching() -> Iterator[None]:
    """Look at each POST of the test client while this lasts."""
    answer = ClientHandler.__call__

    def watched(handler: ClientHandler, environ: dict[str, Any]) -> Any:
        if environ["REQUEST_METHOD"] != "POST":
            return answer(handler, environ)
        watch = Watch()
        with connection.execute_wrapper(watch):
            response = answer(handler, environ)
        check(response, watch)
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ClientHandler, "__call__", watched)
        yield
