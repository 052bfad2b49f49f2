"""A shortened run of the harness, as a process of its own: `make chaos` runs all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

# It brings one of its own: this says that it is to run on both databases.
pytestmark = pytest.mark.django_db

ROOT = Path(__file__).parents[2]
DATABASE = "postgres" if os.environ.get("TEST_DATABASE_URL") else "sqlite"

SUITES = ("kills", "faults", "races")


def test_nothing_is_sent_twice_lost_or_wrongly_told() -> None:
    command = [sys.executable, "-m", "tests.chaos", *SUITES, "--every", "97"]
    ended = subprocess.run(
        [*command, "--database", DATABASE], cwd=ROOT, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.count(" 0 violations") == len(SUITES)
