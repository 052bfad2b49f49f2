"""What this installation keeps from leaving is held for a person."""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone

from console.models import ApiKey, AuditEvent, Integration, Project
from console.runtime import trouble
from operations.display.sentence import sentence
from operations.models import Operation
from sandbox.app import Sandbox
from tests.answers import Shown
from tests.conftest import SANDBOX_KEY
from tests.writes.making import confirm, make_draft, received, states, work_off
from writes.actions import release_parts
from writes.models import Batch, Write
from writes.worker import send

State = Operation.State
ROWS = [b"a-%d,Name %d\n" % (number, number) for number in (1, 2, 3)]
CSV = b"external_id__c,LastName\n" + b"".join(ROWS)

pytestmark = pytest.mark.django_db

# Each takes something away, and returns what puts it back.
Prevent = Callable[[Any], Callable[[], None]]


def host_not_allowed(settings: Any) -> Callable[[], None]:
    before, settings.API_HOSTS = settings.API_HOSTS, []
    return lambda: setattr(settings, "API_HOSTS", before)


def port_not_allowed(settings: Any) -> Callable[[], None]:
    before, settings.API_HOSTS = settings.API_HOSTS, [("sandbox.invalid", 8443)]
    return lambda: setattr(settings, "API_HOSTS", before)


def key_revoked(settings: Any) -> Callable[[], None]:
    ApiKey.objects.get(revoked_at=None).revoke()
    return new_key


def new_key() -> None:
    ApiKey.objects.create(project=Project.objects.get(), label="New", value=SANDBOX_KEY)


def key_of_another_address(settings: Any) -> Callable[[], None]:
    Project.objects.update(api_url="https://elsewhere.invalid/v1")
    return new_key


def key_not_readable(settings: Any) -> Callable[[], None]:
    before, settings.FIELD_KEYS = settings.FIELD_KEYS, [Fernet.generate_key().decode()]
    return lambda: setattr(settings, "FIELD_KEYS", before)


@pytest.mark.parametrize(
    "prevent",
    [
        host_not_allowed,
        port_not_allowed,
        key_revoked,
        key_of_another_address,
        key_not_readable,
    ],
)
@pytest.mark.usefixtures("small_parts")
def test_what_may_not_leave_is_held_until_a_person_resumes(
    prevent: Prevent,
    sandbox: Sandbox,
    integration: Integration,
    olga: User,
    browser: Browser,
    settings: Any,
) -> None:
    write = make_draft(integration, olga, csv=CSV, primary_key="external_id__c")
    operation = confirm(write, olga)
    put_back = prevent(settings)
    send.send(operation.pk)
    write.refresh_from_db()
    assert set(states(write)) == {"held"}
    assert write.paused_by_name == "the console"
    page = Shown(browser.get(write.get_absolute_url()))
    assert write.pause_reason in page.texts["pause-reason"]
    assert {"resume", "cancel-held"} <= page.ids
    assert AuditEvent.objects.get(action="write.paused").actor_name == "the console"
    # By itself nothing of it goes, nor by a person while nothing is put right.
    release_parts.release_held(timezone.now())
    work_off()
    browser.post(f"/writes/{write.pk}/resume/")
    work_off()
    assert set(states(write)) == {"held"}
    assert received(sandbox) == []
    put_back()
    work_off()
    assert received(sandbox) == []
    browser.post(f"/writes/{write.pk}/resume/")
    work_off()
    assert set(states(write)) == {"succeeded"}
    assert len(received(sandbox)) == len(states(write))


def test_its_operation_says_why_and_offers_to_resume_or_cancel(
    sandbox: Sandbox,
    integration: Integration,
    olga: User,
    browser: Browser,
    settings: Any,
) -> None:
    operation = confirm(make_draft(integration, olga), olga)
    host_not_allowed(settings)
    send.send(operation.pk)
    operation.refresh_from_db()
    assert (operation.state, operation.due_at) == (State.HELD, None)
    assert "API_HOSTS" in operation.reason
    assert operation.transitions.last().actor_name == "the console"
    page = Shown(browser.get(operation.get_absolute_url()))
    assert operation.reason in page.texts["operation-status"]
    assert "resume" in page.ids
    assert operation.cancel(by="olga")
    assert "Nothing was written" in sentence(operation).what


def test_what_somebody_cancelled_meanwhile_stays_cancelled(
    sandbox: Sandbox,
    integration: Integration,
    olga: User,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    operation = confirm(make_draft(integration, olga), olga)
    host_not_allowed(settings)
    really_client = Project.client

    def cancelled_first(self: Project, **values: Any) -> Any:
        Operation.objects.get(pk=operation.pk).cancel(by="olga")
        return really_client(self, **values)

    monkeypatch.setattr(Project, "client", cancelled_first)
    send.send(operation.pk)
    operation.refresh_from_db()
    assert operation.state == State.CANCELLED
    assert Write.objects.get().paused_at is None
    assert not AuditEvent.objects.filter(action="write.paused").exists()


def failing(number: int) -> Callable[[Batch], bytes]:
    def fail(self: Batch) -> bytes:
        raise OSError(number, "in the words of the system", "/where/it/lies")

    return fail


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.ENOSPC, trouble.FULL.text),
        (errno.EROFS, trouble.READ_ONLY.text),
        (errno.EACCES, trouble.DENIED.text),
        (errno.EIO, trouble.BROKEN.text),
        (errno.EMFILE, ""),
        (errno.ETIMEDOUT, ""),
    ],
)
def test_a_file_that_cannot_be_read_now_is_told_in_words(
    number: int,
    told: str,
    sandbox: Sandbox,
    integration: Integration,
    olga: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write = make_draft(integration, olga, csv=CSV, primary_key="external_id__c")
    operation = confirm(write, olga)
    with monkeypatch.context() as patch:
        patch.setattr(Batch, "csv", failing(number))
        send.send(operation.pk)
    operation.refresh_from_db()
    assert operation.state == State.HELD
    assert told in operation.reason
    for raw in ("Errno", "the words of the system", "/where/it/lies"):
        assert raw not in operation.reason
    # Who sends it anew has it twice once this one is resumed.
    assert "do it again" not in operation.reason
    assert received(sandbox) == []
    write.refresh_from_db()
    assert write.resume()
    release_parts.release(write, by="olga")
    work_off()
    assert states(write) == ["succeeded"]


def test_files_that_are_out_of_sight_are_not_called_gone(
    sandbox: Sandbox,
    integration: Integration,
    olga: User,
    settings: Any,
    tmp_path: Path,
) -> None:
    write = make_draft(integration, olga, csv=CSV, primary_key="external_id__c")
    operation = confirm(write, olga)
    settings.DATA_DIR = tmp_path / "unmounted"
    write.path_of("as_sent").rename(tmp_path / "away")
    send.send(operation.pk)
    operation.refresh_from_db()
    assert operation.state == State.HELD
    assert trouble.MISSING.text in operation.reason


def test_a_file_that_is_gone_for_good_is_cancelled(
    sandbox: Sandbox, integration: Integration, olga: User
) -> None:
    write = make_draft(integration, olga, csv=CSV, primary_key="external_id__c")
    operation = confirm(write, olga)
    write.path_of("as_sent").unlink()
    send.send(operation.pk)
    operation.refresh_from_db()
    assert operation.state == State.CANCELLED
    assert "Errno" not in operation.reason
    assert received(sandbox) == []


def test_one_that_is_taken_away_at_that_moment_is_told_in_words(
    sandbox: Sandbox,
    integration: Integration,
    olga: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write = make_draft(integration, olga, csv=CSV, primary_key="external_id__c")
    operation = confirm(write, olga)
    monkeypatch.setattr(Batch, "csv", failing(errno.ENOENT))
    send.send(operation.pk)
    operation.refresh_from_db()
    assert operation.state == State.CANCELLED
    for raw in ("Errno", "the words of the system", "/where/it/lies"):
        assert raw not in operation.reason
