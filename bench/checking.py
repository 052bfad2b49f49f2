"""How long a full check takes on either path, beside SHA-256 of the same bytes.

Every check runs in a process of its own, which also tells how much memory it took at
its peak beyond what it had when all was imported. The files are made anew each time;
their rows are sound, but for a few, and look like those of a CRM.
"""

import hashlib
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import memory  # noqa: E402
from figures import figure, finish  # noqa: E402

from files.checking.check import check  # noqa: E402
from files.field import Field  # noqa: E402
from files.values.record_ids import suffix  # noqa: E402

MIB = 2**20
KEY = "external_id__c"
ROUNDS = 3
# So many different rows follow each other, with keys that never come again.
VARIETY = 20_000
QUOTED, MULTILINE = 0.13, 0.03

TIERS = ("Gold", "Silver", "Bronze")
STAGES = ("Prospecting", "Qualification", "Closed Won", "Closed Lost")
WORDS = (
    *("north", "harbour", "office", "asked", "twice", "about"),
    *("delivery", "terms", "and", "the", "new", "price"),
)

_DATES = ("CloseDate", "start__c", "end__c")
_MOMENTS = ("occurred_at__c", "changed_at__c")
_AMOUNTS = ("Amount", "cost__c", "margin__c")
_TEXTS = ("City", "Street", "Phone", "MobilePhone", "Title", "Department", "Source")
FIELDS = (
    Field(name=KEY, length=80, is_external_id=True),
    Field(name="Name", length=120, is_required=True),
    *(Field(name=name, type="date") for name in _DATES),
    *(Field(name=name, type="datetime") for name in _MOMENTS),
    *(Field(name=name, type="currency", digits=16, scale=2) for name in _AMOUNTS),
    Field(name="count__c", type="int", digits=9),
    Field(name="Email", type="email", length=80),
    Field(name="tier__c", type="picklist", is_restricted=True, values=TIERS),
    Field(name="StageName", type="picklist", is_restricted=True, values=STAGES),
    Field(name="is_active__c", type="boolean"),
    Field(name="AccountId", type="reference", relationship="Account"),
    Field(name="OwnerId", type="reference", relationship="Owner"),
    *(Field(name=name, length=255) for name in _TEXTS),
    Field(name="Description", type="textarea", length=32_000),
)
NARROW = (KEY, "Name", "CloseDate", "occurred_at__c", "Amount", "count__c", "Email")
NARROW += ("tier__c", "AccountId", "Description")


def main() -> None:
    """Print the figures, or those of one check in this process."""
    if len(sys.argv) > 1:
        print(json.dumps(work(Path(sys.argv[1]), sys.argv[2], sys.argv[3])))
        return
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "bench.csv"
        narrow = [field for field in FIELDS if field.name in NARROW]
        write(path, list(FIELDS), size=150 * MIB)
        measure(path, "check_150mib_25_columns", "declared", big=True)
        write(path, narrow, rows=1_000_000)
        measure(path, "check_1m_rows_10_columns", "inferred", big=True)
        write(path, narrow, size=10 * MIB)
        measure(path, "check_10mib", "inferred", big=False)
    finish()


def measure(path: Path, name: str, fields: str, *, big: bool) -> None:
    """Print how long both paths take, what memory, and how that compares."""
    exact = [child(path, "exact", fields) for _ in range(1 if big else ROUNDS)]
    fast = [child(path, "fast", fields) for _ in range(ROUNDS)]
    assert exact[0]["told"] == fast[0]["told"], "The paths do not agree."
    slow, quick = (median(r["seconds"] for r in runs) for runs in (exact, fast))
    sha = median(run["sha256"] for run in exact + fast)
    figure(f"{name}_size", path.stat().st_size / MIB, "MiB")
    figure(f"{name}_rows", fast[0]["rows"], "rows")
    figure(f"{name}_sha256", sha * 1000, "ms")
    figure(f"{name}_exact", slow, "s")
    figure(f"{name}_fast", quick, "s")
    figure(f"{name}_exact_memory", exact[0]["memory"], "MiB above base")
    if big:
        # With all that starting takes: how others are measured.
        for path_name, runs in (("exact", exact), ("fast", fast)):
            whole = median(run["process"] for run in runs)
            figure(f"{name}_{path_name}_process", whole, "s")
            processor = median(run["processor"] for run in runs)
            figure(f"{name}_{path_name}_processor", processor, "s")
        figure(f"{name}_fast_over_sha256", quick / sha, "ratio", at_most=25)
        figure(f"{name}_fast_over_exact", quick / slow, "ratio", at_most=1 / 2.5)
        most = max(run["memory"] for run in fast)
        figure(f"{name}_fast_memory", most, "MiB above base", at_most=400)
    else:
        figure(f"{name}_fast_over_exact", quick / slow, "ratio", at_most=1)


def child(path: Path, engine: str, fields: str) -> dict[str, Any]:
    """Check the file in a process of its own."""
    command = [sys.executable, __file__, str(path), engine, fields]
    start = time.perf_counter()
    run = subprocess.run(command, check=True, capture_output=True)
    seconds = time.perf_counter() - start
    result: dict[str, Any] = json.loads(run.stdout)
    return result | {"process": seconds - result["sha256"]}


def work(path: Path, engine: Any, fields: str) -> dict[str, Any]:
    """Check the file in this process, and hash it."""
    before = time.process_time()
    start = time.perf_counter()
    with path.open("rb") as file:
        hashlib.file_digest(file, "sha256")
    hashed = time.perf_counter() - start
    hashed_by_processor = time.process_time() - before
    memory.forget_peak()
    base = memory.resident()
    declared = FIELDS if fields == "declared" else ()
    start = time.perf_counter()
    report = check(path, key=KEY, fields=declared, engine=engine)
    seconds = time.perf_counter() - start
    taken = memory.peak() - base
    told = {f"{group.rule} {group.column}": group.total for group in report.ordered()}
    return {
        "seconds": seconds,
        "sha256": hashed,
        "memory": taken,
        # Counted from the start of the process, imports and all.
        "processor": time.process_time() - hashed_by_processor,
        "rows": report.rows,
        "told": told,
    }


def write(path: Path, fields: list[Field], *, size: int = 0, rows: int = 0) -> None:
    """Write a file of so many bytes or rows."""
    dice = random.Random(1)  # noqa: S311
    tails = [",".join(tail(fields, dice)) + "\n" for _ in range(VARIETY)]
    with path.open("w", newline="") as file:
        file.write(",".join(field.name for field in fields) + "\n")
        written = 0
        for row in range(rows) if rows else count():
            line = f"key-{row:09}{tails[row % VARIETY]}"
            file.write(line)
            written += len(line)
            if size and written >= size:
                return


def tail(fields: list[Field], dice: random.Random) -> Iterator[str]:
    """Yield the cells of a row but for its key, which a comma follows."""
    yield ""
    shape = dice.random()
    for field in fields[1:-1]:
        yield value(field, dice)
    text = " ".join(dice.choices(WORDS, k=dice.randint(2, 7)))
    if shape < MULTILINE:
        text = f'"{text}\nsecond line"'
    elif shape < QUOTED:
        text = f'"{text}, ""so to say"""'
    yield text


def value(field: Field, dice: random.Random) -> str:
    """Return a value of a field: blank now and then, rarely a wrong one."""
    if not field.is_required and dice.random() < 0.05:
        return ""
    day = f"20{dice.randint(10, 29)}-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}"
    if field.type == "date":
        return day if dice.random() > 0.0005 else "12/31/2024"
    if field.type == "datetime":
        return f"{day}T{dice.randint(0, 23):02}:{dice.randint(0, 59):02}:00Z"
    if field.type == "currency":
        return f"{dice.randint(0, 10**6)}.{dice.randint(0, 99):02}"
    if field.type == "int":
        return str(dice.randint(0, 99_999))
    if field.type == "email":
        return f"{dice.choice(WORDS)}.{dice.randint(1, 10**5)}@example.com"
    if field.type == "picklist":
        return dice.choice(field.values)
    if field.type == "boolean":
        return dice.choice(("true", "false"))
    if field.type == "reference":
        short = f"001xx00000{dice.randint(0, 10**5 - 1):05}"
        return short + suffix(short)
    return f"{dice.choice(WORDS)} {dice.randint(1, 999)}".title()


if __name__ == "__main__":
    main()
