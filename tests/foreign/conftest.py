"""Where the files of other people are. `make foreign` runs these tests alone."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BESIDE = ROOT.parent / "shared"


@pytest.fixture(scope="session")
def foreign() -> Path:
    """The folder that FOREIGN_FILES names, or `shared` beside the checkout."""
    folder = Path(os.environ.get("FOREIGN_FILES") or BESIDE)
    if not folder.is_dir():
        pytest.fail(f"{folder} is not here. FOREIGN_FILES names the folder.")
    return folder
