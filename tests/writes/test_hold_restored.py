"""A restored back-up sends nothing that may have been sent since it was made."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db.models import F
from django.test import Client as Browser

from console.health import pulse
from console.models import AuditEvent, Integration, Pulse
from console.runtime import db_clock
from operations.display.sentence import sentence
from operations.display.timeline import timeline
from operations.models import Operation
from sandbox.app import Sandbox
from tests.answers import Shown
from tests.conftest import actor
from tests.writes.making import confirm, make_draft, received, states, work_off
from writes.actions.hold_restored import hold_restored
from writes.actions.pause import resume
from writes.models import Write
from writes.worker import send

State = Operation.State

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def data_dir(settings: Any, tmp_path: Path) -> Iterator[Path]:
    """A place of its own for what is noted beside the files."""
    settings.DATA_DIR = tmp_path
    return tmp_path


@pytest.fixture
def waiting(sandbox: Sandbox, integration: Integration, olga: User) -> Operation:
    """A create that waits in a database that is in use."""
    operation = confirm(make_draft(integration, olga), olga)
    pulse.beat(db_clock.now())
    pulse.beat(db_clock.now())
    return operation


def earlier() -> None:
    """Restore a back-up that was made a moment ago."""
    Pulse.objects.update(number=F("number") - 1)


def long_ago() -> None:
    """Restore a back-up where no later number was noted."""
    Pulse.objects.update(at=F("at") - Pulse.GAP - timedelta(seconds=1))


@pytest.mark.parametrize("restore", [earlier, long_ago])
def test_what_waited_is_held_for_a_person(
    waiting: Operation, sandbox: Sandbox, olga: User, browser: Browser, restore: Any
) -> None:
    restore()
    send.send(waiting.pk)
    assert received(sandbox) == []
    call_command("clock", "--once")
    work_off()
    waiting.refresh_from_db()
    write = waiting.batch.write
    assert (waiting.state, write.paused_by_name) == (State.HELD, "the console")
    assert received(sandbox) == []
    page = browser.get(waiting.get_absolute_url())
    assert write.pause_reason in Shown(page).texts["operation-status"]
    assert AuditEvent.objects.filter(action="write.paused").count() == 1
    assert resume(write, actor(olga))
    work_off()
    assert len(received(sandbox)) == 1
    write.refresh_from_db()
    assert (states(write), write.pause_reason) == (["succeeded"], "")


def test_cancelled_then_nobody_claims_that_nothing_was_written(
    sandbox: Sandbox, integration: Integration, olga: User
) -> None:
    csv = b"external_id__c,LastName\na-1,Berg\na-2,Tal\n"
    draft = make_draft(integration, olga, csv=csv, primary_key="external_id__c")
    operation = confirm(draft, olga)
    pulse.beat(db_clock.now())
    long_ago()
    assert hold_restored(db_clock.now()) == 1
    operation.refresh_from_db()
    assert operation.may_have_left
    assert operation.cancel(by="olga")
    assert sentence(operation).todo
    told = [event.text for event in timeline(operation)]
    assert told[-2:] == ["the console paused it.", "olga cancelled it."]
    work_off()
    totals = Write.objects.get(pk=draft.pk).rows_totals
    assert (totals.unknown, totals.not_sent) == (2, 0)


def test_parts_that_were_held_stay_so(
    sandbox: Sandbox, integration: Integration, olga: User
) -> None:
    draft = make_draft(integration, olga)
    confirm(draft, olga)
    Operation.objects.update(state=State.HELD, due_at=None)
    pulse.beat(db_clock.now())
    long_ago()
    assert hold_restored(db_clock.now()) == 1
    work_off()
    assert received(sandbox) == []


def test_a_database_in_use_holds_nothing(waiting: Operation, sandbox: Sandbox) -> None:
    assert hold_restored(db_clock.now()) == 0
    send.send(waiting.pk)
    assert len(received(sandbox)) == 1


def test_a_new_database_holds_nothing(
    waiting: Operation, sandbox: Sandbox, data_dir: Path
) -> None:
    Pulse.objects.all().delete()
    (data_dir / "pulse").unlink()
    assert hold_restored(db_clock.now()) == 0
    assert pulse.is_trusted(db_clock.now())


def test_a_back_up_from_before_the_first_count_is_restored(
    waiting: Operation, sandbox: Sandbox
) -> None:
    Pulse.objects.all().delete()
    send.send(waiting.pk)
    assert received(sandbox) == []
    assert hold_restored(db_clock.now()) == 1
    assert pulse.is_trusted(db_clock.now())


@pytest.mark.parametrize("text", ["", "not a number", "-5"])
def test_a_note_that_cannot_be_read_leaves_the_time(
    waiting: Operation, data_dir: Path, text: str
) -> None:
    (data_dir / "pulse").write_text(text)
    assert pulse.is_trusted(db_clock.now())
    long_ago()
    assert not pulse.is_trusted(db_clock.now())


def test_a_disk_that_takes_no_note_stops_nothing(
    waiting: Operation, settings: Any, data_dir: Path
) -> None:
    settings.DATA_DIR = data_dir / "missing"
    pulse.beat(db_clock.now())
    assert pulse.is_trusted(db_clock.now())


def test_a_clock_that_counts_up_meanwhile_is_no_restored_database(
    waiting: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = pulse._noted

    def another_clock_ticks() -> int:
        told = noted()
        Pulse.objects.update(number=F("number") + 1)
        pulse._note(Pulse.objects.get().number)
        return told

    monkeypatch.setattr(pulse, "_noted", another_clock_ticks)
    assert hold_restored(db_clock.now()) == 0
    monkeypatch.undo()
    assert pulse.is_trusted(db_clock.now())
