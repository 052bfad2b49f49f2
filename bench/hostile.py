"""How long small hostile files take from upload to findings, beside SHA-256 of them.

Each shape is made in two sizes. `linear` says how much longer the larger one takes than
its size tells: 1 is linear. Everything is processor time of this process, the median of
some rounds, and told as ratios only: other work on the machine disturbs them least.
"""

import hashlib
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from figures import figure, finish  # noqa: E402

from files.checking.check import check  # noqa: E402
from files.findings import Report  # noqa: E402
from files.findings_file import FindingsFile  # noqa: E402
from files.reading.inspection import Reading, inspect  # noqa: E402
from files.reading.read import read  # noqa: E402

SMALL, LARGE = 5 * 2**20, 10 * 2**20
ROUNDS = 3
# Of any hostile file.
AT_MOST = 400
HEADER = b"id,name,notes\n"


def same(line: bytes, before: bytes = HEADER) -> Callable[[int], bytes]:
    """Return what makes a file of one line again and again."""
    return lambda size: before + line * (size // len(line))


def numbered(line: str, before: bytes = HEADER) -> Callable[[int], bytes]:
    """Return what makes a file of lines with a number each."""

    def make(size: int) -> bytes:
        lines, length = [before], 0
        for number in count():
            lines.append((line % number).encode())
            length += len(lines[-1])
            if length >= size:
                return b"".join(lines)
        raise AssertionError

    return make


def blank_lines(size: int) -> bytes:
    """Return blank lines with a row after them, so that they are within the file."""
    return HEADER + b"\n" * size + b"1,x,y\n"


def many_columns(size: int) -> bytes:
    """Return rows of 5,000 columns."""
    names = b",".join(b"c%d" % number for number in range(4_999))
    row = b",x" * 4_999 + b"\n"
    return b"id," + names + b"\n" + (b"1" + row) * (size // len(row))


SHAPES: dict[str, Callable[[int], bytes]] = {
    "only_quotes": lambda size: HEADER + b'"' * size,
    "a_quote_in_every_cell": numbered('%d",5" x,6" y\n'),
    "quotes_between_semicolons": numbered('%d;5" x, z;6" y, w\n', b"id;name;notes\n"),
    "blank_lines": blank_lines,
    "lines_of_one_separator": same(b",\n"),
    "a_finding_in_every_cell": numbered(" %d,31.12.2024,1.2E+17\n", b"id,name,x\n"),
    "many_columns": many_columns,
    "long_cells": same(b'1,"' + b"x" * 200_000 + b'",y\n'),
    "cr_only": numbered("%d,x,y\r", b"id,name,notes\r"),
    "quote_never_closed": same(b"1,x,y\n", b'id,name,notes\n0,"x,y\n'),
    "quoted_and_plain": numbered('%d,"x",y\n"b",x,"y"\n'),
    "one_key": same(b"1,x,y\n"),
}


def main() -> None:
    """Print two figures for each shape, or for those that are named."""
    chosen = sys.argv[1:] or list(SHAPES)
    with tempfile.TemporaryDirectory() as directory:
        for name in chosen:
            small = measure(Path(directory), SHAPES[name](SMALL))
            large = measure(Path(directory), SHAPES[name](LARGE))
            figure(f"hostile_{name}", large, "x_sha256", at_most=AT_MOST)
            figure(f"hostile_{name}_linear", large / small, "ratio", at_most=1.5)
    finish()


def measure(folder: Path, data: bytes) -> float:
    """Return how many times SHA-256 of the data all the work on it takes."""
    original = folder / "original"
    original.write_bytes(data)
    again = max(1, 2**23 // len(data))
    digests = [timed(lambda: digest(data, again)) / again for _ in range(ROUNDS)]
    work_times = [timed(lambda: work(original, folder)) for _ in range(ROUNDS)]
    return median(work_times) / median(digests)


def digest(data: bytes, times: int) -> None:
    """Take SHA-256 of the data so many times."""
    for _ in range(times):
        hashlib.sha256(data).digest()


def timed(do: Callable[[], object]) -> float:
    """Return the processor time that something takes."""
    start = time.process_time()
    do()
    return time.process_time() - start


def work(original: Path, folder: Path) -> None:
    """Do with a file what is done with an upload before anybody mends it."""
    as_read = folder / "as-read"
    inspection = inspect(original)
    reading = inspection.suggested
    if original.read_bytes().startswith(b"id;"):
        reading = Reading(delimiter=";")
    told = read(original, as_read, inspection, reading)
    with FindingsFile(folder / "findings") as file:
        source = original if told.is_same else as_read
        check(source, key="id", report=Report(sink=file.add))


if __name__ == "__main__":
    main()
