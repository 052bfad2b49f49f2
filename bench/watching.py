"""10,000 operations in flight: is each asked about in time, and what does it cost?

The sandbox runs 10,000 upserts that never end, each accepted an hour ago and asked
about before, so that each is due every 60 s. The clock and the workers are the
console's own commands; only a meter is put around them. Two situations:

- steady: the operations fall due evenly over a minute, as they do after some time. It
  is watched for WINDOW seconds, in which each is asked once at most.
- at once: all are due in the same moment, as after an outage of more than a minute.

The delay is from when an operation was due until its answer was stored. Its gap, as a
multiple of the interval, is (60 s + delay) / 60 s: the promise is 2 at most.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import running
from figures import figure, finish

IN_FLIGHT = 10_000
INTERVAL = 60
WINDOW = 20
# Until the first is due, the processes have started.
START = 6
# All at once must be done well before each is due again.
LONGEST = 55
LIMIT = 2
OBJECT = "fault_never_ends__c"
WORKER = "worker --queue watching"
# The sandbox can be asked faster than a project is unless it is set so.
READS_PER_SECOND = 1_000


@dataclass
class Stage:
    """Where the console and the sandbox keep their things, and how to start more."""

    data: Path
    variables: dict[str, str]
    port: int
    costs: list[Path] = field(default_factory=list)
    sandbox_pid: int = 0

    @property
    def log(self) -> Path:
        """One line for each request that the sandbox answered."""
        return self.data / "sandbox.log"

    def calls(self) -> int:
        """Return how many requests the sandbox has answered."""
        return sum("/operations/" in line for line in self.log.open())

    def sandbox_processor(self) -> float:
        """Return the seconds of processor time that the sandbox has taken."""
        fields = Path(f"/proc/{self.sandbox_pid}/stat").read_text().split()
        return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")

    @contextmanager
    def sandbox(self) -> Iterator[None]:
        """Run the sandbox on the state that was prepared."""
        state = str(self.data / "sandbox.sqlite3")
        options = ["--port", str(self.port), "--state", state]
        command = [sys.executable, "-m", "sandbox", *options]
        with self.log.open("w") as log:
            process = subprocess.Popen(
                command, cwd=running.ROOT, stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert process.stdout is not None
        assert "ready" in process.stdout.readline()
        self.sandbox_pid = process.pid
        try:
            yield
        finally:
            _stop(process)

    @contextmanager
    def process(self, *command: str) -> Iterator[None]:
        """Run a command of the console's with a meter around it."""
        cost = self.data / f"cost-{len(self.costs)}.json"
        self.costs.append(cost)
        measured = [sys.executable, str(running.ROOT / "bench" / "measured.py")]
        process = subprocess.Popen(
            [*measured, str(cost), *command],
            cwd=running.ROOT,
            env=self.variables,
            stdout=subprocess.DEVNULL,
        )
        try:
            yield
        finally:
            _stop(process)


def _stop(process: "subprocess.Popen[str] | subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    process.communicate()


def main() -> None:
    """Measure with one worker, and on PostgreSQL with three as well."""
    with tempfile.TemporaryDirectory() as directory:
        stage, vendor = prepare(Path(directory))
        prefix = "watching_postgresql" if vendor == "postgresql" else "watching"
        with stage.sandbox():
            steady(stage, f"{prefix}_steady_1_worker", workers=1)
            at_once(stage, f"{prefix}_at_once_1_worker", workers=1)
            if vendor == "postgresql":
                steady(stage, f"{prefix}_steady_3_workers", workers=3)
    finish()


def prepare(data: Path) -> tuple[Stage, str]:
    """Make the database, the demo workspace and both sides of the operations."""
    url = os.environ.get("TEST_DATABASE_URL", "")
    port, _ = running.free_ports()
    variables = running.environment(
        data, DATABASE_URL=url, API_HOSTS=f"127.0.0.1:{port}"
    )
    os.environ.update(variables)
    running.need_static_files(variables)
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from ampersand import LogEntry as RemoteEntry
    from console.connections.demo import make_demo
    from operations.models import Operation
    from operations.worker.store_log import digest

    call_command("migrate", verbosity=0)
    project = make_demo(password=running.PASSWORD, port=port)
    project.reads_per_second = READS_PER_SECOND
    project.save()
    began = datetime.now().astimezone() - timedelta(hours=1)
    told = start_upstream(data / "sandbox.sqlite3", began.timestamp())
    Operation.objects.bulk_create(
        (
            Operation(
                project=project,
                environment=project.environment,
                integration=project.integrations.get(),
                action="upsert",
                object_name=OBJECT,
                group_ref="demo-group-id",
                started_by_name="operator",
                state="in_progress",
                remote_id=remote["id"],
                answer={"operation": remote},
                log_digest=digest([RemoteEntry.from_json(line) for line in lines]),
                rows_sent=1_000,
                created_at=began,
                sent_at=began,
                answered_at=began,
            )
            for remote, lines in told
        ),
        batch_size=500,
    )
    return Stage(data, variables, port), connection.vendor


def start_upstream(state: Path, began: float) -> list[tuple[dict[str, Any], list[Any]]]:
    """Begin upserts in the sandbox that never end; return what it tells of each."""
    from sandbox.catalog import find_project
    from sandbox.operations import Operations
    from sandbox.store import Store

    store, demo = Store(state), find_project("demo")
    operations = Operations(store)
    with store.transaction():
        ids = [
            operations.start(
                "demo",
                "salesforce",
                "demo-group-id",
                OBJECT,
                primary_key="external_id__c",
                csv=None,
                url=None,
                fault="never_ends",
                now=began,
                seconds=0,
            )
            for _ in range(IN_FLIGHT)
        ]
        told = [
            (operations.show(demo, id_), operations.logs(demo, id_, began + INTERVAL))
            for id_ in ids
        ]
    store.close()
    return told


def steady(stage: Stage, name: str, *, workers: int) -> None:
    """Watch for a while what falls due evenly over a minute."""
    first = _soon(START)
    due = schedule(first, timedelta(seconds=INTERVAL / IN_FLIGHT))
    end = first + timedelta(seconds=WINDOW)
    with at_work(stage, workers) as upstream:
        _wait_until(end + timedelta(seconds=2))
    asked = {pk: at for pk, at in answered().items() if due[pk] <= end}
    missed = sum(at <= end for at in due.values()) - len(asked)
    report(name, [(asked[pk] - due[pk]).total_seconds() for pk in asked], missed)
    report_cost(stage, name, upstream)


def at_once(stage: Stage, name: str, *, workers: int) -> None:
    """Have everything due in one moment, and wait until all was asked about."""
    first = _soon(START)
    due = schedule(first, timedelta(0))
    with at_work(stage, workers) as upstream:
        while len(asked := answered()) < IN_FLIGHT:
            if time.time() > first.timestamp() + LONGEST:
                break
            time.sleep(0.5)
    missed = IN_FLIGHT - len(asked)
    report(name, [(asked[pk] - due[pk]).total_seconds() for pk in asked], missed)
    report_cost(stage, name, upstream)


@dataclass
class Upstream:
    """What the sandbox did meanwhile: requests, and seconds of processor time."""

    calls: int
    processor: float


@contextmanager
def at_work(stage: Stage, workers: int) -> Iterator[Upstream]:
    """Run the clock and so many workers; `stage.costs` tells their cost afterwards."""
    stage.costs.clear()
    upstream = Upstream(stage.calls(), stage.sandbox_processor())
    with ExitStack() as stack:
        for _ in range(workers):
            stack.enter_context(stage.process(*WORKER.split()))
        stack.enter_context(stage.process("clock"))
        yield upstream
    upstream.calls = stage.calls() - upstream.calls
    upstream.processor = stage.sandbox_processor() - upstream.processor


def schedule(first: datetime, step: timedelta) -> dict[int, datetime]:
    """Have the operations fall due from `first` on, one every `step`; return when.

    Each was asked another number of times before: some have their log asked for again.
    """
    from django_tasks_db.models import DBTaskResult

    from operations.models import Operation

    DBTaskResult.objects.all().delete()
    rows = list(Operation.objects.order_by("pk"))
    for number, row in enumerate(rows):
        row.due_at = first + number * step
        row.asked_count, row.asked_at = 10 + number % 7, None
    Operation.objects.bulk_update(
        rows, ["due_at", "asked_count", "asked_at"], batch_size=500
    )
    return {row.pk: row.due_at for row in rows if row.due_at}


def answered() -> dict[int, datetime]:
    """Return the operations that were asked about since, and when that was stored."""
    from operations.models import Operation

    asked = Operation.objects.exclude(asked_at=None)
    return dict(asked.values_list("pk", "asked_at"))


def report(name: str, delays: list[float], missed: int) -> None:
    """Print how late the answers were."""
    p99 = quantiles(delays, n=100)[-1]
    figure(f"{name}_asked", len(delays), "operations")
    figure(f"{name}_missed", missed, "operations", exactly=0)
    figure(f"{name}_delay_median", median(delays), "s")
    figure(f"{name}_delay_p99", p99, "s")
    gaps = [(INTERVAL + delay) / INTERVAL for delay in (p99, max(delays))]
    figure(f"{name}_gap_p99", gaps[0], "of_interval", at_most=LIMIT)
    figure(f"{name}_gap_longest", gaps[1], "of_interval", at_most=LIMIT)


def report_cost(stage: Stage, name: str, upstream: Upstream) -> None:
    """Print what the asking cost, for each operation asked about."""
    polls = len(answered())
    costs = [json.loads(cost.read_text()) for cost in stage.costs]
    figure(f"{name}_upstream_calls", upstream.calls, "calls")
    figure(f"{name}_upstream_calls_per_poll", upstream.calls / polls, "calls")
    queries = sum(cost["queries"] for cost in costs)
    figure(f"{name}_queries_per_poll", queries / polls, "queries")
    seconds = sum(cost["seconds"] for cost in costs)
    figure(f"{name}_database_per_poll", seconds / polls * 1000, "ms")
    # With what it takes to start: some seconds for each process.
    processor = sum(cost["processor"] for cost in costs)
    figure(f"{name}_processor_per_poll", processor / polls * 1000, "ms")
    sandbox = upstream.processor / upstream.calls * 1000
    figure(f"{name}_sandbox_processor_per_call", sandbox, "ms")


def _soon(seconds: float) -> datetime:
    return datetime.now().astimezone() + timedelta(seconds=seconds)


def _wait_until(moment: datetime) -> None:
    time.sleep(max(0, moment.timestamp() - time.time()))


if __name__ == "__main__":
    main()
