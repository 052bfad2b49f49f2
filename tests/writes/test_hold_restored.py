"""A restored back-up sends nothing that may have been sent since it was made."""

import html
import os
import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.db.models import F
from django.test import Client as Browser
from django.urls import reverse

from console import freeze
from console.access.roles import Role
from console.health import identity, pulse
from console.models import AuditEvent, EnvironmentControl, Integration, Pulse
from console.runtime import db_clock
from operations.display.sentence import sentence
from operations.display.timeline import timeline
from operations.models import Operation
from sandbox.app import Sandbox
from tests.answers import Shown
from tests.conftest import actor, make_user, new_process
from tests.writes.making import confirm, make_draft, received, states, work_off
from writes.actions import release_parts
from writes.actions.hold_restored import hold_restored
from writes.actions.pause import pause, resume
from writes.models import Notice, Write
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


def clock_set_back() -> None:
    """Restore a machine whose clock is behind the moment of its back-up."""
    Pulse.objects.update(at=F("at") + Pulse.GAP + timedelta(seconds=10))


@pytest.mark.parametrize("restore", [earlier, long_ago, clock_set_back])
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
    # A queue moves by itself.
    assert waiting.state_label == "On hold"
    assert 'class="state state-rests"' in page.text
    assert '"On hold"' in browser.get(reverse("operations:csv")).getvalue().decode()
    assert AuditEvent.objects.filter(action="write.paused").count() == 1
    assert resume(write, actor(olga))
    for control in EnvironmentControl.objects.frozen():
        freeze.unfreeze(control, actor(olga))
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
    new_process()
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


def test_of_two_clocks_that_note_at_once_each_leaves_a_whole_note(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace, seen = os.replace, []

    def while_another_has_just_begun(new: Path, path: Path) -> None:
        def begin(self: Path, text: str) -> int:
            with self.open("w") as file:
                replace(new, path)
                seen.append(pulse.noted())
                return file.write(text)

        monkeypatch.setattr(os, "replace", replace)
        monkeypatch.setattr(Path, "write_text", begin)
        pulse._note(6)

    monkeypatch.setattr(os, "replace", while_another_has_just_begun)
    pulse._note(5)
    assert (seen, pulse.noted()) == ([5], 6)
    assert [path.name for path in data_dir.glob("pulse*")] == ["pulse"]


def test_a_disk_that_takes_no_note_stops_nothing(
    waiting: Operation, settings: Any, data_dir: Path
) -> None:
    settings.DATA_DIR = data_dir / "missing"
    pulse.beat(db_clock.now())
    assert pulse.is_trusted(db_clock.now())


def test_a_clock_that_counts_up_meanwhile_is_no_restored_database(
    waiting: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = pulse.noted

    def another_clock_ticks() -> int:
        told = noted()
        Pulse.objects.update(number=F("number") + 1)
        pulse._note(Pulse.objects.get().number)
        return told

    monkeypatch.setattr(pulse, "noted", another_clock_ticks)
    assert hold_restored(db_clock.now()) == 0
    monkeypatch.undo()
    assert pulse.is_trusted(db_clock.now())


def test_a_clock_that_was_held_up_meanwhile_is_not_one_that_was_set_back(
    waiting: Operation,
) -> None:
    before = db_clock.now() - Pulse.GAP - timedelta(seconds=10)
    assert pulse.is_trusted(before)


def another() -> None:
    """Restore a dump into other tables, or put another file in place of this one."""
    Pulse.objects.update(identity={"table": "1", "file": "1"})


def taken_over() -> None:
    """Have a standby take over."""
    Pulse.objects.update(identity={identity.TIMELINE: "00000000"})


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that tells all of its numbers, whichever the tests run on."""
    told = {"table": "2", "file": "2", identity.TIMELINE: "00000001"}
    monkeypatch.setattr(identity, "identity", lambda: told)


def frozen() -> list[str]:
    found = EnvironmentControl.objects.frozen().values_list("environment", flat=True)
    return sorted(found)


@pytest.mark.parametrize(
    ("restore", "are_frozen"),
    [
        (earlier, ["production", "sandbox", "test"]),
        (another, ["production", "sandbox", "test"]),
        (taken_over, []),
        (long_ago, []),
        (clock_set_back, []),
    ],
)
@pytest.mark.usefixtures("here")
def test_what_is_certain_freezes_and_what_may_be_holds_alone(
    waiting: Operation, sandbox: Sandbox, restore: Any, are_frozen: list[str]
) -> None:
    Pulse.objects.update(identity=None)
    pulse.beat(db_clock.now())
    restore()
    send.send(waiting.pk)
    assert hold_restored(db_clock.now()) == 1
    assert frozen() == are_frozen
    told = AuditEvent.objects.filter(action="database.restored")
    assert [event.detail["held"] for event in told] == [1] * bool(are_frozen)
    assert received(sandbox) == []
    # Once is enough, and then it is the database in use.
    assert hold_restored(db_clock.now()) == 0
    assert told.count() == bool(are_frozen)
    assert pulse.is_trusted(db_clock.now())


@pytest.mark.usefixtures("waiting")
def test_the_review_of_an_older_draft_says_that_it_may_have_been_sent(
    integration: Integration, olga: User, client: Browser
) -> None:
    client.force_login(olga)
    older = make_draft(integration, olga)
    earlier()
    hold_restored(db_clock.now())
    newer = make_draft(integration, olga)
    told = [
        'id="restored"' in client.get(f"/writes/{each.pk}/").text
        for each in (older, newer)
    ]
    assert told == [True, False]


def test_files_and_database_that_went_back_together_are_noticed_by_who_still_runs(
    waiting: Operation, sandbox: Sandbox, data_dir: Path
) -> None:
    row, noted = Pulse.objects.values().get(), (data_dir / "pulse").read_text()
    pulse.beat(db_clock.now())
    Pulse.objects.update(**row)
    (data_dir / "pulse").write_text(noted)
    send.send(waiting.pk)
    assert received(sandbox) == []
    # The clock was started since; it is told by the file.
    new_process()
    assert hold_restored(db_clock.now()) == 1
    assert pulse.is_trusted(db_clock.now())


def test_what_is_made_ready_meanwhile_does_not_leave(
    waiting: Operation, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = send._ready

    def restored_meanwhile(operation: Operation) -> Any:
        request = ready(operation)
        earlier()
        return request

    monkeypatch.setattr(send, "_ready", restored_meanwhile)
    send.send(waiting.pk)
    waiting.refresh_from_db()
    assert (waiting.state, received(sandbox)) == (State.WAITING, [])


def test_a_directory_that_is_older_than_the_database_holds_for_its_files_alone(
    waiting: Operation, sandbox: Sandbox, data_dir: Path
) -> None:
    for _ in range(2):
        Pulse.objects.update(number=F("number") + Pulse.SLACK)
        (data_dir / "pulse").write_text(str(Pulse.objects.get().number))
        pulse.beat(db_clock.now())
    (data_dir / "pulse").unlink()
    send.send(waiting.pk)
    assert received(sandbox) == []
    assert hold_restored(db_clock.now()) == 1
    waiting.refresh_from_db()
    assert (waiting.state, waiting.may_have_left) == (State.HELD, False)
    assert frozen() == []
    assert pulse.is_trusted(db_clock.now())


def test_what_somebody_had_paused_may_have_been_resumed_since(
    waiting: Operation, sandbox: Sandbox, olga: User
) -> None:
    write = waiting.batch.write
    pause(write, actor(olga))
    long_ago()
    assert hold_restored(db_clock.now()) == 0
    earlier()
    assert hold_restored(db_clock.now()) == 1
    waiting.refresh_from_db()
    write.refresh_from_db()
    assert (waiting.may_have_left, write.paused_by_name) == (True, "the console")
    assert "olga had paused it" in write.pause_reason


def test_nobody_is_told_again(waiting: Operation, olga: User) -> None:
    Operation.objects.update(has_news=True)
    now = db_clock.now()
    write = waiting.batch.write
    old = Notice.objects.create(
        write=write, number=1, event=Notice.Event.ENDED, at=now, person=olga, due_at=now
    )
    earlier()
    hold_restored(now)
    old.refresh_from_db()
    assert (old.due_at, bool(old.problem)) == (None, True)
    # That it is held is news.
    assert Operation.objects.get(has_news=True).state == State.HELD


def test_the_command_does_it_whatever_shows(
    waiting: Operation, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("restored", "--by", "Ada", "--of", "Monday")
    assert "held for a person to decide: 1" in capsys.readouterr().out
    work_off()
    assert received(sandbox) == []
    waiting.refresh_from_db()
    assert (waiting.state, waiting.may_have_left) == (State.HELD, True)
    assert frozen() == ["production", "sandbox", "test"]
    event = AuditEvent.objects.get(action="database.restored")
    assert event.actor_name == "Ada"
    assert "Monday" in event.detail["why"]
    assert Pulse.objects.get().doubt == event.detail["why"]


def test_home_tells_what_is_held_until_somebody_decided(
    waiting: Operation, olga: User, browser: Browser
) -> None:
    assert browser.get("/").context["restored"] is None
    earlier()
    hold_restored(db_clock.now())
    answer = browser.get("/")
    told = answer.context["restored"]
    assert [(each.environment, each.count) for each in told.held] == [("sandbox", 1)]
    assert told.doubt == Pulse.objects.get().doubt
    (address,) = re.findall(
        r'href="(/operations/\?[^"]*environment=sandbox)"', answer.content.decode()
    )
    listed = browser.get(html.unescape(address))
    assert waiting.get_absolute_url() in listed.content.decode()
    blind = Browser()
    blind.force_login(make_user("bob", Role.OPERATOR, sandbox=Role.NONE))
    assert blind.get("/").context["restored"] is None
    release_parts.cancel_rest(waiting.batch.write, actor(olga))
    assert browser.get("/").context["restored"] is None


def test_a_copy_of_a_file_is_another_database(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("x")
    before = identity._of_file(str(one))
    shutil.copy2(one, two)
    one.unlink()
    two.rename(one)
    assert identity.differences(before, identity._of_file(str(one))) == {"file"}


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_table_that_was_made_anew_is_another_database() -> None:
    before = identity.identity()
    assert before.keys() == {"database", "table", "server", identity.TIMELINE}
    with connection.cursor() as cursor:
        cursor.execute("VACUUM FULL console_pulse")
    assert identity.identity() == before
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kept (LIKE console_pulse INCLUDING ALL)")
        cursor.execute("ALTER TABLE console_pulse RENAME TO gone")
        cursor.execute("ALTER TABLE kept RENAME TO console_pulse")
    try:
        assert identity.differences(before, identity.identity()) == {"table"}
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE console_pulse")
            cursor.execute("ALTER TABLE gone RENAME TO console_pulse")
