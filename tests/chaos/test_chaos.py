"""A shortened run of the harness, as a process of its own: `make chaos` runs all."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ON_POSTGRES

# It brings one of its own: this says that it is to run on both databases.
pytestmark = pytest.mark.django_db

ROOT = Path(__file__).parents[2]
DATABASE = "postgres" if ON_POSTGRES else "sqlite"


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "suite", ["kills", "runs", "faults", "races", "restores", "repeats"]
)
def test_nothing_is_sent_twice_lost_or_wrongly_told(suite: str) -> None:
    command = [sys.executable, "-m", "tests.chaos", suite, "--every", "97"]
    ended = subprocess.run(
        [*command, "--database", DATABASE], cwd=ROOT, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.count(" 0 violations") == 1
