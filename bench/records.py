"""Finding a record among 10,000 writes of 100,000,000 rows together.

The index holds random digests, as of rows that nobody has; a few writes have real rows
with one key in all of them. Every look-up is warm: what it reads is in memory.
"""

import os
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import memory
import running
from figures import figure, finish

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from writes.records import Hit

WRITES = 10_000
# How many rows of a hundred writes have: 10,000 on an average.
SIZES = (*(1_000,) * 70, *(10_000,) * 20, *(50_000,) * 9, 280_000)
REAL, REAL_ROWS = 30, 1_000
SHARED = "shared-key"
STRANGERS = 200
LOOK_UPS = 15
MOST_SECONDS = 1


def main() -> None:
    """Fill the index, and look things up in it."""
    with running.settings():
        from django.core.management import call_command
        from django.db import connection

        call_command("migrate", verbosity=0)
        is_server = connection.vendor == "postgresql"
        prefix = "records_postgresql" if is_server else "records"
        digesting(prefix)
        started = time.perf_counter()
        rows = fill()
        figure(f"{prefix}_filling", time.perf_counter() - started, "s")
        figure(f"{prefix}_rows", rows, "rows")
        figure(f"{prefix}_size", stored_bytes() / rows, "bytes a row")
        look_up(prefix)
        explain()
    finish()


def digesting(prefix: str) -> None:
    """Measure what the index adds to a join of 1,000,000 rows."""
    from files.rows.record_digests import Digests

    memory.forget_peak()
    base, started = memory.resident(), time.thread_time()
    Digests(b"0" * 32).packed(f"key-{number}" for number in range(1_000_000))
    seconds = time.thread_time() - started
    figure(f"{prefix}_digesting_1000000", seconds, "s of processor")
    figure(f"{prefix}_digesting_memory", memory.peak() - base, "MiB above base")


def fill() -> int:
    """Make the writes and their index; return how many rows they have together."""
    import filling
    from django.core.files.storage import default_storage
    from django.db import connection

    from writes import record_index
    from writes.models import Write

    filling.fill(WRITES)
    Write.objects.update(source=Write.Source.CSV, indexed=Write.Indexed.YES)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            sql = "COPY writes_indexedslice (slice, write_id, digests) FROM STDIN"
            with cursor.copy(f"{sql} (FORMAT BINARY)") as copy:  # type: ignore[attr-defined]
                copy.set_types(["int2", "int8", "bytea"])
                for row in slices():
                    copy.write_row(row)
    else:
        sql = "INSERT INTO writes_indexedslice (slice, write_id, digests)"
        with connection.cursor() as cursor:
            cursor.executemany(f"{sql} VALUES (%s, %s, %s)", slices())
    for number, write in enumerate(real_writes()):
        name = f"real-{number}.sqlite3"
        path = Path(default_storage.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        write_rows(path, number)
        Write.objects.filter(pk=write.pk).update(rows_store=name)
        record_index.keep(write, record_index.digests_of_rows(path))
    filling.tidy()
    return sum(size_of(number) for number in range(1, WRITES + 1))


def real_writes() -> "list":  # type: ignore[type-arg]
    """Return the writes that have rows, spread over all."""
    from writes.models import Write

    step = WRITES // REAL
    return list(Write.objects.filter(pk__in=range(step, WRITES + 1, step)))


def size_of(number: int) -> int:
    return SIZES[number * 37 % 100]


def slices() -> Iterator[tuple[int, int, bytes]]:
    """Yield the slices of all writes, write by write, as they come to be."""
    from files.rows.record_digests import KEPT_BYTES, SLICES

    for write in range(1, WRITES + 1):
        length = KEPT_BYTES * (size_of(write) // SLICES)
        made = os.urandom(length * SLICES)
        for number in range(SLICES):
            yield number, write, made[number * length : (number + 1) * length]


def write_rows(path: Path, number: int) -> None:
    from files.rows.row_tables import RowWriter

    with RowWriter(path) as writer:
        keys = [SHARED, *(f"real-{number}-{row}" for row in range(1, REAL_ROWS))]
        writer.add(
            (row, row, key, 0, None, None, 0, 0, None)
            for row, key in enumerate(keys, start=2)
        )
        writer.finish(loose=[], alarms=[])


def look_up(prefix: str) -> None:
    """Measure look-ups of a key in no, in one and in many writes; count wrong hits."""
    from django.contrib.auth.models import User

    from writes.records import find

    user = User.objects.get(username="operator")
    wrong = sum(len(find(user, f"stranger-{n}").hits) for n in range(STRANGERS))
    figure(f"{prefix}_wrong_candidates", wrong / STRANGERS, "a look-up")
    memory.forget_peak()
    base = memory.resident()
    for name, text, hits in (
        ("none", "nobody-has-this", 0),
        ("one", "real-7-500", 1),
        ("many", SHARED, REAL),
    ):
        seconds = timed(lambda text=text: find(user, text))  # type: ignore[misc]
        figure(f"{prefix}_{name}_median", statistics.median(seconds) * 1000, "ms")
        slowest = max(seconds)
        figure(f"{prefix}_{name}_slowest", slowest, "s", at_most=MOST_SECONDS)
        found = [hit for hit in all_hits(user, text) if not hit.is_doubtful]
        figure(f"{prefix}_{name}_hits", len(found), "writes", exactly=hits)
    figure(f"{prefix}_memory", memory.peak() - base, "MiB above base")
    page(prefix, user)


def all_hits(user: "User", text: str) -> Iterator["Hit"]:
    """Yield what all pages have: doubtful ones take their places on them, too."""
    from writes.records import find

    before = None
    while True:
        found = find(user, text, before=before)
        yield from found.hits
        before = found.before
        if before is None:
            return


def page(prefix: str, user: "User") -> None:
    """Measure the whole page, of a key that many writes carried."""
    from django.test import Client

    browser = Client()
    browser.force_login(user)
    seconds = timed(lambda: browser.get("/writes/records/", {"q": SHARED}))
    figure(f"{prefix}_page_median", statistics.median(seconds) * 1000, "ms")
    figure(f"{prefix}_page_slowest", max(seconds), "s", at_most=MOST_SECONDS)


def timed(work: Callable[[], object]) -> list[float]:
    """Return how long each of some look-ups took, after one that does not count."""
    work()
    seconds = []
    for _ in range(LOOK_UPS):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return seconds


def explain() -> None:
    """Show how the slices are read."""
    from writes.models import IndexedSlice

    slices = IndexedSlice.objects.with_digest(5, b"abc")
    read = slices.filter(write__integration__in=[1, 2, 3, 4, 5]).order_by("-write_id")
    print(read.values_list("write_id")[:26].explain())


def stored_bytes() -> int:
    """Return how much room the index takes, its own indexes among it."""
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_total_relation_size('writes_indexedslice')")
            return int(cursor.fetchone()[0])
        cursor.execute(
            "SELECT SUM(pgsize) FROM dbstat WHERE name LIKE '%indexedslice%'"
        )
        return int(cursor.fetchone()[0] or 0)


if __name__ == "__main__":
    main()
