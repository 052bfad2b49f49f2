"""What a run costs: confirming it, its page and its rows, and sending its requests.

Seconds of the clock are printed without a limit, and the processor's beside them, which
a busy machine changes less: another machine takes others. Confirming is told beside the
cutting that it cannot do without, the page of a large run beside that of a small one,
and sending beside a bare loop that sends the same bodies to the same sandbox.
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
# Keeping 100,000 requests may take so many times what cutting them does, and a poll of
# them what one of 500 does.
KEEPING, LARGER = 4, 2
POLLS = 9


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


def _worked(name: str, work: Callable[[], Any]) -> tuple[float, Any]:
    """Print how long work takes; return the processor's seconds and what came of it."""
    begun = time.process_time()
    seconds, result = _timed(work)
    processor = time.process_time() - begun
    figure(name, seconds, "s")
    figure(f"{name}_cpu", processor, "s")
    return processor, result


def _confirming(measured: Any) -> None:
    _, write = _worked("run_check_50000", lambda: measured.draft("create", ROWS))
    _worked("run_cut_50000", lambda: measured.cut(write))
    _, small = _worked("run_confirm_500_calls", lambda: measured.confirm(write))
    figure("run_calls_50000", small.batch.calls_total, "calls", exactly=500)
    write = measured.draft("delete", DELETES)
    before = measured.size()
    cutting, _ = _worked("run_cut_100000", lambda: measured.cut(write))
    keeping, operation = _worked(
        "run_confirm_100000_calls", lambda: measured.confirm(write)
    )
    figure("run_confirm_over_cut", keeping / cutting, "x", at_most=KEEPING)
    figure("run_table", (measured.size() - before) / 1e6, "MB", at_most=LARGEST_TABLE)
    for each in (small, operation):
        measured.answer_all(each)
    answered = (measured.size() - before) / 1e6
    figure("run_table_answered", answered, "MB", at_most=LARGEST_TABLE)
    figure("run_page", measured.page(operation) / 1024, "KiB", at_most=LARGEST_PAGE)
    few, many = _polls(measured, small), _polls(measured, operation)
    figure("run_poll_500", few * 1000, "ms")
    figure("run_poll_100000", many * 1000, "ms")
    figure("run_poll_100000_over_500", many / few, "x", at_most=LARGER)


def _polls(measured: Any, operation: Any) -> float:
    """Return the processor's seconds for a panel of a run with all its requests."""
    took = []
    for _ in range(POLLS):
        begun = time.process_time()
        measured.poll(operation)
        took.append(time.process_time() - begun)
    return median(took)


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
