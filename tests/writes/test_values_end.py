"""After retention no value of a customer's record is anywhere in the console.

A word that nothing else contains is sent in every kind of write. Then every column of
every table is looked through, and every file.
"""

import json
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import timezone

from console.models import AuditEvent, Project
from files.mending.recipes import ColumnRecipe, Recipe
from operations.actions import follow
from operations.models import Operation
from operations.worker import count_days
from sandbox.app import Sandbox
from tests.conftest import actor, make_project
from tests.writes.making import (
    check_draft,
    confirm,
    have_jobs_done,
    make_draft,
    records,
    work_off,
)
from writes.actions import forget_values, kept_files, retention, settle
from writes.actions.preserve import preserve
from writes.models import Batch, IndexedValue, Preservation, SearchTerm, Write
from writes.recipe import recipe_as_json
from writes.worker import run_calls, send, watch_calls

MARK = "Quendrimax"
KEY = "external_id__c"
DAYS = 30

pytestmark = pytest.mark.django_db


def later(**parts: float) -> datetime:
    return timezone.now() + timedelta(**parts)


# --- Looking for it -------------------------------------------------------------------


def readings(value: Any) -> Iterator[str]:
    """Yield every way in which a column may hold a text."""
    if isinstance(value, memoryview | bytes | bytearray):
        content = bytes(value)
        yield content.decode(errors="replace")
        try:
            yield zlib.decompress(content).decode(errors="replace")
        except zlib.error:
            pass
    elif isinstance(value, str):
        yield value
        if value[:1] in "[{":
            try:
                yield json.dumps(json.loads(value), ensure_ascii=False)
            except ValueError:
                pass
    elif value is not None:
        yield repr(value)


def has_it(text: str) -> bool:
    return MARK.casefold() in text.casefold()


def where_in_tables() -> set[str]:
    """Return every column of every table that holds the word."""
    found = set()
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            cursor.execute(f'SELECT * FROM "{model._meta.db_table}"')
            names = [column[0] for column in cursor.description]
            for row in cursor.fetchall():
                for name, value in zip(names, row, strict=True):
                    if any(map(has_it, readings(value))):
                        found.add(f"{model._meta.db_table}.{name}")
    return found


def where_in_files(folder: Path) -> set[str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {p.name for p in files if any(map(has_it, readings(p.read_bytes())))}


def left(folder: Path) -> set[str]:
    """Return all places where the word is, in tables and files."""
    return where_in_tables() | where_in_files(folder)


# --- Kinds of writes ------------------------------------------------------------------


@pytest.fixture
def today(db: None) -> Project:
    """A project that speaks today's API."""
    return make_project("Today", remote_id="demo-c", generation="C")


@pytest.fixture
def april(db: None) -> Project:
    """A project that speaks the API of 2024-04."""
    return make_project("April", remote_id="demo-b", generation="B")


def run_all() -> None:
    """Do all that is to be done of all writes, whatever their kind."""
    for operation in Operation.objects.filter(kind="run", state="waiting"):
        run_calls.run(operation.pk)
    for call in list(watch_calls.Call.objects.accepted()):
        now = timezone.now()
        watch_calls.Call.objects.filter(pk=call.pk).update(due_at=now)
        watch_calls.watch([call.pk], now)
    plain = Operation.objects.filter(kind="request", state="waiting")
    for pk in plain.values_list("pk", flat=True):
        send.send(pk)
    if Operation.objects.filter(kind="run", state="in_progress").exists():
        settle.join_told(timezone.now())
        have_jobs_done()
    else:
        work_off()
    count_days.count_marked(seconds=60)


def sent(write: Write, user: User) -> Write:
    confirm(write, user, repeat_reason="for tests")
    run_all()
    Operation.objects.update(due_at=None)
    run_all()
    settle.join_told(timezone.now())
    have_jobs_done()
    write.refresh_from_db()
    return write


GOOD = {"LastName": MARK, "Description": f"about {MARK}"}
# Salesforce refuses both, and says why with the value.
BAD_MAIL = {"LastName": "Berg", "Email": MARK}


def record_id(sandbox: Sandbox) -> str:
    found = records(sandbox, "contact")
    return str(found[0]["Id"])


def csv_of(*rows: str, head: str) -> bytes:
    return "\n".join([head, *rows, ""]).encode()


UPSERTED = csv_of(
    f"{MARK}-1,Berg,a@example.com",
    f"k-2,{MARK},b@example.com",
    f"{MARK}-3,,c@example.com",
    f"k-4,Berg,{MARK}",
    head=f"{KEY},LastName,Email",
)
CREATED = csv_of(
    f"{MARK},a@example.com",
    ",b@example.com",
    f"Berg,{MARK}",
    head="LastName,Email",
)

type Make = Callable[[Project, User, Sandbox], Write]


def record(action: str, fields: dict[str, Any]) -> Make:
    def made(project: Project, user: User, sandbox: Sandbox) -> Write:
        values: dict[str, Any] = {}
        if action != "create":
            # Something to be updated or deleted.
            integration = project.integrations.get()
            sent(make_draft(integration, user, record={"LastName": "Old"}), user)
            values["record_id"] = record_id(sandbox)
        return make_draft(
            project.integrations.get(), user, action=action, record=fields, **values
        )

    return made


def file(action: str, csv: bytes, **values: Any) -> Make:
    def made(project: Project, user: User, sandbox: Sandbox) -> Write:
        content = csv
        if b"{id}" in csv:
            old = make_draft(
                project.integrations.get(), user, record={"LastName": "Old"}
            )
            sent(old, user)
            content = csv.replace(b"{id}", record_id(sandbox).encode())
        return make_draft(
            project.integrations.get(), user, action=action, csv=content, **values
        )

    return made


def mended(project: Project, user: User, sandbox: Sandbox) -> Write:
    """A file with edited cells, an added column, replaced values, a row left out."""
    write = make_draft(
        project.integrations.get(),
        user,
        csv=csv_of("k-1,Berg", "k-2,Tal", f"k-3,{MARK}", head=f"{KEY},LastName"),
        primary_key=KEY,
    )
    recipe = Recipe(
        columns={"LastName": ColumnRecipe(name="LastName", replaced=(("Berg", MARK),))},
        constants=(("Description", MARK),),
        cells={(3, "LastName"): MARK},
        left_out=((4, 4),),
    )
    assert write.revise(recipe_json=recipe_as_json(recipe), is_ready=False)
    check_draft(write)
    return write


A: dict[str, Make] = {
    "create": record("create", GOOD),
    "create-refused": record("create", BAD_MAIL),
    "update": record("update", GOOD),
    "update-refused": record("update", BAD_MAIL),
    "csv-upsert": file("upsert", UPSERTED, primary_key=KEY),
    "csv-mended": mended,
}
B: dict[str, Make] = {
    "create": record("create", GOOD),
    "csv-upsert": file("upsert", UPSERTED, primary_key=KEY),
    "csv-delete": file(
        "delete",
        csv_of(f"{MARK}-1", f"{MARK}-2", head=KEY),
        primary_key=KEY,
        deletes_in_bulk=True,
    ),
}
C: dict[str, Make] = {
    "create": record("create", GOOD),
    "create-refused": record("create", BAD_MAIL),
    "update": record("update", GOOD),
    "delete": record("delete", {}),
    "csv-create": file("create", CREATED),
    "csv-create-later": file("create", CREATED, deadline_hours=24),
    "csv-update": file(
        "update",
        csv_of(f"{{id}},{MARK}", f"003{MARK}00AAA,x", head="Id,LastName"),
        primary_key="Id",
    ),
    "csv-by-id": file(
        "by_id",
        csv_of(f"{{id}},{MARK},", f",{MARK},{MARK}", head="Id,LastName,Email"),
        primary_key="Id",
    ),
    "csv-delete": file(
        "delete", csv_of("{id}", f"003{MARK}00AAA", head="Id"), primary_key="Id"
    ),
}
KINDS = [
    *(("project", name, make) for name, make in A.items()),
    *(("april", name, make) for name, make in B.items()),
    *(("today", name, make) for name, make in C.items()),
]


@pytest.mark.parametrize(
    ("generation", "make"),
    [pytest.param(g, make, id=f"{g}-{name}") for g, name, make in KINDS],
)
def test_no_value_is_anywhere_after_its_time(
    generation: str,
    make: Make,
    sandbox: Sandbox,
    olga: User,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    project = request.getfixturevalue(generation)
    write = sent(make(project, olga, sandbox), olga)
    assert write.state == Write.State.CONFIRMED
    assert all(
        each.ended_at or each.state == "rejected" for each in Operation.objects.all()
    )
    if write.action != "delete" or write.source == "csv":
        assert left(tmp_path)
    before = Operation.objects.order_by("pk").values_list(
        "state", "rows_succeeded", "rows_failed"
    )
    counts = list(before)
    retention.sweep(later(days=DAYS + 1))
    assert left(tmp_path) == set()
    assert list(before.all()) == counts
    write.refresh_from_db()
    assert write.values_deleted_at
    if write.source == "csv":
        assert write.check_report["as_sent_sha256"]
    else:
        assert Batch.objects.get(write=write).sha256


@pytest.mark.parametrize("kind", ["draft", "discarded", "faulty"])
def test_no_value_of_a_draft_is_anywhere_after_a_day(
    kind: str, sandbox: Sandbox, project: Project, olga: User, tmp_path: Path
) -> None:
    integration = project.integrations.get()
    drafts = [make_draft(integration, olga, record=GOOD)]
    if kind == "faulty":
        rows = csv_of(f"{MARK},x", f"{MARK},y", head=f"{KEY},LastName")
        drafts += [
            make_draft(integration, olga, csv=rows, primary_key=KEY, faulty=True)
        ]
    else:
        drafts += [make_draft(integration, olga, csv=UPSERTED, primary_key=KEY)]
    if kind == "discarded":
        for draft in drafts:
            draft.change(only_from="draft", state="discarded")
    kept_files.keep(SimpleUploadedFile("x.csv", UPSERTED), "x.csv", olga, actor(olga))
    assert left(tmp_path)
    retention.sweep(later(days=1, minutes=1))
    assert left(tmp_path) == set()
    assert set(Write.objects.values_list("state", flat=True)) == {"discarded"}


def test_no_value_of_what_others_wrote_is_anywhere_after_its_time(
    sandbox: Sandbox, project: Project, olga: User, tmp_path: Path
) -> None:
    """An operation of another program has no write: its log has a time of its own."""
    write = sent(A["csv-upsert"](project, olga, sandbox), olga)
    ours = write.batches.get().operation
    remote_id = ours.remote_id
    Operation.objects.filter(pk=ours.pk).update(remote_id="")
    theirs, _ = follow.follow(project=project, remote_id=remote_id, actor=actor(olga))
    run_all()
    Operation.objects.update(due_at=None)
    theirs.refresh_from_db()
    assert theirs.log_entries.exists()
    assert theirs.ended_at
    retention.sweep(later(days=DAYS + 1))
    assert left(tmp_path) == set()
    theirs.refresh_from_db()
    assert theirs.values_deleted_at
    assert theirs.log_deleted_at


@pytest.mark.parametrize("kind", [Preservation.Kind.HOLD, Preservation.Kind.PIN])
@pytest.mark.parametrize("name", ["create", "create-refused", "csv-upsert"])
def test_what_is_held_keeps_all_of_its_values(
    name: str, kind: Any, sandbox: Sandbox, project: Project, olga: User, tmp_path: Path
) -> None:
    write = sent(A[name](project, olga, sandbox), olga)
    preserve(write, kind, actor(olga), reason="Case 7")
    before = left(tmp_path)
    digests = SearchTerm.objects.count(), IndexedValue.objects.count()
    retention.sweep(later(days=DAYS * 10))
    # How the next file would be mended is nobody's record.
    assert left(tmp_path) == before
    assert (SearchTerm.objects.count(), IndexedValue.objects.count()) == digests
    assert digests[1]


def test_an_outcome_that_nobody_found_keeps_what_was_sent(
    unknown: Callable[..., Batch], tmp_path: Path
) -> None:
    batch = unknown(record={"Name": MARK})
    retention.sweep(later(days=DAYS * 10))
    write = Write.objects.get()
    assert write.record_fields() == {"Name": MARK}
    assert batch.operation.resolve("Looked at it.")
    retention.sweep(later(days=DAYS * 10))
    assert left(tmp_path) == set()


class Killed(BaseException):
    """Stands for a process that is gone."""


def kills(work: Callable[[], Any], *, after: int) -> bool:
    """Do `work`, and be killed after so many changes; tell whether that came to be."""
    changes = 0

    def counted(execute: Any, sql: str, *rest: Any) -> Any:
        nonlocal changes
        if sql.startswith(("UPDATE", "DELETE", "INSERT")):
            if changes == after:
                raise Killed
            changes += 1
        return execute(sql, *rest)

    try:
        with connection.execute_wrapper(counted):
            work()
    except Killed:
        # The database met no error: nothing of the test itself is to be taken back.
        connection.set_rollback(False)
        return True
    return False


@pytest.mark.parametrize("name", ["create-refused", "csv-upsert", "csv-create"])
def test_what_a_killed_sweep_left_is_finished_by_the_next(
    name: str,
    sandbox: Sandbox,
    project: Project,
    today: Project,
    olga: User,
    tmp_path: Path,
) -> None:
    """It is killed before the first statement that changes something, the second …

    Each begins where the one before it was killed.
    """
    make, of = (C[name], today) if name == "csv-create" else (A[name], project)
    write = sent(make(of, olga, sandbox), olga)
    killed = 0
    while kills(lambda: retention.sweep(later(days=DAYS + 1)), after=killed):
        killed += 1
    assert killed > 3
    retention.sweep(later(days=DAYS + 2))
    write.refresh_from_db()
    assert write.values_deleted_at
    assert left(tmp_path) == set()
    told = AuditEvent.objects.filter(
        action__endswith="_deleted", detail__write=write.pk
    )
    assert told.count() == 1


def test_what_an_earlier_version_swept_loses_its_values_too(
    sandbox: Sandbox, project: Project, olga: User, tmp_path: Path
) -> None:
    """It took the files away, and left what stood in the database."""
    write = sent(A["csv-upsert"](project, olga, sandbox), olga)
    names = [getattr(write, kind).path for kind in Write.FILES if getattr(write, kind)]
    for name in set(names):
        Path(name).unlink()
    gone = dict.fromkeys(Write.FILES, "")
    Write.objects.update(files_deleted_at=timezone.now(), **gone)
    assert left(tmp_path)
    retention.sweep(later(days=DAYS + 1))
    assert left(tmp_path) == set()


def test_who_holds_it_while_a_sweep_goes_on_comes_before_it(
    sandbox: Sandbox, project: Project, olga: User, tmp_path: Path
) -> None:
    write = sent(A["create"](project, olga, sandbox), olga)
    listed = Write.objects.get(pk=write.pk)
    preserve(write, Preservation.Kind.HOLD, actor(olga), reason="Case 7")
    assert not forget_values.begin(listed, later(days=DAYS + 1))
    assert left(tmp_path)


def test_a_sweep_without_time_begins_nothing_and_the_next_goes_on(
    sandbox: Sandbox, project: Project, olga: User, tmp_path: Path
) -> None:
    write = sent(A["create"](project, olga, sandbox), olga)
    assert retention.sweep(later(days=DAYS + 1), seconds=-1) == 0
    write.refresh_from_db()
    assert write.has_content
    assert retention.sweep(later(days=DAYS + 1)) == 1
    assert left(tmp_path) == set()
