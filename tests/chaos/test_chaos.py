"""A shortened run of the harness, as a process of its own: `make chaos` runs all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DATABASE = "postgres" if os.environ.get("TEST_DATABASE_URL") else "sqlite"


@pytest.mark.parametrize(("suite", "every"), [("kills", 149), ("faults", 97)])
def test_nothing_is_sent_twice_lost_or_wrongly_told(suite: str, every: int) -> None:
    command = [sys.executable, "-m", "tests.chaos", suite]
    ended = subprocess.run(
        [*command, "--database", DATABASE, "--every", str(every)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert " 0 violations" in ended.stdout
