"""What a person would check a file with instead: how long it takes, and what it tells.

The same 150 MiB as in `checking.py`, once through each tool in a process of its own,
and twelve small files with one fault each. `make bench` installs most of the tools into
`.venv/bench`; `qsv` and `mlr` are taken where the machine has them. A tool that is not
there gets a line that says so. None of this has a limit: it is to be seen beside ours.
"""

import hashlib
import json
import os
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import checking
from faults import FAULTS, KEY, KINDS, SOUND
from figures import figure, finish

from files.checking.check import Engine, check
from files.field import Field

BENCH = Path(__file__).resolve().parent
INSTALLED = BENCH.parent / ".venv" / "bench" / "bin"
ROUNDS = 3


@dataclass(frozen=True)
class Found:
    """What a tool found in a file: rows and MiB are None where it does not tell."""

    says_wrong: bool
    rows: int | None = None
    memory: float | None = None


class Failed(Exception):
    """A tool did not do its work; the text is the last that it said."""


class Library:
    """A library of Python's, driven by `other_tools.py`."""

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def is_there(self) -> bool:
        """Whether it can be used."""
        command = [str(INSTALLED / "python"), "-c", f"import {self.name}"]
        try:
            return subprocess.run(command, capture_output=True).returncode == 0
        except OSError:
            return False

    def look(
        self, paths: Sequence[Path], key: str, kinds: dict[str, str]
    ) -> list[Found]:
        """Check each file in one process. Raises `Failed`."""
        script = str(BENCH / "other_tools.py")
        command = [str(INSTALLED / "python"), script, self.name, key, json.dumps(kinds)]
        run = subprocess.run([*command, *paths], capture_output=True, text=True)
        if run.returncode:
            raise Failed(_last_line(run.stderr))
        found = [json.loads(line) for line in run.stdout.splitlines()]
        return [Found(bool(f["told"]), f["rows"], f["memory"]) for f in found]


class Command:
    """A command of its own, which ends with 1 where it found something."""

    def __init__(self, name: str, *arguments: str) -> None:
        self.name, self.arguments = name, arguments
        self.place = shutil.which(name, path=f"{INSTALLED}:{os.environ['PATH']}")

    @property
    def is_there(self) -> bool:
        """Whether it can be used: its version begins with its name.

        There are other tools that are called qsv.
        """
        if self.place is None:
            return False
        command = [self.place, "--version"]
        version = subprocess.run(command, capture_output=True, text=True)
        return version.returncode == 0 and version.stdout.startswith(self.name)

    def look(
        self, paths: Sequence[Path], key: str, kinds: dict[str, str]
    ) -> list[Found]:
        """Check one file after the other. Raises `Failed`."""
        return [self._look(path) for path in paths]

    def _look(self, path: Path) -> Found:
        run = subprocess.run(
            [str(self.place), *self.arguments, str(path)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        if run.returncode not in (0, 1):
            raise Failed(_last_line(run.stderr))
        return Found(run.returncode == 1 or bool(run.stderr.strip()))


Tool = Library | Command
TOOLS = (
    Library("csv"),
    Library("duckdb"),
    Library("polars"),
    Library("frictionless"),
    Command("csvclean", "--enable-all-checks"),
    Command("qsv", "validate"),
    Command("mlr", "--icsv", "--ojson", "tail"),
)


def main() -> None:
    """Print the figures of each tool that is there."""
    tools = [tool for tool in TOOLS if tool.is_there]
    for tool in TOOLS:
        if tool not in tools:
            print(f"# {tool.name} is not installed here: left out", flush=True)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "bench.csv"
        checking.write(path, list(checking.FIELDS), size=150 * checking.MIB)
        rows = check(path, key=checking.KEY).rows
        sha = median(hashing(path) for _ in range(ROUNDS))
        figure("other_sha256_150mib", sha * 1000, "ms")
        for tool in tools:
            measure(tool, path, rows, sha)
        path.unlink()
        tell_faults(tools, Path(directory))
    finish()


def measure(tool: Tool, path: Path, rows: int, sha: float) -> None:
    """Print how long a tool takes for the large file."""
    kinds = {field.name: field.type for field in checking.FIELDS}
    before, start = _processor(), time.perf_counter()
    try:
        [found] = tool.look([path], checking.KEY, dict(kinds))
    except Failed as error:
        print(f"# {tool.name} failed on 150 MiB: {error}", flush=True)
        return
    seconds = time.perf_counter() - start
    if found.rows not in (rows, None):
        print(f"# {tool.name} read {found.rows} of {rows} rows", flush=True)
        return
    name = f"other_{tool.name}_150mib"
    figure(name, seconds, "s")
    figure(f"{name}_processor", _processor() - before, "s")
    figure(f"{name}_over_sha256", seconds / sha, "ratio")
    if found.memory:
        figure(f"{name}_memory", found.memory, "MiB at its peak")


def tell_faults(tools: Sequence[Tool], directory: Path) -> None:
    """Print how many of the faults make each tool, and ours, say anything at all."""
    paths = []
    for name, text in {"sound": SOUND, **FAULTS}.items():
        paths.append(directory / f"{name}.csv")
        paths[-1].write_bytes(text)
    fields = tuple(Field(name=name, type=kind) for name, kind in KINDS.items())
    engines: tuple[Engine, ...] = ("fast", "exact")
    told = {
        f"console_{engine}": [
            bool(check(path, key=KEY, fields=fields, engine=engine).groups)
            for path in paths
        ]
        for engine in engines
    }
    for tool in tools:
        try:
            found = tool.look(paths, KEY, dict(KINDS))
        except Failed as error:
            print(f"# {tool.name} failed on a small file: {error}", flush=True)
        else:
            told[tool.name] = [one.says_wrong for one in found]
    for name, (of_sound, *of_faulty) in told.items():
        assert not of_sound, f"{name} blames a sound file."
        figure(f"faults_told_by_{name}", sum(of_faulty), f"of_{len(FAULTS)}")


def hashing(path: Path) -> float:
    """Return the seconds that SHA-256 of the file takes."""
    start = time.perf_counter()
    with path.open("rb") as file:
        hashlib.file_digest(file, "sha256")
    return time.perf_counter() - start


def _processor() -> float:
    """Return the processor's seconds of all processes that were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1]


if __name__ == "__main__":
    main()
