"""What survives: restarts, kills, and operations that were on their way."""

import signal
import threading
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from sandbox import bulk
from sandbox.store import Store
from tests.sandbox.support import (
    GROUP,
    LONGEST,
    OBJECTS,
    Clock,
    Console,
    served,
    wait_for,
)


def rows(count: int) -> str:
    lines = (f"k{number},Row {number}\n" for number in range(count))
    return "custom_id__c,Name\n" + "".join(lines)


def test_a_restart_remembers_and_finishes(tmp_path: Path) -> None:
    clock = Clock()
    first = Console(state_file=tmp_path / "state", clock=clock)
    first.create("contact", LastName="a")
    operation = first.start("tactics__c", "custom_id__c", rows(3))
    first.sandbox.close()
    clock.now += 60
    second = Console(state_file=tmp_path / "state", clock=clock)
    assert len(second.records("contact")) == 1
    assert second.operation(operation)["status"] == "success"
    created = second.create("contact", LastName="b").json()["result"]["recordId"]
    assert created not in [record["Id"] for record in second.records("contact")[:1]]


def test_a_job_that_dies_between_batches_goes_on_without_repeating(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "BATCH", 100)
    clock = Clock()
    first = Console(state_file=tmp_path / "state", clock=clock)
    operation = first.start("tactics__c", "custom_id__c", rows(250))
    clock.now += 60
    calls = 0
    run = Store.run

    def dying_run(self: Store, sql: str, *values: object) -> None:
        nonlocal calls
        calls += sql.startswith("UPDATE operations SET done")
        if calls == 2:
            raise KeyboardInterrupt
        run(self, sql, *values)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "run", dying_run)
        with pytest.raises(KeyboardInterrupt):
            first.operation(operation)
    first.sandbox.close()
    second = Console(state_file=tmp_path / "state", clock=clock)
    shown = second.operation(operation)
    assert shown["result"] == "Batch write completed (250 succeeded, 0 failed)"
    assert len(shown["metadata"]["successfulRecordIds"]) == 250
    assert len(second.records("tactics__c")) == 250


def test_a_reset_in_the_middle_of_a_job_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bulk, "BATCH", 100)
    console = Console()
    console.start("tactics__c", "custom_id__c", rows(250))
    console.clock.now += 60
    transaction = Store.transaction
    entered = 0

    def resetting(self: Store) -> AbstractContextManager[None]:
        nonlocal entered
        entered += 1
        if entered == 2:
            self.clear()
        return transaction(self)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "transaction", resetting)
        console.http.get("/")
    assert entered > 2
    assert console.records("tactics__c") == []


def test_killed_and_started_again(tmp_path: Path) -> None:
    state = ("--state", str(tmp_path / "state.sqlite3"), "--bulk-seconds", "0.3")
    body = {"groupRef": GROUP, "primaryKey": "custom_id__c", "recordsCSV": rows(500)}
    with served(*state) as (http, process):
        single = {"groupRef": GROUP, "record": {"LastName": "a"}}
        http.post(f"{OBJECTS}/contact", json=single).raise_for_status()
        started = http.put(f"{OBJECTS}/tactics__c:async", json=body).json()
        process.send_signal(signal.SIGKILL)
        process.wait()
    with served(*state) as (http, _):
        finished = wait_for(http, started["operationId"])
        assert finished["result"] == "Batch write completed (500 succeeded, 0 failed)"
        count = http.get("/sandbox/records/tactics__c?count=1").json()
        assert count == {"count": 500}
        assert len(http.get("/sandbox/records/contact").json()) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_clean_exit(number: signal.Signals) -> None:
    with served() as (http, process):
        http.get("/")
        process.send_signal(number)
        assert process.wait(LONGEST) == 0


def test_nobody_is_at_the_database_when_it_is_closed_nor_afterwards(
    tmp_path: Path,
) -> None:
    """SQLite crashes where one thread closes what another one is using."""
    store = Store(tmp_path / "state.sqlite3")
    is_at_it, may_end = threading.Event(), threading.Event()
    worked: list[bool] = []

    def work() -> None:
        with store.transaction():
            is_at_it.set()
            may_end.wait()
            store.take_numbers("003", 1)
            worked.append(True)

    working = threading.Thread(target=work)
    working.start()
    is_at_it.wait()
    closing = threading.Thread(target=store.close)
    closing.start()
    may_end.set()
    working.join()
    closing.join()
    assert worked == [True]
    assert not store.lock.acquire(blocking=False)
    # What was done is kept.
    assert Store(tmp_path / "state.sqlite3").take_numbers("003", 1)[0] == 2
