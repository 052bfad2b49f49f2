"""A log is stored here before Ampersand deletes it, or it is told that it was not."""

from datetime import timedelta
from importlib import import_module
from typing import Any

import httpx
import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.test import Client as Browser

from ampersand import SecretStr
from console.access.roles import Role
from console.models import ApiKey, Project
from operations import dispatch
from operations.actions import follow
from operations.display.log_archive import about, alarm_of, risk_of
from operations.models import Operation
from operations.worker.schedule import SLOW, next_ask
from operations.worker.watch import watch
from sandbox.app import Sandbox
from sandbox.operations import LOG_DAYS
from tests.conftest import (
    SANDBOX_KEY,
    InLoop,
    actor,
    forget_clients,
    make_project,
    make_user,
    speak_over,
)
from tests.operations.conftest import NOON, Clock
from tests.writes.making import confirm, make_draft
from writes.worker import send

State = Operation.State
KEY = "external_id__c"
CSV = b"external_id__c,LastName\nk-1,Berg\nk-2,\n"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _stored_in_a_folder_of_its_own(settings: Any, tmp_path: Any) -> None:
    storage = {**settings.STORAGES["default"], "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "default": storage}


@pytest.fixture
def app(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """A sandbox on the clock of the test."""
    app = Sandbox(bulk_seconds=0, clock=lambda: clock.now.timestamp())
    transport = httpx.WSGITransport(app=app)
    speak_over(monkeypatch, transport, InLoop(transport))
    return app


@pytest.fixture
def olga(db: None) -> User:
    return make_user("olga", Role.OPERATOR)


class Anew:
    """A browser that signs in for each page: sessions end on the clock of the test."""

    def __init__(self, user: User) -> None:
        self._user = user

    def get(self, path: str, said: dict[str, str] | None = None) -> Any:
        browser = Browser()
        browser.force_login(self._user)
        return browser.get(path, said)


@pytest.fixture
def browser(olga: User) -> Anew:
    return Anew(olga)


def accepted(project: Project, user: User, **values: Any) -> Operation:
    """Send a file, which Ampersand works on from now on."""
    values = {"csv": CSV, "primary_key": KEY, **values}
    write = make_draft(project.integrations.get(), user, **values)
    operation = confirm(write, user)
    send.send(operation.pk)
    operation.refresh_from_db()
    return operation


def ask(operation: Operation) -> Operation:
    """Have asked about it, as when it is due."""
    operation.refresh_from_db()
    if operation.due_at:
        watch([operation.pk], operation.due_at)
    operation.refresh_from_db()
    return operation


def ask_to_the_end(operation: Operation, clock: Clock) -> None:
    for _ in range(20):
        if ask(operation).due_at is None:
            return
        clock.now = operation.due_at
    raise AssertionError("It is asked for ever.")


def revoke(project: Project) -> None:
    ApiKey.objects.filter(project=project).delete()
    forget_clients()


def restore(project: Project) -> None:
    ApiKey.objects.create(project=project, label="New", value=SecretStr(SANDBOX_KEY))
    forget_clients()


def listed(browser: Anew, log: str) -> list[Operation]:
    return list(browser.get("/operations/", {"log": log}).context["operations"])


def test_what_goes_as_usual_is_at_no_risk(
    app: Sandbox, clock: Clock, project: Project, olga: User
) -> None:
    operation = accepted(project, olga)
    assert operation.log_since == operation.sent_at
    assert alarm_of(Operation.objects.all(), clock.now) is None
    ask_to_the_end(operation, clock)
    assert operation.state == State.PARTLY_FAILED
    assert operation.log_entries.exists()
    assert operation.log_since is None
    clock.advance(days=100)
    assert alarm_of(Operation.objects.all(), clock.now) is None


def test_what_ended_unseen_is_told_of_until_its_log_is_stored(
    app: Sandbox, clock: Clock, project: Project, olga: User, browser: Anew
) -> None:
    operation = accepted(project, olga)
    revoke(project)
    clock.advance(hours=3)
    ask(operation)
    assert (operation.state, bool(operation.watch_problem)) == (State.IN_PROGRESS, True)
    assert listed(browser, "at_risk") == [operation]
    assert listed(browser, "lost") == []
    assert b'id="log-at-risk"' in browser.get(f"/operations/{operation.pk}/").content
    clock.advance(days=LOG_DAYS - 2)
    alarm = browser.get("/").context["log_alarm"]
    assert (alarm.count, alarm.left, alarm.lost) == ("1", "about 45 hours", "0")
    restore(project)
    ask_to_the_end(operation, clock)
    assert operation.log_entries.exists()
    assert operation.log_since is None
    assert listed(browser, "at_risk") == []
    assert browser.get("/").context["log_alarm"] is None
    page = browser.get(f"/operations/{operation.pk}/").content
    assert b'id="log-at-risk"' not in page
    assert b'id="log-lost"' not in page


def test_it_is_tried_as_long_as_ampersand_has_it(
    app: Sandbox, clock: Clock, project: Project, olga: User, settings: Any
) -> None:
    settings.LOG_DAYS_AT_AMPERSAND = 30
    operation = accepted(project, olga)
    revoke(project)
    for days in (8, 10, 10):
        clock.advance(days=days)
        ask(operation)
        assert operation.due_at
    clock.advance(days=3)
    assert ask(operation).due_at is None


@pytest.mark.parametrize("days", [LOG_DAYS - 1, LOG_DAYS + 1])
def test_what_is_asked_no_more_is_asked_again_in_time(
    days: int, app: Sandbox, clock: Clock, project: Project, olga: User
) -> None:
    operation = accepted(project, olga)
    Operation.objects.update(due_at=None)
    clock.advance(hours=5)
    dispatch.ask_for_logs(clock.now)
    operation.refresh_from_db()
    assert operation.due_at is None
    clock.advance(days=days)
    dispatch.ask_for_logs(clock.now)
    operation.refresh_from_db()
    assert (operation.due_at is not None) == (days < LOG_DAYS)


def test_what_was_not_stored_in_time_is_told_honestly(
    app: Sandbox, clock: Clock, project: Project, olga: User, browser: Anew
) -> None:
    operation = accepted(project, olga)
    since = operation.log_since
    revoke(project)
    clock.advance(days=LOG_DAYS, hours=1)
    ask(operation)
    assert listed(browser, "lost") == [operation]
    assert listed(browser, "at_risk") == []
    assert b'id="log-lost"' in browser.get(f"/operations/{operation.pk}/").content
    assert browser.get("/").context["log_alarm"].lost == "1"
    restore(project)
    follow.ask_now(operation)
    ask_to_the_end(operation, clock)
    # The sandbox has deleted it as well: what came is not all of it.
    assert operation.state in Operation.ENDED
    assert operation.log_since == since
    assert listed(browser, "lost") == [operation]
    clock.advance(days=30)
    assert browser.get("/").context["log_alarm"] is None


def test_nobody_reads_of_operations_where_they_have_no_role(
    app: Sandbox,
    clock: Clock,
    project: Project,
    olga: User,
) -> None:
    accepted(project, olga)
    clock.advance(days=1)
    assert alarm_of(Operation.objects.all(), clock.now)
    vera = Anew(make_user("vera", Role.VIEWER, sandbox=Role.NONE))
    assert vera.get("/").context["log_alarm"] is None


def test_the_log_of_what_was_rejected_is_stored_and_changes_nothing_else(
    app: Sandbox, clock: Clock, olga: User
) -> None:
    today = make_project("Today", remote_id="demo-c", generation="C")
    record = {"LastName": "Berg", "Email": "nobody"}
    write = make_draft(today.integrations.get(), olga, record=record)
    operation = confirm(write, olga)
    send.send(operation.pk)
    operation.refresh_from_db()
    assert operation.state == State.REJECTED
    told = ("state", "reason", "remedy", "remote_status", "rows_failed", "ended_at")
    before = [getattr(operation, name) for name in told]
    kinds = list(operation.failures.values_list("digest", "rows"))
    assert operation.log_since
    assert not operation.is_watched
    ask_to_the_end(operation, clock)
    assert [getattr(operation, name) for name in told] == before
    assert list(operation.failures.values_list("digest", "rows")) == kinds
    assert operation.log_entries.exists()
    assert operation.log_since is None


def test_what_another_program_began_long_ago_may_lack_something(
    app: Sandbox, clock: Clock, project: Project, olga: User
) -> None:
    ours = accepted(project, olga)
    remote_id = ours.remote_id
    Operation.objects.update(remote_id="", state="cancelled", due_at=None)
    clock.advance(days=LOG_DAYS + 1)
    theirs, _ = follow.follow(project=project, remote_id=remote_id, actor=actor(olga))
    assert risk_of(theirs, clock.now) is None
    ask_to_the_end(theirs, clock)
    risk = risk_of(theirs, clock.now)
    assert risk
    assert risk.is_over
    assert risk.since < NOON + timedelta(minutes=1)


def test_the_sandbox_deletes_logs_as_ampersand_does(
    app: Sandbox, clock: Clock, project: Project, olga: User
) -> None:
    operation = accepted(project, olga)
    client = project.client()
    asked = {"project": "demo", "operation_id": operation.remote_id}
    client.get_operation(**asked)
    assert client.list_operation_logs(**asked)
    clock.advance(days=LOG_DAYS, seconds=1)
    assert list(client.list_operation_logs(**asked)) == []
    assert client.get_operation(**asked).status == "success"


def test_silence_ends_once_the_log_is_gone() -> None:
    now = NOON + timedelta(days=9)
    said: dict[str, Any] = {"accepted_at": NOON, "ended_at": NOON, "silent_since": NOON}
    later = next_ask(now=now, log_until=now + timedelta(days=1), **said)
    assert later
    assert now < later < now + 2 * SLOW
    assert next_ask(now=now, log_until=now, **said) is None
    assert next_ask(now=now, **said) is None


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        (0.1, "less than 2 hours"),
        (5, "about 5 hours"),
        (47, "about 47 hours"),
        (50, "about 2 days"),
        (24 * 6.6, "about 7 days"),
    ],
)
def test_how_long_is_left_in_words(hours: float, words: str) -> None:
    assert about(timedelta(hours=hours)) == words


def test_the_migration_notes_what_is_not_stored(
    app: Sandbox, clock: Clock, project: Project, olga: User
) -> None:
    note = import_module("operations.migrations.0016_logs_not_stored").note
    done = accepted(project, olga)
    ask_to_the_end(done, clock)
    goes_on = accepted(project, olga, csv=CSV.replace(b"Berg", b"Tal"))
    never = accepted(project, olga, csv=CSV.replace(b"Berg", b"See"))
    Operation.objects.filter(pk=never.pk).update(state="succeeded", due_at=None)
    Operation.objects.update(log_since=None)
    note(apps, None)
    since = dict(Operation.objects.values_list("pk", "log_since"))
    assert since[done.pk] is None
    assert since[goes_on.pk] == goes_on.answered_at
    assert since[never.pk] == never.answered_at
