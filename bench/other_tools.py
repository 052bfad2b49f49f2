"""Checks one file after the other with a tool that is not ours; needs none of ours.

Runs in `.venv/bench`, in a process of its own: `other_tools.py TOOL KEY KINDS FILE…`,
KINDS being the columns' types as JSON. Prints a line of JSON for each file: how many
rows the tool read, how many complaints it had, and how many MiB of memory it has had
at its peak. Each is asked for as much of what the console checks as it can do by
itself.
"""

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path

Found = tuple[int, int]
EMAIL = "[^@ ]+@[^@ ]+"
LONGEST = 32_000
RECORD_ID = "[0-9A-Za-z]{15}|[0-9A-Za-z]{18}"


def with_csv(path: Path, key: str, kinds: dict[str, str]) -> Found:
    """Only read with Python's own module, in strict mode."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return sum(1 for _ in csv.reader(file, strict=True)) - 1, 0
    except (csv.Error, UnicodeDecodeError):
        return 0, 1


def with_duckdb(path: Path, key: str, kinds: dict[str, str]) -> Found:
    """Read all as text, keep what was rejected, and try to cast each cell."""
    import duckdb

    types = {
        "date": "DATE",
        "datetime": "TIMESTAMP",
        "currency": "DECIMAL(18, 2)",
        "int": "BIGINT",
        "boolean": "BOOLEAN",
    }
    faults = [f'count(*) - count(DISTINCT "{key}")']
    for name, kind in kinds.items():
        if kind in types:
            cast = f'try_cast("{name}" AS {types[kind]})'
            faults.append(f'count(*) FILTER ("{name}" IS NOT NULL AND {cast} IS NULL)')
        elif kind in ("email", "reference"):
            pattern = EMAIL if kind == "email" else RECORD_ID
            match = f"""regexp_full_match("{name}", '{pattern}')"""
            faults.append(f"count(*) FILTER (NOT {match})")
        else:
            # Without a question, it would not look at the cells of a column at all.
            faults.append(f'count(*) FILTER (length("{name}") > {LONGEST})')
    # The words are this benchmark's own.
    query = (
        f"SELECT count(*), {' + '.join(faults)} FROM read_csv(?, "  # noqa: S608
        "delim=',', quote='\"', escape='\"', header=true, all_varchar=true, "
        "strict_mode=true, store_rejects=true)"
    )
    with duckdb.connect() as database:
        try:
            # All is fetched: what was rejected is kept when a query has ended.
            [(rows, told)] = database.execute(query, [str(path)]).fetchall()
        except duckdb.Error:
            return 0, 1
        query = "SELECT count(*) FROM reject_errors"
        [(rejected,)] = database.execute(query).fetchall()
        return rows, told + rejected


def with_polars(path: Path, key: str, kinds: dict[str, str]) -> Found:
    """Read all as text in its streaming engine, and try to cast each cell."""
    import polars as pl

    casts: dict[str, Callable[[pl.Expr], pl.Expr]] = {
        "date": lambda c: c.str.to_date("%Y-%m-%d", strict=False),
        "datetime": lambda c: c.str.to_datetime("%Y-%m-%dT%H:%M:%SZ", strict=False),
        "currency": lambda c: c.cast(pl.Float64, strict=False),
        "int": lambda c: c.cast(pl.Int64, strict=False),
        "boolean": lambda c: c.replace_strict({"true": True, "false": False}),
    }
    faults = [pl.len().cast(pl.Int64) - pl.col(key).n_unique()]
    for name, kind in kinds.items():
        column = pl.col(name)
        if kind in casts:
            failed = column.is_not_null() & casts[kind](column).is_null()
            faults.append(failed.sum())
        elif kind in ("email", "reference"):
            pattern = EMAIL if kind == "email" else RECORD_ID
            faults.append((~column.str.contains(f"^(?:{pattern})$")).sum())
        else:
            faults.append((column.str.len_chars() > LONGEST).sum())
    query = pl.scan_csv(path, infer_schema=False).select(
        pl.len().alias("rows"), pl.sum_horizontal(faults).alias("told")
    )
    try:
        found = query.collect(engine="streaming").row(0)
    except pl.exceptions.PolarsError:
        return 0, 1
    return found[0], found[1]


def with_frictionless(path: Path, key: str, kinds: dict[str, str]) -> Found:
    """Validate with a schema of the columns' types and the key."""
    import os

    from frictionless import Resource, Schema, validate

    types = {"currency": "number", "int": "integer"}
    types |= {kind: kind for kind in ("date", "datetime", "boolean")}
    fields = [{"name": n, "type": types.get(k, "string")} for n, k in kinds.items()]
    schema = Schema.from_descriptor({"fields": fields, "primaryKey": [key]})
    # It refuses absolute paths as unsafe.
    os.chdir(path.parent)
    report = validate(Resource(path.name, schema=schema, encoding="utf-8"))
    stats = report.tasks[0].stats if report.tasks else {}
    told = sum(task.stats["errors"] for task in report.tasks) + len(report.errors)
    return stats.get("rows", 0), told


TOOLS = {
    "csv": with_csv,
    "duckdb": with_duckdb,
    "polars": with_polars,
    "frictionless": with_frictionless,
}


def main() -> None:
    """Check each file, and print what came of it."""
    tool, key, kinds, *paths = sys.argv[1:]
    for path in paths:
        rows, told = TOOLS[tool](Path(path), key, json.loads(kinds))
        found = {"rows": rows, "told": told, "memory": peak()}
        print(json.dumps(found), flush=True)


def peak() -> float | None:
    """Return the most memory of this process in MiB, None where Linux is not there."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return None
    # Unlike what getrusage tells, this leaves out what was there before the process.
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
