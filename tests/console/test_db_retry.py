"""Patience: what is to be stored is stored when the database is back."""

import pytest
from django.db import DataError, InterfaceError, OperationalError

from console.runtime import db_retry
from console.runtime.db_retry import retry_while_database_is_away


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db_retry, "PAUSE", 0)
    monkeypatch.setattr(db_retry.connection, "close", lambda: None)


def test_it_is_done_when_the_database_is_back() -> None:
    faults = [OperationalError("down"), InterfaceError("closed")]

    def work() -> None:
        if faults:
            raise faults.pop()

    retry_while_database_is_away(work, seconds=60)
    assert faults == []


def test_patience_ends() -> None:
    def work() -> None:
        raise OperationalError("down")

    with pytest.raises(OperationalError):
        retry_while_database_is_away(work, seconds=0)


def test_what_waiting_does_not_mend_is_not_waited_for() -> None:
    tries: list[int] = []

    def work() -> None:
        tries.append(1)
        raise DataError("too long")

    with pytest.raises(DataError):
        retry_while_database_is_away(work, seconds=60)
    assert len(tries) == 1
