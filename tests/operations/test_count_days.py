"""Days are counted as a recount of all operations would have it, whatever happened."""

import io
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.core.management import call_command
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from console.models import Project
from operations.models import (
    DayCount,
    DayDuration,
    DayError,
    LogEntry,
    Operation,
    RollupMark,
    RollupZone,
)
from operations.models.rollup import counted_until, is_counted
from operations.models.states import BEGINNINGS, LEDGER
from operations.worker.count_days import count_marked
from operations.worker.store_failures import store_failures
from tests.conftest import make_project
from tests.operations.conftest import make_operation

ROOT = Path(__file__).resolve().parents[2]
ALL = 1e9
RUNNING = {"held", "waiting", "sending", "in_progress"}
TEXTS = ("DUPLICATE_VALUE:it is 7:Name --", "FOO_BAR:no “x”:Name --", "Gone 12")


def counted() -> dict[Any, Any]:
    """Return what the tables hold, as `recounted` does."""
    found: dict[Any, Any] = {}
    for row in DayCount.objects.all():
        found[
            row.day,
            row.project_id,
            row.object_name,
            row.group_ref,
            row.started_by_name,
            row.action,
            row.state,
        ] = [
            row.operations,
            row.rows_succeeded,
            row.rows_failed,
            row.rows_unknown,
            row.rows_running,
        ]
    took = Counter[Any]()
    for each in DayDuration.objects.all():
        took[each.day, each.project_id, each.object_name] += each.operations
    errors = {
        (e.day, e.project_id, e.digest): [e.operations, e.rows]
        for e in DayError.objects.all()
    }
    return {"counts": found, "durations": dict(took), "errors": errors}


def recounted() -> dict[Any, Any]:
    """Count everything from the operations alone, one after the other."""
    zone = ZoneInfo(settings.TIME_ZONE)
    found: dict[Any, Any] = {}
    took, errors = Counter[Any](), {}
    for o in Operation.objects.all():
        day = o.created_at.astimezone(zone).date()
        sent, good, bad = o.rows_sent or 0, o.rows_succeeded or 0, o.rows_failed or 0
        open_ = max(0, sent - good - bad)
        if o.state in ("rejected", "not_written"):
            bad = max(bad, sent - good)
        is_over = o.state in ("unknown", *Operation.ENDED)
        kind = (o.project_id, o.object_name, o.group_ref, o.started_by_name)
        sums = found.setdefault((day, *kind, o.action, o.state), [0] * 5)
        new = (
            *(1, good, bad),
            open_ if is_over else 0,
            open_ if o.state in RUNNING else 0,
        )
        sums[:] = [a + b for a, b in zip(sums, new, strict=True)]
        if o.state in Operation.ENDED and o.sent_at and o.ended_at:
            took[day, o.project_id, o.object_name] += 1
        if o.state in Operation.ENDED_BADLY or (o.rows_failed or 0) > 0:
            for each in o.failures.all():
                both = errors.setdefault((day, o.project_id, each.digest), [0, 0])
                both[:] = [both[0] + 1, both[1] + each.rows]
    return {"counts": found, "durations": dict(took), "errors": errors}


numbers = count(1)
moments = st.datetimes(
    min_value=datetime(2024, 3, 1),  # noqa: DTZ001 - it gets a zone
    max_value=datetime(2024, 4, 30),  # noqa: DTZ001 - the same
).map(lambda moment: moment.replace(tzinfo=UTC))
counts = st.one_of(st.none(), st.integers(0, 5))
DEEDS = ["make", "make", "change", "change", "change", "log", "drop", "count", "count"]
steps = st.lists(
    st.tuples(
        st.sampled_from(DEEDS),
        st.integers(0, 7),
        st.integers(0, 10_000),
        moments,
        st.tuples(counts, counts, counts),
    ),
    min_size=12,
    max_size=40,
)


@pytest.mark.django_db
@given(steps=steps, zone=st.sampled_from(["UTC", "Europe/Berlin", "Pacific/Apia"]))
@hypothesis_settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_is_counted_is_what_a_recount_finds(
    project: Project, settings: Any, steps: list[Any], zone: str
) -> None:
    settings.TIME_ZONE = zone
    Operation.objects.all().delete()
    projects = [project, Project.objects.filter(name="B").first() or make_project("B")]
    for what, which, number, moment, (sent, good, bad) in steps:
        operations = list(Operation.objects.order_by("pk"))
        if what == "make":
            begin(projects[number % 2], number, moment, sent)
        elif what == "count":
            count_marked(seconds=number % 2 * ALL)
        elif operations:
            one = operations[which % len(operations)]
            if what == "change":
                change(one, number, moment, good, bad)
            elif what == "log":
                log(one, TEXTS[number % 2], which)
            elif what == "drop":
                one.delete()
    while count_marked(seconds=ALL):
        pass
    assert counted() == recounted()
    assert counted_until() is None


def begin(project: Project, number: int, moment: datetime, sent: int | None) -> None:
    Operation.objects.create(
        project=project,
        action=("upsert", "create")[number % 2],
        object_name=("contact", "account", "")[number % 3],
        group_ref=("a", "b")[number % 2],
        started_by_name=("olga", "mara")[number % 2],
        state=BEGINNINGS[number % 3],
        remote_id=f"r-{next(numbers)}",
        rows_sent=sent,
        created_at=moment,
        due_at=moment,
    )


def change(
    one: Operation, number: int, moment: datetime, good: int | None, bad: int | None
) -> None:
    after = (one.state, *LEDGER.get(one.state, ()))
    state = after[number % len(after)]
    values = {"rows_succeeded": good, "rows_failed": bad, "reason": TEXTS[number % 3]}
    one.change(
        only_from=(one.state,),
        state=state,
        due_at=moment,
        sent_at=one.sent_at or moment,
        ended_at=moment + timedelta(seconds=number),
        **values,
    )
    store_failures(one)


def log(one: Operation, text: str, rows: int) -> None:
    """Have its log name rows; as in the product with a change of the operation."""
    LogEntry.objects.create(
        operation=one,
        sequence=one.log_entries.count() + 1,
        text="",
        raw={"failedCreates": {text: [f"{text} {one.pk} {n}" for n in range(rows)]}},
        fingerprint=f"{next(numbers)}",
        tells_outcome=True,
    )
    one.change(only_from=(one.state,), log_digest="new")
    store_failures(one)


@pytest.mark.django_db
def test_what_was_there_before_is_counted_at_first(project: Project) -> None:
    for days in (0, 3, 400):
        moment = datetime(2024, 3, 20, 12, tzinfo=UTC) - timedelta(days=days)
        make_operation(project, state="succeeded", rows_succeeded=4, created_at=moment)
    assert not is_counted()
    assert count_marked(seconds=0) == 1
    assert DayCount.objects.count() == 1
    assert not is_counted()
    count_marked(seconds=ALL)
    assert is_counted()
    assert DayCount.objects.count() == 3
    assert counted() == recounted()


@pytest.mark.django_db
def test_another_time_zone_counts_all_days_anew(
    project: Project, settings: Any
) -> None:
    late = datetime(2024, 3, 20, 23, 30, tzinfo=UTC)
    make_operation(project, state="succeeded", created_at=late)
    count_marked(seconds=ALL)
    assert str(DayCount.objects.get().day) == "2024-03-20"
    settings.TIME_ZONE = "Europe/Berlin"
    assert not is_counted()
    count_marked(seconds=ALL)
    assert str(DayCount.objects.get().day) == "2024-03-21"
    assert RollupZone.objects.get().name == "Europe/Berlin"


@pytest.mark.django_db
def test_until_a_change_is_counted_it_is_told_since_when(project: Project) -> None:
    count_marked(seconds=ALL)
    operation = make_operation(project, state="in_progress")
    assert counted_until() is None
    operation.change(only_from=("in_progress",), state="succeeded")
    assert counted_until() == RollupMark.objects.get().made_at
    count_marked(seconds=ALL)
    assert counted_until() is None
    assert DayCount.objects.get().state == "succeeded"


@pytest.mark.django_db
def test_the_command_counts_what_was_changed_past_the_console(project: Project) -> None:
    make_operation(project, state="succeeded", rows_succeeded=1)
    count_marked(seconds=ALL)
    Operation.objects.update(rows_succeeded=3)
    assert counted() != recounted()
    call_command("rebuild", "days", stdout=io.StringIO())
    assert not is_counted()
    count_marked(seconds=ALL)
    assert counted() == recounted()


def test_whoever_changes_rows_of_an_operation_leaves_a_mark() -> None:
    """`Operation.change` does; code that goes around it does so itself."""
    found = set()
    for package in ("writes", "operations", "console"):
        for path in (ROOT / package).rglob("*.py"):
            text = path.read_text()
            if re.search(
                r"\.update\([^)]*\b(rows_(sent|succeeded|failed)|group_ref)=", text
            ):
                found.add(path.relative_to(ROOT).as_posix())
                assert "RollupMark.add(" in text, path
    assert found >= {
        "writes/worker/record_call.py",
        "writes/worker/import_operations.py",
    }
