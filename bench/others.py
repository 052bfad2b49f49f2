"""What a person would check a file with instead: how long it takes, and what it tells.

The same 150 MiB as in `checking.py`, once through each tool in a process of its own,
and twelve small files with one fault each. `make bench` installs most of the tools into
`.venv/bench`; `qsv` and `mlr` are taken where the machine has them. A tool that is not
there gets a line that says so. None of this has a limit: it is to be seen beside ours.
"""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import checking
import faults
from figures import figure, finish

from files.checking.check import check
from files.fields.field import Field

BENCH = Path(__file__).resolve().parent
INSTALLED = BENCH.parent / ".venv" / "bench" / "bin"
KINDS = {field.name: field.type for field in checking.FIELDS}
ROUNDS = 3


@dataclass(frozen=True)
class Run:
    """How a command fared: its exit code, what it said, seconds, MiB at its peak."""

    code: int
    said: str
    complained: str
    seconds: float
    memory: float


class Library:
    """A library of Python's, driven by `other_tools.py`."""

    def __init__(self, name: str, module: str) -> None:
        self.name, self.module = name, module

    @property
    def is_there(self) -> bool:
        """Whether it can be used."""
        command = [str(INSTALLED / "python"), "-c", f"import {self.module}"]
        try:
            return subprocess.run(command, capture_output=True).returncode == 0
        except OSError:
            return False

    def check(self, path: Path, key: str, kinds: dict[str, str]) -> Run:
        """Check a file."""
        script = str(BENCH / "other_tools.py")
        python = str(INSTALLED / "python")
        return run(python, script, self.name, key, json.dumps(kinds), str(path))

    def has_read(self, found: Run, rows: int) -> bool:
        """Tell whether it came to the end of the file."""
        return found.code == 0 and json.loads(found.said)["rows"] == rows

    def tells(self, found: Run) -> bool:
        """Tell whether it said that anything is wrong."""
        return found.code != 0 or json.loads(found.said)["told"] > 0


class Command:
    """A command of its own; it ends with 1 where it found something."""

    def __init__(self, name: str, *arguments: str) -> None:
        self.name, self.arguments = name, arguments

    @property
    def is_there(self) -> bool:
        """Whether it can be used: its version begins with its name.

        There are other tools that are called qsv.
        """
        if not self._place:
            return False
        version = run(self._place, "--version")
        return version.code == 0 and version.said.startswith(self.name)

    @property
    def _place(self) -> str | None:
        return shutil.which(self.name, path=f"{INSTALLED}:{os.environ['PATH']}")

    def check(self, path: Path, key: str, kinds: dict[str, str]) -> Run:
        """Check a file."""
        return run(str(self._place), *self.arguments, str(path), keeps=False)

    def has_read(self, found: Run, rows: int) -> bool:
        """Tell whether it came to the end of the file, as far as it says."""
        return found.code in (0, 1)

    def tells(self, found: Run) -> bool:
        """Tell whether it said that anything is wrong."""
        return found.code != 0 or bool(found.complained.strip())


TOOLS = (
    Library("csv", "csv"),
    Library("duckdb", "duckdb"),
    Library("polars", "polars"),
    Library("frictionless", "frictionless"),
    Command("csvclean", "--enable-all-checks"),
    Command("qsv", "validate"),
    Command("mlr", "--icsv", "--ojson", "tail"),
)


def main() -> None:
    """Print the figures of each tool that is there."""
    tools = []
    for tool in TOOLS:
        if tool.is_there:
            tools.append(tool)
        else:
            print(f"# {tool.name} is not installed here: left out", flush=True)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "bench.csv"
        checking.write(path, list(checking.FIELDS), size=150 * checking.MIB)
        rows = check(path, key=checking.KEY).rows
        sha = median(hashing(path) for _ in range(ROUNDS))
        figure("other_sha256_150mib", sha, "s")
        for tool in tools:
            measure(tool, path, rows, sha)
        path.unlink()
        tell_faults(tools, Path(directory))
    finish()


def measure(tool: Library | Command, path: Path, rows: int, sha: float) -> None:
    """Print how long a tool takes for the large file."""
    found = tool.check(path, checking.KEY, KINDS)
    if not tool.has_read(found, rows):
        reason = (found.complained.strip() or found.said.strip()).splitlines()[-1:]
        print(f"# {tool.name} did not read it to the end: {reason}", flush=True)
        return
    name = f"other_{tool.name}_150mib"
    figure(name, found.seconds, "s")
    figure(f"{name}_over_sha256", found.seconds / sha, "ratio")
    figure(f"{name}_memory", found.memory, "MiB at its peak")


def tell_faults(tools: list[Library | Command], directory: Path) -> None:
    """Print of how many of the faults each tool tells anything at all, and ours too."""
    told = dict.fromkeys(("console", *(tool.name for tool in tools)), 0)
    fields = tuple(Field(name=name, type=kind) for name, kind in faults.KINDS.items())
    for name, text in {"sound": faults.SOUND, **faults.FAULTS}.items():
        path = directory / f"{name}.csv"
        path.write_bytes(text)
        tells = {"console": bool(check(path, key=faults.KEY, fields=fields).groups)}
        for tool in tools:
            tells[tool.name] = tool.tells(tool.check(path, faults.KEY, faults.KINDS))
        for tool_name, said in tells.items():
            assert not (said and name == "sound"), f"{tool_name} blames a sound file."
            told[tool_name] += said
    for tool_name, number in told.items():
        figure(
            f"other_{tool_name}_faults_told_of_{len(faults.FAULTS)}", number, "files"
        )


def run(*command: str, keeps: bool = True) -> Run:
    """Run a command to its end; what it says is dropped unless kept."""
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=said if keeps else subprocess.DEVNULL, stderr=errors
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        errors.seek(0)
        memory = usage.ru_maxrss / 1024
        return Run(process.returncode, said.read(), errors.read(), seconds, memory)


def hashing(path: Path) -> float:
    """Return the seconds that SHA-256 of the file takes."""
    start = time.perf_counter()
    with path.open("rb") as file:
        hashlib.file_digest(file, "sha256")
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
