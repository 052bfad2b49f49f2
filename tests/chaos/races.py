"""Fifty confirms of one draft at the same moment: two tabs, two web processes."""

import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx

from console.models import AuditEvent
from tests.chaos.checks import Ledger, ledger, violations
from tests.chaos.kills import work_again
from tests.chaos.plays import Play, draft_parts, draft_record
from tests.chaos.processes import done
from tests.chaos.stage import Stage
from tests.chaos.tables import say_violations, table
from writes.models import Batch, Write

ROOT = Path(__file__).parents[2]
CONFIRMS = 50
TABS = 2

_HIDDEN = r'name="{}"[^>]*value="([^"]+)"'


def run(stage: Stage, every: int) -> list[str]:
    """Race for a draft of one record and for one of three parts; print the outcome."""
    found: list[str] = []
    rows = []
    for name, draft, batches in (
        ("race_record", draft_record, 1),
        ("race_parts", draft_parts, 3),
    ):
        play = Play(name, draft)
        play.prepare_on(stage)
        play.begin_on(stage)
        before = done(ledger)
        pk = next(iter(before.writes))
        answers = _race(stage, pk)
        sent, wrong = done(lambda before=before, n=batches: _outcome(stage, before, n))
        if [status for status, _ in answers] != [302]:
            wrong.append(f"not everybody was sent to the same page: {answers}")
        told = ", ".join(f"{answers[each]} × {each[0]} {each[1]}" for each in answers)
        rows.append((name, told, batches, sent, len(wrong)))
        found += [f"{name}: {each}" for each in wrong]
    head = ("50 confirms at once", "answers", "batches", "requests", "violations")
    table(f"One draft, {TABS} tabs, 2 web processes, {stage.database.name}", head, rows)
    say_violations(found)
    return found


def _race(stage: Stage, pk: int) -> Counter[tuple[int, str]]:
    """Press Send fifty times at once; count the answers by status and address."""
    with _web(stage) as url:
        tabs = [_Tab(url, pk) for _ in range(TABS)]
        ready = threading.Barrier(CONFIRMS)

        def press(number: int) -> tuple[int, str]:
            ready.wait()
            return tabs[number % TABS].send()

        with ThreadPoolExecutor(CONFIRMS) as people:
            return Counter(people.map(press, range(CONFIRMS)))


class _Tab:
    """Somebody who signed in and looks at the review of a draft."""

    def __init__(self, url: str, pk: int) -> None:
        self._http = httpx.Client(base_url=url, trust_env=False, timeout=120)
        self._path = f"/writes/{pk}/"
        token = self._hidden("/login/", "csrfmiddlewaretoken")
        signed_in = self._http.post(
            "/login/",
            data={"username": "olga", "password": "olga", "csrfmiddlewaretoken": token},
        )
        assert signed_in.status_code == 302, signed_in.text
        self._form = {
            name: self._hidden(self._path, name)
            for name in ("csrfmiddlewaretoken", "reviewed")
        }

    def _hidden(self, path: str, name: str) -> str:
        page = self._http.get(path).text
        found = re.search(_HIDDEN.format(name), page)
        assert found, page
        return found[1]

    def send(self) -> tuple[int, str]:
        """Press Send, on a connection of its own."""
        answer = httpx.post(
            self._http.base_url.join(f"{self._path}send/"),
            data=self._form,
            cookies=dict(self._http.cookies),
            trust_env=False,
            timeout=120,
        )
        return answer.status_code, answer.headers.get("location", "")


def _outcome(stage: Stage, before: Ledger, batches: int) -> tuple[int, list[str]]:
    """Send what was confirmed; return the number of requests, and what is wrong."""
    write = Write.objects.get()
    confirmations = AuditEvent.objects.filter(action="write.confirmed").count()
    made = Batch.objects.count()
    wrong = []
    if (write.state, confirmations, made) != ("confirmed", 1, batches):
        wrong.append(f"{write.state}, {made} batches, {confirmations} confirmations")
    work_again()
    received = stage.remote.settled()
    if len(received) != batches:
        wrong.append(f"{len(received)} requests were sent")
    return len(received), wrong + violations(received, before)


@contextmanager
def _web(stage: Stage) -> Iterator[str]:
    """Run two web processes on the stage's database; give their address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--config", "python:console.web.config", "--bind", f"127.0.0.1:{port}"]
    with (stage.directory / "log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", *options],
            cwd=ROOT,
            env={**os.environ, "CHAOS_TIMEOUT": "120"},
            stdout=log,
            stderr=log,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{url}/login/")
        yield url
    finally:
        process.terminate()
        process.wait()


def _wait_for(url: str) -> None:
    for _ in range(1200):
        try:
            httpx.get(url, trust_env=False, timeout=120).raise_for_status()
            return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise AssertionError("The web does not start.")
