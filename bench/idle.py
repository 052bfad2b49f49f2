"""What the console costs while nobody does anything, and how soon a Send leaves.

Web, three workers and the clock run as docs/operating.md starts them, each of its own.
Their processor time over an idle minute is read from /proc; the database server's and
the sandbox's is not theirs. Then writes are sent as people send
them, and the database tells how long each waited between its confirmation and the
moment in which a worker began to send it.

`SECONDS=60 SENDS=100 TREE=/another/checkout bench/idle.py` measures another checkout,
in which `manage.py collectstatic` ran, so that two can be measured by turns.
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median, quantiles

import httpx
import polling
import running
from figures import figure, finish

SECONDS = float(os.environ.get("SECONDS", "60"))
SENDS = int(os.environ.get("SENDS", "100"))
TREE = Path(os.environ.get("TREE", running.ROOT))
# The processes have started, and what is done once an hour is done.
SETTLE_SECONDS = 15
LIMIT = 1
# It succeeds.
OBJECT = "fault_string_logs__c"
COMMANDS = {
    "web": "-m gunicorn --config python:console.web.config --bind 127.0.0.1:{port}",
    "sending": "manage.py worker --queue sending",
    "watching": "manage.py worker --queue watching",
    "files": "manage.py worker --queue files",
    "clock": "manage.py clock",
}
TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure on SQLite, or on the PostgreSQL that TEST_DATABASE_URL names."""
    url = os.environ.get("TEST_DATABASE_URL", "")
    name = "idle_postgresql" if url else "idle"
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        data = Path(directory)
        port, sandbox_port = running.free_ports()
        variables = running.environment(
            data, DATABASE_URL=url, API_HOSTS=f"127.0.0.1:{sandbox_port}"
        )
        prepare(variables, sandbox_port)
        state = str(data / "sandbox.sqlite3")
        sandbox = f"-m sandbox --port {sandbox_port} --state {state}"
        stack.enter_context(process(sandbox, variables, data))
        started = {
            kind: stack.enter_context(process(each.format(port=port), variables, data))
            for kind, each in COMMANDS.items()
        }
        address = f"http://127.0.0.1:{port}"
        wait_until_ready(address)
        time.sleep(SETTLE_SECONDS)
        idle(name, started)
        send(address)
        latency(name, variables)
    finish()


def prepare(variables: dict[str, str], sandbox_port: int) -> None:
    """Make the database and the demo workspace, with the code that is measured."""
    running.need_static_files(variables)
    make = (
        "from console.connections.demo import make_demo; "
        f"make_demo(password={running.PASSWORD!r}, port={sandbox_port})"
    )
    for command in (["migrate", "-v", "0"], ["shell", "-v", "0", "-c", make]):
        subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=TREE,
            env=variables,
            check=True,
        )


@contextmanager
def process(command: str, variables: dict[str, str], data: Path) -> Iterator[int]:
    """Run a command of the console's; give its process id, and stop it afterwards."""
    with (data / "log").open("a") as log:
        running_one = subprocess.Popen(
            [sys.executable, *command.split()],
            cwd=TREE,
            env=variables,
            stdout=log,
            stderr=log,
        )
    try:
        yield running_one.pid
    finally:
        running_one.send_signal(signal.SIGTERM)
        running_one.wait()


def wait_until_ready(address: str) -> None:
    """Wait until the health page has seen the clock and all workers."""
    for _ in range(300):
        try:
            told = httpx.get(f"{address}/healthz").json()
            if told["worker"]["state"] == "ok":
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    sys.exit("The console did not start.")


def idle(name: str, started: dict[str, int]) -> None:
    """Print what each process takes while nothing happens, and all together."""
    before = {kind: processor(pid) for kind, pid in started.items()}
    time.sleep(SECONDS)
    total = 0.0
    for kind, pid in started.items():
        share = (processor(pid) - before[kind]) / SECONDS * 100
        figure(f"{name}_{kind}", share, "% of a core")
        total += share
    figure(f"{name}_together", total, "% of a core", at_most=LIMIT)


def processor(pid: int) -> float:
    """Return the seconds that a process and its children have taken, as they live."""
    schedstat = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        schedstat += int((task / "schedstat").read_text().split()[0])
    return schedstat / 1e9 + sum(map(processor, running._children(pid)))


def send(address: str) -> None:
    """Send so many files of one row, one after the other, at moments of no pattern."""
    with httpx.Client(base_url=address, follow_redirects=True, timeout=60) as browser:
        polling.sign_in(browser)
        for _ in range(SENDS):
            polling.send(browser, OBJECT)
            time.sleep(random.uniform(0, 0.5))  # noqa: S311
        time.sleep(5)


def latency(name: str, variables: dict[str, str]) -> None:
    """Print how long the operations waited between confirmation and sending."""
    os.environ.update(variables)
    import django

    django.setup()
    from operations.models import Operation, OperationTransition

    sent = OperationTransition.objects.filter(to_state=Operation.State.SENDING)
    moments = sent.values_list("at", "operation__created_at")
    seconds = [(at - confirmed).total_seconds() for at, confirmed in moments]
    assert len(seconds) == SENDS, f"{len(seconds)} of {SENDS} were sent."
    figure(f"{name}_send_median", median(seconds) * 1000, "ms")
    figure(f"{name}_send_p99", quantiles(seconds, n=100)[-1] * 1000, "ms")


if __name__ == "__main__":
    main()
