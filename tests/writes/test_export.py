"""What is exported: everything once, what changed again, whatever happens meanwhile."""

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from console.models import AuditEvent, Integration
from operations.models import LogEntry, Operation
from operations.models.transition import OperationTransition
from sandbox.app import Sandbox
from tests.conftest import stored_operation, unguarded
from tests.writes.making import confirm, make_draft, work_off
from writes.actions import export as exporting
from writes.models import Write

pytestmark = pytest.mark.django_db

CSV = b"external_id__c,LastName\nk-1,Name 1\nk-2,\nk-3,Name 3\n"
EXPORTS = ("export.started", "export.made")
Run = Callable[..., list[str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "warehouse"


@pytest.fixture
def run(folder: Path) -> Run:
    """A function that exports once, and returns the names of the files it made."""

    def exported(*options: str) -> list[str]:
        before = {path.name for path in folder.glob("*")}
        call_command("export", str(folder), *options, verbosity=0)
        return sorted(
            path.name for path in folder.glob("*-*") if path.name not in before
        )

    return exported


@pytest.fixture
def sent(sandbox: Sandbox, integration: Integration, olga: User) -> Write:
    write = make_draft(integration, olga, csv=CSV, primary_key="external_id__c")
    confirm(write, olga)
    work_off()
    write.refresh_from_db()
    return write


def table(folder: Path, pattern: str) -> list[dict[str, Any]]:
    """Return the rows of all Parquet files of a table, by an independent reader."""
    with duckdb.connect() as database:
        database.execute("SET TimeZone = 'UTC'")
        found = database.execute(
            "SELECT * FROM read_parquet(?) ORDER BY 1", [str(folder / pattern)]
        )
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def test_everything_is_exported_and_keys_only_if_asked_for(
    sent: Write, folder: Path, run: Run
) -> None:
    files = run("--by", "Ada")
    assert [name.partition("-0")[0] for name in files] == [
        *("audit_events", "export", "log_entries", "operations"),
    ]
    (operation,) = table(folder, "operations-*.parquet")
    stored = Operation.objects.get()
    assert operation["id"] == stored.pk
    assert operation["state"] == "partly_failed"
    assert (operation["rows_failed"], operation["write_id"]) == (1, sent.pk)
    assert operation["created_at"] == stored.created_at
    entries = table(folder, "log_entries-*.parquet")
    assert [entry["sequence"] for entry in entries] == list(
        LogEntry.objects.values_list("sequence", flat=True)
    )
    assert json.loads(entries[0]["raw"]) == LogEntry.objects.all()[0].raw
    events = table(folder, "audit_events-*.parquet")
    assert [event["hash"] for event in events][-1]
    assert run("--rows") == [
        *("audit_events-000002.parquet", "export-000002.json", "rows-000002.parquet"),
    ]
    rows = table(folder, "rows-*.parquet")
    assert [(row["key"], row["outcome"]) for row in rows] == [
        *(("k-1", "succeeded"), ("k-2", "failed"), ("k-3", "succeeded")),
    ]
    event = AuditEvent.objects.filter(action="export.made").order_by("pk")[0]
    assert event.actor_name == "Ada"
    told = json.loads((folder / "export-000001.json").read_text())
    assert told["files"] == event.detail["files"]


def test_files_are_for_this_user_alone(sent: Write, folder: Path, run: Run) -> None:
    before = os.umask(0)
    try:
        run()
    finally:
        os.umask(before)
    assert folder.stat().st_mode & 0o777 == 0o700
    for path in folder.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600, path


def test_csv_tells_an_empty_text_from_nothing(
    sent: Write, folder: Path, run: Run
) -> None:
    Operation.objects.update(purpose='=1+1, "two"\nlines')
    run("--format", "csv")
    path = folder / "operations-000001.csv"
    with path.open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["purpose"] == '=1+1, "two"\nlines'
    with duckdb.connect() as database:
        found = database.execute(
            "SELECT resolved_at, resolution FROM read_csv(?, allow_quoted_nulls=false)",
            [str(path)],
        )
        assert found.fetchone() == (None, "")


def test_again_comes_what_is_new_or_changed_and_nothing_else(
    sent: Write, folder: Path, run: Run
) -> None:
    project = sent.project
    values = {"project": project, "action": "follow", "state": "in_progress"}
    moving = stored_operation(remote_id="a", **values)
    stored_operation(remote_id="b", **values)
    run("--only", "operations", "log_entries")
    assert run("--only", "operations", "log_entries") == ["export-000002.json"]
    moving.change(only_from=("in_progress",), state="failed", due_at=None)
    late = stored_operation(remote_id="c", **values)
    LogEntry.objects.create(
        operation=moving, sequence=1, text="late", raw={}, fingerprint="late"
    )
    run("--only", "operations", "log_entries")
    again = table(folder, "operations-000003.parquet")
    assert [(row["id"], row["state"]) for row in again] == [
        *((moving.pk, "failed"), (late.pk, "in_progress")),
    ]
    (entry,) = table(folder, "log_entries-000003.parquet")
    assert entry["operation_id"] == moving.pk


def test_counts_that_a_late_log_changes_come_again(
    sent: Write, folder: Path, run: Run
) -> None:
    ended = stored_operation(
        project=sent.project, action="follow", state="in_progress", remote_id="a"
    )
    values = {"state": "partly_failed", "rows_failed": 1, "due_at": None}
    ended.change(only_from=("in_progress",), **values)
    run("--only", "operations")
    LogEntry.objects.create(
        operation=ended, sequence=1, text="late", raw={}, fingerprint="late"
    )
    ended.change(only_from=("partly_failed",), rows_failed=2)
    run("--only", "operations")
    (row,) = table(folder, "operations-000002.parquet")
    assert (row["id"], row["rows_failed"]) == (ended.pk, 2)
    assert run("--only", "operations") == ["export-000003.json"]


def test_a_decision_about_an_unknown_outcome_comes_again(
    sent: Write, folder: Path, run: Run
) -> None:
    unknown = stored_operation(
        project=sent.project, action="create", state="unknown", sent_at=timezone.now()
    )
    run("--only", "operations")
    unknown.resolve("Looked for, and not found.")
    run("--only", "operations")
    (row,) = table(folder, "operations-000002.parquet")
    assert (row["id"], row["resolution"]) == (unknown.pk, unknown.resolution)


@pytest.mark.parametrize("cut_at", [1, 2, 3, 4, 5])
def test_a_run_that_was_cut_off_is_done_anew(
    cut_at: int, sent: Write, folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = exporting._put
    count = 0

    def cut(*given: Any) -> Path:
        nonlocal count
        count += 1
        if count == cut_at:
            raise OSError(28, "No space left on device")
        return whole(*given)

    monkeypatch.setattr(exporting, "_put", cut)
    with pytest.raises(CommandError):
        run("--only", "operations", "log_entries")
    monkeypatch.setattr(exporting, "_put", whole)
    # What comes meanwhile is for the next run.
    stored_operation(
        project=sent.project, action="follow", state="in_progress", remote_id="late"
    )
    run("--only", "operations", "log_entries")
    run("--only", "operations", "log_entries")
    found = [row["id"] for row in table(folder, "operations-*.parquet")]
    assert found == list(Operation.objects.order_by("pk").values_list("pk", flat=True))
    entries = [row["id"] for row in table(folder, "log_entries-*.parquet")]
    assert len(entries) == len(set(entries)) == LogEntry.objects.count()
    assert not list(folder.glob(".*.half"))


def test_since_leaves_out_what_came_before(sent: Write, folder: Path, run: Run) -> None:
    Operation.objects.update(created_at="2001-01-01T00:00:00Z")
    new = stored_operation(
        project=sent.project, action="follow", state="in_progress", remote_id="new"
    )
    LogEntry.objects.create(
        operation=new, sequence=1, text="new", raw={}, fingerprint="new"
    )
    OperationTransition.objects.update(at="2001-01-01T00:00:00Z")
    run("--since", "2020-01-01", "--only", "operations", "log_entries")
    assert [row["id"] for row in table(folder, "operations-*.parquet")] == [new.pk]
    (entry,) = table(folder, "log_entries-*.parquet")
    assert entry["operation_id"] == new.pk
    with pytest.raises(CommandError):
        run("--since", "2020-01-01")


def test_what_does_not_fit_is_refused(sent: Write, folder: Path, run: Run) -> None:
    run("--only", "operations")
    with pytest.raises(CommandError):
        run("--format", "csv")
    with exporting._alone(folder), pytest.raises(CommandError):
        run("--only", "operations")
    (folder / "state.json").write_text("{")
    with pytest.raises(CommandError):
        run("--only", "operations")
    assert [path.name for path in folder.glob("operations-*")] == [
        "operations-000001.parquet"
    ]


@pytest.mark.postgres
def test_while_somebody_writes_nothing_is_left_out(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "LONGEST_WAIT", 0.0)
    other = connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_current_xact_id()")
        with pytest.raises(CommandError):
            run()
        other.rollback()
        assert run()
    finally:
        other.close()


def test_after_a_restored_back_up_nothing_is_left_out_silently(
    sent: Write, folder: Path, run: Run
) -> None:
    run("--format", "csv")
    before = (folder / "state.json").read_text()
    # The back-up was made before: other rows get the numbers that were exported.
    with unguarded():
        AuditEvent.objects.filter(action__in=["write.confirmed", *EXPORTS]).delete()
    with pytest.raises(CommandError, match="restored back-up"):
        run("--format", "csv")
    assert (folder / "state.json").read_text() == before
    files = sorted(path.name for path in folder.glob("operations-*"))
    assert files == ["operations-000001.csv"]
