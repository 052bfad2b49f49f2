"""What a run costs: confirming it, its page and its rows, and sending its requests.

Seconds are printed without a limit: another machine takes others. Sending is told
beside a bare loop that sends the same bodies to the same sandbox, four at a time.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from figures import figure, finish  # noqa: E402
from running import environment  # noqa: E402

ROWS, DELETES = 50_000, 100_000
# So many requests are sent to be measured, by so many at once.
SENT, AT_ONCE, ROUNDS = 100, 4, 3
# A request of ours may take so many times what a bare one takes: 1 / 0.7.
SLOWER = 1.43
LARGEST_PAGE, LARGEST_TABLE = 60, 40


def main() -> None:
    """Set up a database of its own and a sandbox, and measure."""
    with tempfile.TemporaryDirectory() as folder:
        sandbox, url = _sandbox()
        try:
            _set_up(Path(folder), url)
            from measured_runs import Measured

            measured = Measured(url)
            _confirming(measured)
            _sending(measured)
        finally:
            sandbox.terminate()
            sandbox.wait()
    finish()


def _sandbox() -> "tuple[subprocess.Popen[str], str]":
    command = [sys.executable, "-m", "sandbox", "--port", "0"]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    return process, process.stdout.readline().split()[-1]


def _set_up(folder: Path, url: str) -> None:
    os.environ |= environment(folder, API_HOSTS=url.removeprefix("http://"))
    import django

    django.setup()


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def _confirming(measured: Any) -> None:
    seconds, write = _timed(lambda: measured.draft("create", ROWS))
    figure("run_check_50000", seconds, "s")
    seconds, operation = _timed(lambda: measured.confirm(write))
    figure("run_confirm_500_calls", seconds, "s")
    figure("run_calls_50000", operation.batch.calls_total, "calls", exactly=500)
    write = measured.draft("delete", DELETES)
    before = measured.size()
    seconds, operation = _timed(lambda: measured.confirm(write))
    figure("run_confirm_100000_calls", seconds, "s")
    figure("run_table", (measured.size() - before) / 1e6, "MB", at_most=LARGEST_TABLE)
    measured.answer_all(operation)
    answered = (measured.size() - before) / 1e6
    figure("run_table_answered", answered, "MB", at_most=LARGEST_TABLE)
    figure("run_page", measured.page(operation) / 1024, "KiB", at_most=LARGEST_PAGE)
    polls = [_timed(lambda: measured.poll(operation))[0] for _ in range(5)]
    figure("run_poll", median(polls) * 1000, "ms")


def _sending(measured: Any) -> None:
    """Send the same bodies by the console and by a bare loop, by turns."""
    ours, bare = [], []
    for _ in range(ROUNDS):
        operation = measured.confirm(measured.draft("create", SENT * 100))
        bodies = measured.bodies(operation)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            seconds, _ = _timed(lambda: list(pool.map(measured.bare, bodies)))  # noqa: B023 - used at once
            bare.append(seconds)
            turns = [operation] * AT_ONCE
            seconds, _ = _timed(lambda: list(pool.map(measured.send, turns)))  # noqa: B023 - used at once
            ours.append(seconds)
        assert measured.is_sent(operation)
    figure("run_send_bare", SENT / median(bare), "requests/s")
    figure("run_send", SENT / median(ours), "requests/s")
    figure("run_send_over_bare", median(ours) / median(bare), "x", at_most=SLOWER)


if __name__ == "__main__":
    main()
