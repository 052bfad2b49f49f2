"""Every state comes from one that may precede it, is kept, and is drawn in the docs."""

import re
from itertools import product
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction

from console.models import Project
from operations.models import Operation, OperationTransition
from operations.models.states import BEGINNINGS, LEDGER
from tests.conftest import stored_operation
from writes.models.transition import LEDGER as WRITE_LEDGER

ROOT = Path(__file__).resolve().parents[2]
STATES = [str(state) for state in Operation.State]


def make(project: Project, state: str) -> Operation:
    return stored_operation(
        project=project,
        action="upsert",
        state=state,
        remote_id="r-1",
        started_by_name="olga",
        sent_at="2024-03-20T12:00Z",
        due_at="2024-03-20T12:00Z",
    )


def test_the_ledger_knows_every_state() -> None:
    assert set(LEDGER) == {"", *STATES} - {"rejected", "cancelled"}
    assert {state for after in LEDGER.values() for state in after} == set(STATES)


@pytest.mark.django_db
@pytest.mark.parametrize(("before", "after"), [*product(STATES, STATES)])
def test_the_database_takes_the_transitions_of_the_ledger_and_no_others(
    project: Project, before: str, after: str
) -> None:
    operation = make(project, before)
    kept = OperationTransition.objects.count()
    if before == after:
        assert operation.change(only_from=(before,), state=after)
        assert OperationTransition.objects.count() == kept
    elif after in LEDGER.get(before, ()):
        assert operation.change(only_from=(before,), state=after, by="mara")
        last = operation.transitions.last()
        assert (last.from_state, last.to_state) == (before, after)
        assert (last.actor_name, last.number) == ("mara", operation.version)
    else:
        with pytest.raises(IntegrityError), transaction.atomic():
            operation.change(only_from=(before,), state=after)
        operation.refresh_from_db()
        assert operation.state == before
        assert OperationTransition.objects.count() == kept


@pytest.mark.django_db
@pytest.mark.parametrize("state", STATES)
def test_an_operation_begins_only_where_the_ledger_says(
    project: Project, state: str
) -> None:
    values = {"project": project, "state": state, "remote_id": "r-1"}
    moment = {"sent_at": "2024-03-20T12:00Z", "due_at": "2024-03-20T12:00Z"}
    if state in BEGINNINGS:
        Operation.objects.create(**values, **moment)
        return
    with pytest.raises(IntegrityError), transaction.atomic():
        Operation.objects.create(**values, **moment)
    assert not Operation.objects.exists()


@pytest.mark.django_db
def test_history_cannot_be_changed(project: Project) -> None:
    transition = make(project, "waiting").transitions.get()
    transition.reason = "another one"
    with pytest.raises(TypeError):
        transition.save()


@pytest.mark.django_db
def test_whoever_comes_second_changes_nothing_and_keeps_nothing(
    project: Project,
) -> None:
    operation = make(project, "waiting")
    twin = Operation.objects.get(pk=operation.pk)
    assert operation.cancel(by="mara")
    assert not twin.cancel(by="olga")
    assert [t.actor_name for t in operation.transitions.all()] == ["olga", "mara"]


def drawn(heading: str) -> dict[str, set[str]]:
    """Return the table under a heading of docs/states.md: what may follow what."""
    text = (ROOT / "docs" / "states.md").read_text()
    section = text.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| `?([^|`]*?)`? \| ([^|]*) \|", section, re.MULTILINE)
    return {
        "" if before == "begins" else before: set(re.findall(r"`(\w+)`", after))
        for before, after in rows
        if before not in ("from", "---")
    }


def test_the_docs_draw_the_ledger_as_it_is() -> None:
    kept = {before: set(after) for before, after in LEDGER.items()}
    assert {b: a for b, a in drawn("Operation").items() if a} == kept
    writes = {before: set(after) for before, after in WRITE_LEDGER.items()}
    assert {b: a for b, a in drawn("Write").items() if a} == writes


def test_no_code_changes_a_state_behind_the_ledgers_back() -> None:
    """Only `change` of the models may update a state; jobs and calls live apart."""
    allowed = {
        "operations/models.py",
        "writes/models/write.py",
        "writes/worker/run_job.py",
        "writes/actions/begin_job.py",
        "writes/dispatch.py",
        "writes/actions/run.py",
        "writes/actions/link_call.py",
        "writes/worker/record_call.py",
        "writes/worker/run_calls.py",
    }
    found = set()
    for package in ("writes", "operations", "console"):
        for path in (ROOT / package).rglob("*.py"):
            name = path.relative_to(ROOT).as_posix()
            if "/migrations/" in name or name in allowed:
                continue
            if re.search(r"\.update\([^)]*\bstate=", path.read_text()):
                found.add(name)
    assert found == set()
