"""The sandbox as a process of its own, whose record is the truth of what arrived."""

import os
import signal
import time
from dataclasses import dataclass
from typing import Any

import httpx

from sandbox.app import Sandbox
from sandbox.server import Server
from tests.chaos import clock

# Far longer than the sandbox takes, in seconds.
LONGEST = 120
# How long a bulk write is in progress, by the harness's clock: over the first poll.
BULK_SECONDS = 4


# What an address gives, whichever it is, when the sandbox fetches it.
FETCHED = "external_id__c,LastName\nu-1,Name 1\nu-2,Name 2\nu-3,Name 3\n"
OBJECTS = "v1/projects/demo/integrations/salesforce/objects"


@dataclass
class Remote:
    """A running sandbox."""

    url: str
    pid: int
    # How many requests it got from the harness itself, before the play.
    _before: int = 0

    def reset(self) -> None:
        """Have it forget everything."""
        self.settled()
        self._post("sandbox/reset", {})
        self._before = 0

    def create(self, **record: str) -> str:
        """Create a contact, not as the console does; return its id."""
        body = {"groupRef": "demo-group-id", "record": record}
        self._before += 1
        answer = self._post(f"{OBJECTS}/contact", body)
        record_id: str = answer["result"]["recordId"]
        return record_id

    def plan(self, fault: str, write: int) -> None:
        """Give the n-th write request from now a fault."""
        self._post("sandbox/plan", {"fault": fault, "write": write})

    def settled(self) -> list[dict[str, Any]]:
        """Return every write request of the play, once none is under way."""
        until = time.monotonic() + LONGEST
        while time.monotonic() < until:
            received: list[dict[str, Any]] = self._get("requests")
            if all(each["worked"] is not None for each in received):
                return received[self._before :]
            time.sleep(0.01)
        raise AssertionError("The sandbox does not come to rest.")

    def stop(self) -> None:
        """End it."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)

    def _get(self, page: str) -> Any:
        address = f"{self.url}/sandbox/{page}"
        answer = httpx.get(address, trust_env=False, timeout=LONGEST)
        return answer.raise_for_status().json()

    def _post(self, page: str, body: dict[str, Any]) -> Any:
        answer = httpx.post(
            f"{self.url}/{page}",
            json=body,
            headers={"X-Api-Key": "SANDBOX-KEY"},
            trust_env=False,
            timeout=LONGEST,
        )
        return answer.raise_for_status().json()


class _Server(Server):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that are killed."""


def start() -> Remote:
    """Start a sandbox that keeps to the harness's clock, and return it."""
    sandbox = Sandbox(
        bulk_seconds=BULK_SECONDS, clock=clock.seconds, fetch=lambda _: FETCHED
    )
    server = _Server(("127.0.0.1", 0), sandbox)
    pid = os.fork()
    if pid == 0:
        try:
            server.serve_forever()
        finally:
            os._exit(0)
    port = server.server_address[1]
    server.socket.close()
    return Remote(f"http://127.0.0.1:{port}", pid)
