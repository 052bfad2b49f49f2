"""What the sandbox's tests share: a clock to turn, and a client in the process."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from sandbox.app import Sandbox
from tests.sandbox.contract import Validating

ROOT = Path(__file__).parents[2]
KEY = {"X-Api-Key": "SANDBOX-KEY"}
GROUP = "demo-group-id"
# Seconds that nothing takes, however busy the machine is.
LONGEST = 120
OBJECTS = "/v1/projects/demo/integrations/salesforce/objects"


class Clock:
    """Seconds since the epoch, turned by hand."""

    def __init__(self) -> None:
        self.now = 1_710_000_000.0

    def __call__(self) -> float:
        return self.now


class Console:
    """A client of a sandbox in this process."""

    def __init__(self, **options: Any) -> None:
        self.clock = Clock()
        self.sandbox = Sandbox(**{"clock": self.clock, **options})
        self.http = httpx.Client(
            transport=Validating(httpx.WSGITransport(app=self.sandbox)),
            base_url="http://sandbox",
            headers=KEY,
        )

    def create(self, name: str, group: str = GROUP, **record: Any) -> httpx.Response:
        body = {"groupRef": group, "record": record}
        return self.http.post(f"{OBJECTS}/{name}", json=body)

    def update(self, name: str, **record: Any) -> httpx.Response:
        body = {"groupRef": GROUP, "record": record}
        return self.http.patch(f"{OBJECTS}/{name}", json=body)

    def upsert(
        self, name: str, key: str, csv: str | None = None, **more: Any
    ) -> httpx.Response:
        body = {"groupRef": GROUP, "primaryKey": key, **more}
        if csv is not None:
            body["recordsCSV"] = csv
        return self.http.put(f"{OBJECTS}/{name}:async", json=body)

    def start(self, name: str, key: str, csv: str | None = None, **more: Any) -> str:
        response = self.upsert(name, key, csv, **more)
        assert response.status_code == 200, response.text
        operation: str = response.json()["operationId"]
        return operation

    def operation(self, operation: str) -> Any:
        return self.http.get(f"/v1/projects/Demo/operations/{operation}").json()

    def logs(self, operation: str) -> Any:
        return self.http.get(f"/v1/projects/Demo/operations/{operation}/logs").json()

    def finish(self, *arguments: Any, **more: Any) -> "Finished":
        """Upsert and let the time pass until the operation has ended."""
        operation = self.start(*arguments, **more)
        self.clock.now += 60
        return Finished(self.operation(operation), self.logs(operation))

    def records(self, name: str) -> Any:
        return self.http.get(f"/sandbox/records/{name}").json()


class Finished:
    """A finished operation with its logs."""

    def __init__(self, operation: Any, logs: Any) -> None:
        self.status = operation["status"]
        self.result = operation.get("result")
        self.operation = operation
        self.logs = logs
        self.errors = [
            entry["message"] for entry in logs if entry["severity"] == "ERROR"
        ]

    @property
    def failures(self) -> dict[str, list[str]]:
        """Keys of failed rows by error text, creates and updates together."""
        details = json.loads(self.errors[0]["details"]["failureDetails"])
        assert details["failureType"] == "Partial"
        return {**details["failedCreates"], **details["failedUpdates"]}


@contextmanager
def served(*options: str) -> Iterator[tuple[httpx.Client, "subprocess.Popen[str]"]]:
    """The sandbox as a process of its own, on a free port."""
    command = [sys.executable, "-m", "sandbox", "--port", "0", *options]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout
            address = process.stdout.readline().split()[-1]
            with httpx.Client(
                base_url=address, headers=KEY, trust_env=False, timeout=LONGEST
            ) as http:
                yield http, process
        finally:
            process.terminate()


def wait_for(http: httpx.Client, operation: str, project: str = "demo") -> Any:
    """Poll an operation until it ends; return it."""
    path = f"/v1/projects/{project}/operations/{operation}"
    shown: Any = {}

    def has_ended() -> bool:
        shown.update(http.get(path).raise_for_status().json())
        return shown["status"] != "in_progress"

    wait_until(has_ended)
    return shown


def wait_until(holds: Callable[[], bool]) -> None:
    """Look again and again until `holds()`; fail when that takes far too long."""
    until = time.monotonic() + LONGEST
    while not holds():
        assert time.monotonic() < until, "It never came about."
        time.sleep(0.05)
