"""How long splitting 150 MiB into parts takes, beside hashing the same bytes.

Cutting 100,000 rows out of 1,000,000 and leaving rows out are shown too.
"""

import hashlib
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))

from figures import figure, finish

from files.mending.mend import mend
from files.mending.recipes import ColumnRecipe, Recipe
from files.raw_records import cut
from files.splitting import split

SIZE = 150 * 2**20
LIMIT = 10 * 2**20
ROUNDS = 5


def main() -> None:
    """Print the times and the ratio that is promised."""
    with tempfile.TemporaryDirectory() as folder:
        path, target = Path(folder, "sent.csv"), Path(folder, "target.csv")
        rows = write(path)
        hashed, took = alternately(
            lambda: hash_file(path), lambda: split(path, limit=LIMIT)
        )
        figure("split_150mib_rows", rows, "rows")
        figure("split_150mib", took * 1000, "ms")
        figure("split_150mib_over_sha256", took / hashed, "ratio", at_most=3)
        some = range(2, rows, 10)
        cutting = seconds(lambda: cut(path, target, some))
        figure("cut_every_tenth_row_of_150mib", cutting * 1000, "ms")
        rename = Recipe(columns={"a": ColumnRecipe("b")})
        figure("mend_150mib_rename", mending(path, target, rename), "ms")
        out = Recipe(left_out=tuple((row, row) for row in some))
        figure("mend_150mib_rows_left_out", mending(path, target, out), "ms")
        trim = Recipe(columns={"a": ColumnRecipe("a", trim=True)})
        figure("mend_150mib_trim", mending(path, target, trim, rounds=1), "ms")
    finish()


def write(path: Path) -> int:
    """Write 150 MiB: 13 % of the records hold quotes, 3 % run over several lines."""
    dice = random.Random(3)  # noqa: S311
    cells = ",".join(["Some value 123"] * 8)
    kinds = ["Name", '"a, ""b"""', '"a\nb\nc"']
    rows = size = 0
    with path.open("w", newline="") as file:
        size += file.write("id,a,c1,c2,c3,c4,c5,c6,c7,c8\n")
        while size < SIZE:
            kind = dice.choices(kinds, (87, 10, 3))[0]
            size += file.write(f"key-{rows:07},{kind},{cells}\n")
            rows += 1
    return rows


def hash_file(path: Path) -> None:
    """Hash the file as it lies there."""
    with path.open("rb") as file:
        hashlib.file_digest(file, "sha256")


def mending(path: Path, target: Path, recipe: Recipe, rounds: int = ROUNDS) -> float:
    """Return the milliseconds that mending takes."""
    return 1000 * seconds(lambda: mend(path, target, recipe), rounds)


def alternately(*actions: Callable[[], object]) -> list[float]:
    """Return each action's median, measured in turns: the machine has other work."""
    times: list[list[float]] = [[] for _ in actions]
    for _ in range(ROUNDS):
        for action, taken in zip(actions, times, strict=True):
            taken.append(seconds(action, 1))
    return [median(taken) for taken in times]


def seconds(action: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Return the median of a few runs."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return median(times)


if __name__ == "__main__":
    main()
