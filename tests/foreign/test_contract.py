"""That the facts in tests/contract are those of Ampersand's documents."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_facts_are_those_of_the_documents(foreign: Path) -> None:
    script = ROOT / "scripts" / "reduce_contract.py"
    command = [sys.executable, script, foreign / "openapi", "--check"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout
