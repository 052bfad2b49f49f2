"""Taking history away into files for a warehouse, each time what is new.

What a run writes is decided and kept in `state.json` first. A run that was cut off is
done anew with the same ranges and names, so that nothing is missing or there twice. A
file has its name once it is whole; `export-….json`, which names the files of a run with
their digests, comes last.
"""

import csv
import fcntl
import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import batched, chain
from pathlib import Path
from time import monotonic, sleep
from typing import Any, BinaryIO

from django.db import connection
from django.db.models import Max, Min, Model, Q
from django.utils import timezone

from console.actor import Actor
from console.api.tables import Kind, Table
from console.models import AuditEvent
from files import parquet
from files.parquet import ParquetColumn, ParquetWriter
from files.rows.row_store import RowStore
from operations.models import LogEntry, Operation
from operations.models.transition import OperationTransition
from operations.tables import AUDIT_EVENT, LOG_ENTRY, OPERATION
from writes.models import FileJob, Write
from writes.tables import ROW, row_values

CSV, PARQUET = "csv", "parquet"
STATE = "state.json"
# So many rows are read at a time.
PIECE = 5_000
# Nobody waits longer for transactions of others.
LONGEST_WAIT = 60.0


class ExportRefused(Exception):
    """An export that was not begun, or not ended; says why, and what to do."""


# What is exported, by the beginning of its files' names.
TABLES: dict[str, Table] = {
    "operations": OPERATION,
    "log_entries": LOG_ENTRY,
    "audit_events": AUDIT_EVENT,
    "rows": ROW,
}
# Without a wish all but the rows: they hold the keys of customers' records.
USUAL = ("operations", "log_entries", "audit_events")


@dataclass(frozen=True)
class Written:
    """One file of a run."""

    name: str
    table: str
    rows: int
    size: int
    sha256: str

    def as_json(self) -> dict[str, Any]:
        """Return what the list of files of a run says of it."""
        return {
            "name": self.name,
            "table": self.table,
            "rows": self.rows,
            "bytes": self.size,
            "sha256": self.sha256,
        }


def export(
    folder: Path,
    *,
    form: str,
    wanted: Iterable[str],
    actor: Actor,
    since: datetime | None = None,
) -> list[Written]:
    """Write what is new since the last run into `folder`; return the files.

    `since` is where the first run begins. Raises `ExportRefused`.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone(folder):
        state = _state(folder, form)
        plan = state.get("pending")
        _need_same_history((plan or state).get("head"))
        if plan is None:
            if since and state["run"]:
                raise ExportRefused(
                    "Nothing was exported: --since is for the first run into a "
                    "directory. Leave it out, or choose an empty one."
                )
            if since:
                state["done"] = _beginning(since)
            plan = _plan(state, [name for name in TABLES if name in wanted])
            state["pending"] = plan
            _store(folder, state)
            _tell("export.started", folder, plan, actor, {"format": form})
        files = [
            written
            for name in plan["ranges"]
            if (written := _write(folder, form, name, plan))
        ]
        told = [each.as_json() for each in files]
        _put(folder, f"export-{plan['run']:06}.json", _json_of(plan, form, told))
        _store(folder, _after(state, plan))
        _tell("export.made", folder, plan, actor, {"files": told})
    return files


def _tell(
    action: str, folder: Path, plan: dict[str, Any], actor: Actor, more: dict[str, Any]
) -> None:
    AuditEvent.record(
        action=action,
        subject=f"Export {plan['run']} to {folder.name}",
        actor=actor,
        detail={"run": plan["run"], "tables": list(plan["ranges"]), **more},
    )


# --- What a run writes ----------------------------------------------------------------


def _plan(state: dict[str, Any], wanted: list[str]) -> dict[str, Any]:
    """Return the ranges of a run: ids behind the first up to the last."""
    done = state["done"]
    newest = {
        "operations": _newest(Operation),
        "log_entries": _newest(LogEntry),
        "audit_events": _newest(AuditEvent),
        "rows": _newest(FileJob),
        "transitions": _newest(OperationTransition),
    }
    _wait_for_those_who_write()
    plan: dict[str, Any] = {"run": state["run"] + 1, "head": _head()}
    plan["ranges"] = {name: [done.get(name, 0), newest[name]] for name in wanted}
    if "operations" in wanted:
        plan["transitions"] = [done.get("transitions", 0), newest["transitions"]]
        # States of earlier versions do not tell how far logs were looked at.
        logs_before = done.get("log_entries", newest["log_entries"])
        plan["logs"] = [done.get("logs", logs_before), newest["log_entries"]]
        # Before they are read: what changes from now on is another version next time.
        plan["open"] = _open(newest["operations"])
        plan["changed"] = _changed(state, plan)
    if "rows" in wanted:
        jobs = FileJob.objects.filter(pk__lte=newest["rows"], state__in=FileJob.OPEN)
        plan["jobs_open"] = list(jobs.values_list("pk", flat=True))
        plan["jobs_before"] = state.get("jobs_open", [])
    return plan


def _after(state: dict[str, Any], plan: dict[str, Any]) -> dict[str, Any]:
    """Return the state once all that was planned is there."""
    done = {**state["done"], **{n: last for n, (_, last) in plan["ranges"].items()}}
    done |= {n: plan[n][1] for n in ("transitions", "logs") if n in plan}
    kept = {name: plan.get(name, state.get(name, [])) for name in ("open", "jobs_open")}
    new = {**state, **kept, "run": plan["run"], "done": done, "head": plan.get("head")}
    del new["pending"]
    return new


def _beginning(since: datetime) -> dict[str, int]:
    """Return the ids behind which lies all that came since a moment."""

    def before(model: type[Model], newer: Q) -> int:
        rows = model._default_manager.filter(newer)
        first: int | None = rows.aggregate(first=Min("pk"))["first"]
        return _newest(model) if first is None else first - 1

    operations = before(Operation, Q(created_at__gte=since))
    return {
        "operations": operations,
        "log_entries": before(LogEntry, Q(operation_id__gt=operations)),
        "audit_events": before(AuditEvent, Q(at__gte=since)),
        "rows": before(FileJob, Q(created_at__gte=since)),
        "transitions": before(OperationTransition, Q(at__gte=since)),
    }


def _newest(model: type[Model]) -> int:
    rows = model._default_manager.all()
    return rows.aggregate(last=Max("pk"))["last"] or 0


def _head() -> list[Any] | None:
    """Return the newest event of the audit trail: its number and its seal."""
    newest = AuditEvent.objects.newest_first().values_list("pk", "hash").first()
    return list(newest) if newest else None


def _need_same_history(head: list[Any] | None) -> None:
    """Refuse where this database has not what a run saw that was before.

    After a restored back-up other rows come under numbers that were exported already,
    and would be missing. States of earlier versions name no event.
    """
    if head and not AuditEvent.objects.filter(pk=head[0], hash=head[1]).exists():
        raise ExportRefused(
            f"Nothing was exported: event {head[0]} of the audit trail, which the run "
            "before saw, is not in this database. It is a restored back-up or another "
            "one, and has other rows under numbers that were exported already. Export "
            "into an empty directory, and load that in place of what was loaded."
        )


def _wait_for_those_who_write() -> None:
    """Wait until who wrote at this moment has ended, so that no lower id comes later.

    PostgreSQL gives out ids before they can be seen. In SQLite one writes at a time.
    Raises `ExportRefused` where it takes too long.
    """
    if connection.vendor != "postgresql":
        return
    until = monotonic() + LONGEST_WAIT
    with connection.cursor() as cursor:
        writing = _writing(cursor)
        while writing:
            if monotonic() > until:
                raise ExportRefused(
                    "Nothing was exported: a transaction in the database has lasted "
                    f"for {LONGEST_WAIT:.0f} seconds, and what it writes would be "
                    "missing. Try again later, or end it (pg_stat_activity names it)."
                )
            sleep(0.1)
            writing &= _writing(cursor)


def _writing(cursor: Any) -> set[tuple[int, str]]:
    """Return the transactions of others that have written here and not ended."""
    # Within a transaction the view would stay as it was seen first.
    cursor.execute("SELECT pg_stat_clear_snapshot()")
    cursor.execute(
        "SELECT pid, backend_xid::text FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid() "
        "AND backend_xid IS NOT NULL"
    )
    return set(cursor.fetchall())


def _open(last: int) -> list[list[int]]:
    """Return the number and version of operations that may still change by themselves.

    Those in flight or queued, watched, or unknown with nobody having decided.
    """
    State = Operation.State  # noqa: N806 - a class
    moving = Q(state__in=(State.HELD, *Operation.IN_FLIGHT)) | Q(due_at__isnull=False)
    undecided = Q(state=State.UNKNOWN, resolved_at=None)
    found = Operation.objects.filter(moving | undecided, pk__lte=last).order_by("pk")
    return [list(pair) for pair in found.values_list("pk", "version")]


def _changed(state: dict[str, Any], plan: dict[str, Any]) -> list[int]:
    """Return the numbers of operations that were exported before and changed since."""
    known, (first, last) = plan["ranges"]["operations"][0], plan["transitions"]
    moved = OperationTransition.objects.filter(
        pk__gt=first, pk__lte=last, operation_id__lte=known
    )
    changed = set(moved.values_list("operation_id", flat=True))
    first, last = plan["logs"]
    # What comes late to a log may change counts and no state.
    logged = LogEntry.objects.filter(
        pk__gt=first, pk__lte=last, operation_id__lte=known
    )
    changed |= set(logged.order_by().values_list("operation_id", flat=True).distinct())
    for pairs in batched(state.get("open", []), 500):
        versions = dict(pairs)
        now = Operation.objects.filter(pk__in=versions).values_list("pk", "version")
        changed |= {pk for pk, version in now if version != versions[pk]}
    return sorted(changed)


# --- Reading --------------------------------------------------------------------------


def _rows_of(name: str, plan: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    first, last = plan["ranges"][name]
    match name:
        case "operations":
            for pks in batched(plan["changed"], 500):
                again = Operation.objects.filter(pk__in=pks).order_by("pk")
                yield from OPERATION.rows(again)
            yield from _by_key(OPERATION, Operation, first, last)
        case "log_entries":
            yield from _by_key(LOG_ENTRY, LogEntry, first, last)
        case "audit_events":
            yield from _by_key(AUDIT_EVENT, AuditEvent, first, last)
        case "rows":
            yield from _rows_of_files(first, last, plan["jobs_before"])


def _by_key(
    table: Table, model: type[Model], first: int, last: int
) -> Iterator[tuple[Any, ...]]:
    """Yield the rows with keys in a range, piece by piece: no query lasts long."""
    rows = model._default_manager.filter(pk__lte=last).order_by("pk")
    while found := list(table.rows(rows.filter(pk__gt=first)[:PIECE])):
        yield from found
        first = found[-1][0]


def _rows_of_files(
    first: int, last: int, before: list[int]
) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of all writes that were matched since; anew if matched again."""
    new = FileJob.objects.filter(pk__gt=first, pk__lte=last)
    late = FileJob.objects.filter(pk__in=before)
    jobs = (new | late).filter(kind=FileJob.Kind.JOIN, state=FileJob.State.DONE)
    numbers = sorted(set(jobs.values_list("write_id", flat=True)))
    for write in chain.from_iterable(
        Write.objects.filter(pk__in=pks).order_by("pk") for pks in batched(numbers, 100)
    ):
        try:
            with RowStore(write.path_of("rows_store")) as store:
                yield from (row_values(write, each) for each in store.outcomes())
        except (FileNotFoundError, sqlite3.DatabaseError):
            # Deleted by retention, or damaged: its page says so.
            continue


# --- Writing --------------------------------------------------------------------------


def _write(folder: Path, form: str, name: str, plan: dict[str, Any]) -> Written | None:
    """Write one table of a run; None where nothing of it is new."""
    rows = TABLES[name].in_cells(_rows_of(name, plan))
    first = next(rows, None)
    if first is None:
        return None
    put = _put_parquet if form == PARQUET else _put_csv
    file_name = f"{name}-{plan['run']:06}.{form}"
    counts: list[int] = []

    def content(file: BinaryIO) -> None:
        counts.append(put(file, TABLES[name], chain([first], rows)))

    path = _put(folder, file_name, content)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Written(file_name, name, counts[0], path.stat().st_size, digest)


_KEPT_AS: dict[Kind, parquet.Kind] = {
    Kind.INTEGER: "integer",
    Kind.TEXT: "text",
    Kind.JSON: "text",
    Kind.MOMENT: "timestamp",
}


def _put_parquet(file: BinaryIO, table: Table, rows: Iterable[list[Any]]) -> int:
    columns = [
        ParquetColumn(column.name, _KEPT_AS[column.kind], column.optional)
        for column in table.columns
    ]
    writer = ParquetWriter(file, columns)
    writer.write(rows)
    writer.finish()
    return writer.count


def _put_csv(file: BinaryIO, table: Table, rows: Iterable[list[Any]]) -> int:
    """Write exact CSV for programs: texts in quotes, null as an empty cell without."""
    count = 0
    with open(file.fileno(), "w", encoding="utf-8", newline="", closefd=False) as text:
        writer = csv.writer(text, quoting=csv.QUOTE_STRINGS, lineterminator="\n")
        writer.writerow(table.names)
        for row in rows:
            writer.writerow([_in_text(cell) for cell in row])
            count += 1
    return count


def _in_text(cell: Any) -> Any:
    if isinstance(cell, datetime):
        return cell.isoformat()
    return cell.encode(errors="replace").decode() if isinstance(cell, str) else cell


def _put(folder: Path, name: str, write: Callable[[BinaryIO], object]) -> Path:
    """Write a file for this user alone that has its name once it is whole."""
    half, path = folder / f".{name}.half", folder / name
    half.unlink(missing_ok=True)
    with open(os.open(half, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), "wb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)
    return path


def _json_of(
    plan: dict[str, Any], form: str, files: list[dict[str, Any]]
) -> Callable[[BinaryIO], object]:
    content = {
        "run": plan["run"],
        "made_at": timezone.now().isoformat(),
        "format": form,
        "files": files,
    }
    text = json.dumps(content, indent=1) + "\n"
    return lambda file: file.write(text.encode())


# --- What is remembered ---------------------------------------------------------------


def _state(folder: Path, form: str) -> dict[str, Any]:
    """Return what the last run left. Raises `ExportRefused` where it does not fit."""
    path = folder / STATE
    if not path.exists():
        return {"format": form, "run": 0, "done": {}}
    try:
        state: dict[str, Any] = json.loads(path.read_text())
    except ValueError:
        raise ExportRefused(
            f"Nothing was exported: {path} cannot be read. Put back the one of a "
            "back-up, or begin anew in an empty directory."
        ) from None
    if state["format"] != form:
        raise ExportRefused(
            f"Nothing was exported: {folder} holds {state['format']}. Use --format "
            f"{state['format']}, or another directory."
        )
    return state


def _store(folder: Path, state: dict[str, Any]) -> None:
    text = json.dumps(state)
    _put(folder, STATE, lambda file: file.write(text.encode()))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one export at a time write into a directory."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise ExportRefused(
            "Nothing was exported: another export writes into this directory now."
        ) from None
    finally:
        os.close(opened)
