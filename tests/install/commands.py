"""The commands of a document: what stands in its `sh` blocks, under one heading."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OPERATING = ROOT / "docs" / "operating.md"
# The part that `make install-test` types from its first line to its last.
INSTALL = "Install"


def section(heading: str, document: Path = OPERATING) -> str:
    """Return what stands under `## heading`, to the next heading of that kind."""
    found = re.search(
        rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)",
        document.read_text(),
        re.MULTILINE | re.DOTALL,
    )
    if found is None:
        raise LookupError(f"{document.name} has no section “{heading}”.")
    return found[1]


def commands(heading: str = INSTALL) -> list[str]:
    """Return the `sh` blocks of a section, in their order."""
    return re.findall(r"^```sh\n(.*?)^```$", section(heading), re.MULTILINE | re.DOTALL)
