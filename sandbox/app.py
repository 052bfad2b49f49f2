"""The sandbox as a WSGI application."""

import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from sandbox import (
    arrivals,
    faults,
    hubspot,
    inspection,
    installations,
    schema,
    search,
    uploads,
)
from sandbox.bulk import Bulk
from sandbox.catalog import (
    PROJECTS,
    READ_KEY,
    WRITE_KEY,
    Integration,
    Project,
    check_group,
    check_object,
    find_integration,
    find_project,
)
from sandbox.fetching import fetch as fetch_over_http
from sandbox.metadata import metadata
from sandbox.notifying import Notifier
from sandbox.operations import Operations
from sandbox.providers import provider
from sandbox.store import Store
from sandbox.traffic import Traffic
from sandbox.web import (
    Problem,
    Refusal,
    Request,
    Response,
    answer,
    not_allowed,
)
from sandbox.writes import BULK_SUFFIX, Target, UpdateStyle, Writes
from sandbox.writes_b import WritesB
from sandbox.writes_c import WritesC

WRITING = ("POST", "PUT", "PATCH", "DELETE")

DEFAULT_BULK_SECONDS = 2.0
"""How long a bulk write is in_progress."""


class Sandbox:
    """A local Ampersand: both its hosts on one address, plus pages to look inside.

    `state_file` keeps everything across restarts; without it memory is used. `clock`
    tells seconds since the epoch. A bulk write is in_progress for `bulk_seconds`.
    `fetch` gets the text of a recordsURL or raises FetchError.

    Operations that are due are worked off by whatever request comes next, so that a
    test with its own clock needs neither threads nor sleep. With `background=True`
    every operation has a thread of its own instead, as behind a real server.

    Faults of the connection come as exceptions of the call, `faults.Hang` (a
    TimeoutError) and `faults.Reset` (a ConnectionResetError); the server acts on them.
    """

    def __init__(
        self,
        state_file: Path | str | None = None,
        *,
        clock: Callable[[], float] = time.time,
        bulk_seconds: float = DEFAULT_BULK_SECONDS,
        update_style: UpdateStyle = "patch",
        fetch: Callable[[str], str] = fetch_over_http,
        background: bool = False,
    ) -> None:
        self._clock = clock
        self._background = background
        self._spawned: set[str] = set()
        self._store = Store(state_file)
        self._operations = Operations(self._store)
        self._traffic = Traffic()
        # Without threads a job runs within a request, and would wait for itself.
        let_pass = self._traffic.let_pass if background else lambda: None
        self._bulk = Bulk(self._store, self._operations, fetch, let_pass)
        writes = Writes(
            self._store,
            self._operations,
            update_style=update_style,
            bulk_seconds=bulk_seconds,
        )
        self._writes_c = WritesC(
            self._store, self._operations, bulk_seconds=bulk_seconds
        )
        self._by_generation: dict[str, Writes | WritesB | WritesC] = {
            "A": writes,
            "B": WritesB(self._store, self._operations, bulk_seconds=bulk_seconds),
            "C": self._writes_c,
        }
        self.notifier = Notifier()
        with self._store.transaction():
            self._operations.seed(clock())
        if background:
            self._spawn_unfinished()

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        request = Request(environ, self._clock())
        with self._traffic.passing():
            try:
                response = self._respond(request)
            except Refusal as refusal:
                response = refusal.response(request)
        start_response(response.status_line, response.all_headers)
        return [b"" if request.method == "HEAD" else response.body]

    def _respond(self, request: Request) -> Response:
        if not self._background:
            self._settle()
        match request.path.removeprefix("/").split("/"):
            case [""]:
                return inspection.home()
            case ["sandbox", "reset"]:
                return self._reset(request)
            case ["sandbox", "plan"]:
                return self._plan(request)
            case ["sandbox", "notify"]:
                return self._notify(request)
            case ["sandbox", "end"]:
                return self._end(request)
            case ["sandbox", *parts]:
                return inspection.page(self._store, request, parts)
            case [uploads.PATH, token]:
                return uploads.take(self._store, request, token)
            case ["v1", *parts]:
                return self._api(request, parts)
        raise Problem(404, "The requested resource does not exist.")

    def _api(self, request: Request, parts: list[str]) -> Response:
        if not _writes(request, parts):
            return self._answer(request, parts)
        arrivals.record(self._store, request)
        status = None
        try:
            response = self._answer(request, parts)
            status = response.status
        except Refusal as refusal:
            status = refusal.response(request).status
            raise
        finally:
            arrivals.end(self._store, request, status)
        return response

    def _answer(self, request: Request, parts: list[str]) -> Response:
        _authenticate(request, writes=_writes(request, parts))
        match parts:
            case ["projects", project, "integrations", name] if (
                request.method == "POST" and find_project(project).generation == "C"
            ):
                integration = find_integration(find_project(project), name)
                faults.before(request.fault)
                told = search.search(self._store, request, integration)
                return faults.after(request.fault, told)
            case [*_, "objects", _, "metadata"] if request.method == "GET":
                pass
            case ["projects", project, "integrations", name, "objects", *rest] if rest:
                found = find_project(project)
                integration = find_integration(found, name)
                writes = self._by_generation[found.generation]
                return self._write(request, writes, integration, rest)
        if request.method != "GET":
            raise not_allowed("GET")
        faults.before(request.fault)
        return faults.after(request.fault, answer(self._read(request, parts)))

    def _write(
        self,
        request: Request,
        writes: Writes | WritesB | WritesC,
        integration: Integration,
        rest: list[str],
    ) -> Response:
        name, *below = rest
        if len(below) > 1:
            raise Problem(404, "The requested resource does not exist.")
        is_bulk = name.endswith(BULK_SUFFIX) and not below
        name = name.removesuffix(BULK_SUFFIX) if is_bulk else name
        own_fault = faults.named(name) if name in integration.objects else ""
        fault = request.fault or own_fault
        target = Target(integration, name, is_bulk, "".join(below), fault)
        faults.before(fault)
        faults.at_first(fault, arrivals.times_received(self._store, request))
        response = writes.handle(request, target)
        request.worked = response.status < 300
        if self._background:
            self._spawn_unfinished()
        return faults.after(fault, response)

    def _read(self, request: Request, parts: list[str]) -> Any:
        match parts:
            case ["providers", name]:
                return provider(name)
            case ["generate-upload-url"]:
                return uploads.offer(self._store, request)
            case ["projects"]:
                return [project.as_json() for project in PROJECTS]
            case ["projects", name]:
                return find_project(name).as_json()
            case ["projects", name, "integrations"]:
                return [each.as_json() for each in find_project(name).integrations]
            case ["projects", name, "integrations", integration]:
                return find_integration(find_project(name), integration).as_json()
            case ["projects", name, "integrations", one, *below]:
                project = find_project(name)
                found = find_integration(project, one)
                return self._read_of(request, project, found, below)
            case ["projects", name, "operations", operation]:
                return self._operations.show(find_project(name), operation)
            case ["projects", name, "operations", operation, "logs"]:
                project = find_project(name)
                return self._operations.logs(project, operation, request.time)
        raise Problem(404, "The requested resource does not exist.")

    def _read_of(
        self,
        request: Request,
        project: Project,
        integration: Integration,
        below: list[str],
    ) -> Any:
        """What is asked of an integration."""
        asked = request.parameters
        match below:
            case ["installations"]:
                return installations.of_integration(
                    *(self._store, project, integration),
                    group_ref=asked.get("groupRef", ""),
                )
            case ["installations", installation, "operations"]:
                return self._operations.of_installation(
                    integration, installation, asked
                )
            case ["objects", name, "metadata"]:
                return _metadata(request, integration, name)
        raise Problem(404, "The requested resource does not exist.")

    def _plan(self, request: Request) -> Response:
        if request.method != "POST":
            raise not_allowed("POST")
        return arrivals.plan(self._store, request)

    def _notify(self, request: Request) -> Response:
        """Have notifications sent to an address from now on, or to none."""
        if request.method != "POST":
            raise not_allowed("POST")
        asked = request.json()
        self.notifier.url = str(asked.get("url", ""))
        self.notifier.secret = str(asked.get("secret", ""))
        return answer({"url": self.notifier.url})

    def _end(self, request: Request) -> Response:
        if request.method != "POST":
            raise not_allowed("POST")
        self._operations.end_endless(str(request.json().get("operation")), request.time)
        if self._background:
            self._spawn_unfinished()
        return answer({"ending": True})

    def _reset(self, request: Request) -> Response:
        if request.method != "POST":
            raise not_allowed("POST")
        with self._store.transaction():
            self._store.clear()
            self._operations.seed(request.time)
        return answer({"reset": True})

    def _settle(self) -> None:
        """Work off every operation that is due."""
        with self._store.lock:
            for row in self._operations.running(until=self._clock()):
                self._prepare(row["id"])
                self._run(row["id"])

    def _spawn_unfinished(self) -> None:
        """Give a thread to every operation that has none and will end."""
        with self._store.lock:
            for row in self._operations.running(until=sys.float_info.max):
                if row["id"] in self._spawned:
                    continue
                self._spawned.add(row["id"])
                work = (row["id"], row["due"])
                threading.Thread(target=self._work, args=work, daemon=True).start()

    def _work(self, operation: str, due: float) -> None:
        self._prepare(operation)
        time.sleep(max(0.0, due - self._clock()))
        self._run(operation)

    def _prepare(self, operation: str) -> None:
        if not self._writes_c.is_waiting(operation):
            self._bulk.prepare(operation)

    def _run(self, operation: str) -> None:
        if self._writes_c.is_waiting(operation):
            ended = self._writes_c.finish(operation)
            if ended is not None:
                self.notifier.tell(ended, self._operations.written(operation))
        else:
            self._bulk.run(operation)

    def close(self) -> None:
        """Close the state; what is unfinished goes on with the next start."""
        self._store.close()


def _metadata(request: Request, integration: Integration, name: str) -> Any:
    check_group(request.parameters.get("groupRef", ""))
    check_object(integration, name)
    if integration.content["provider"] == "hubspot":
        return hubspot.metadata(name)
    sobject = schema.find(name)
    if sobject is None:
        raise Problem(404, f"Unable to find object: {name}")
    return metadata(name, sobject)


def _writes(request: Request, parts: list[str]) -> bool:
    """Whether a request is one that writes; a search is asked with a POST, too."""
    match parts:
        case ["projects", _, "integrations", _]:
            return request.method in WRITING and request.method != "POST"
    return request.method in WRITING


def _authenticate(request: Request, *, writes: bool) -> None:
    if request.key not in (WRITE_KEY, READ_KEY):
        raise Problem(
            401,
            "The API key is missing or not valid.",
            remedy="Send a valid key in the X-Api-Key header.",
        )
    if request.key == READ_KEY and writes:
        raise Problem(
            403,
            "The API key is not allowed to write.",
            remedy="Use a key with the scope 'full'.",
        )
