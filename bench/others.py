"""What people would check a file with instead: DuckDB, and csvclean of csvkit.

The same 150 MiB as in `checking.py`, through each in a process of its own, to be seen
beside our figures: nothing here has a limit. They live in a place of their own, and a
line says so where they are not there:

    python -m venv .venv/bench
    .venv/bench/bin/pip install --require-hashes -r bench/requirements.txt
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import checking
from figures import figure, finish
from splitting import hash_file, seconds

INSTALLED = Path(__file__).resolve().parents[1] / ".venv" / "bench" / "bin"
CASTS = {
    "date": "DATE",
    "datetime": "TIMESTAMP",
    "currency": "DECIMAL(18, 2)",
    "int": "BIGINT",
    "boolean": "BOOLEAN",
}
# All is fetched: what was rejected is kept when a query has ended.
DUCKDB = """
import sys, duckdb
path, faults = sys.argv[1:]
query = (
    f"SELECT count(*), {faults} FROM read_csv(?, delim=',', header=true, "
    "all_varchar=true, strict_mode=true, store_rejects=true)"
)
[(rows, told)] = duckdb.execute(query, [path]).fetchall()
[(rejected,)] = duckdb.execute("SELECT count(*) FROM reject_errors").fetchall()
print(f"{rows:,} rows, {told + rejected:,} faults", file=sys.stderr)
"""


def main() -> None:
    """Print how long each takes, and how that compares with SHA-256."""
    if not (INSTALLED / "csvclean").exists():
        print("# DuckDB and csvkit are not installed: see bench/requirements.txt")
        return
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "bench.csv"
        checking.write(path, list(checking.FIELDS), size=150 * checking.MIB)
        sha256 = seconds(lambda: hash_file(path))
        figure("other_sha256_150mib", sha256 * 1000, "ms")
        python = str(INSTALLED / "python")
        measure("duckdb", [python, "-c", DUCKDB, str(path), queries()], sha256)
        csvclean = [str(INSTALLED / "csvclean"), "--enable-all-checks", str(path)]
        measure("csvclean", csvclean, sha256)
    finish()


def queries() -> str:
    """Return SQL that counts keys that repeat, and cells that are not of their type."""
    faults = [f'count(*) - count(DISTINCT "{checking.KEY}")']
    for field in checking.FIELDS:
        # Without a question it would not look at the cells of a column at all.
        wrong = f'length("{field.name}") > 32000'
        if field.type in CASTS:
            cast = f'try_cast("{field.name}" AS {CASTS[field.type]})'
            wrong = f'"{field.name}" IS NOT NULL AND {cast} IS NULL'
        faults.append(f"count(*) FILTER ({wrong})")
    return " + ".join(faults)


def measure(name: str, command: list[str], sha256: float) -> None:
    """Print the seconds of a tool, and the processor's, which others disturb less."""
    before, start = _processor(), time.perf_counter()
    run = subprocess.run(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    took = time.perf_counter() - start
    # csvclean ends with 1 where it found something.
    if run.returncode > 1 or "Traceback" in run.stderr:
        sys.exit(f"{name} failed: {run.stderr}")
    print(f"# {name}: {run.stderr.strip() or 'no complaint'}")
    figure(f"other_{name}_150mib", took, "s")
    figure(f"other_{name}_150mib_processor", _processor() - before, "s")
    figure(f"other_{name}_150mib_over_sha256", took / sha256, "ratio")


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
