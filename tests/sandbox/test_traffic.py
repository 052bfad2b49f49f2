"""A large job does not hold up requests: it works in steps and steps aside."""

import sqlite3
import threading
from pathlib import Path

import pytest

from sandbox import traffic
from sandbox.bulk import BATCH
from sandbox.traffic import Traffic
from tests.sandbox.support import Clock, Console

STEPS = 5


def rows(count: int) -> str:
    lines = (f"k{number},Row {number}\n" for number in range(count))
    return "custom_id__c,Name\n" + "".join(lines)


def test_a_job_goes_on_when_the_last_request_has_its_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(traffic, "LONGEST", 60)
    requests, told = Traffic(), []

    def step() -> None:
        requests.let_pass()
        told.append("step")

    with requests.passing():
        job = threading.Thread(target=step)
        with requests.passing():
            job.start()
        told.append("answer")
    job.join()
    assert told == ["answer", "step"]


def test_a_request_that_hangs_does_not_keep_a_job_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(traffic, "LONGEST", 0)
    requests = Traffic()
    with requests.passing():
        requests.let_pass()


def test_a_job_steps_aside_after_few_rows_with_nothing_locked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    console = Console()
    store = console.sandbox._store
    passed: list[int] = []

    def let_pass() -> None:
        assert not store._connection.in_transaction
        [done] = store.rows("SELECT done FROM operations WHERE id = ?", operation)
        passed.append(done["done"])

    monkeypatch.setattr(console.sandbox._bulk, "_let_pass", let_pass)
    operation = console.start("tactics__c", "custom_id__c", rows(STEPS * BATCH))
    console.clock.now += 60
    assert console.operation(operation)["status"] == "success"
    assert passed == [BATCH * step for step in range(1, STEPS + 1)]


def test_what_is_changed_with_every_step_does_not_carry_the_file() -> None:
    console = Console()
    pk = console.start("tactics__c", "custom_id__c", rows(1000))
    [row] = console.sandbox._store.rows("SELECT * FROM operations WHERE id = ?", pk)
    assert sum(len(str(value)) for value in row) < 1000


def test_a_state_file_of_before_goes_on(tmp_path: Path) -> None:
    """Its operations hold their files themselves."""
    state, clock = tmp_path / "state", Clock()
    first = Console(state_file=state, clock=clock)
    operation = first.start("tactics__c", "custom_id__c", rows(3))
    first.sandbox.close()
    with sqlite3.connect(state) as old:
        old.execute("ALTER TABLE operations ADD COLUMN body TEXT")
        old.execute("UPDATE operations SET body = (SELECT csv FROM csvs)")
        old.execute("DROP TABLE csvs")
    old.close()
    clock.now += 60
    second = Console(state_file=state, clock=clock)
    assert second.operation(operation)["status"] == "success"
    assert len(second.records("tactics__c")) == 3
