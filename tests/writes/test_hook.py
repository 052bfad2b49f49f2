"""Notifications of Ampersand: what is genuine has things asked now, all else is 401."""

import base64
import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ampersand import SecretStr
from console.models import Hook, HookMessage, Project
from operations.models import Operation
from sandbox.app import Sandbox
from sandbox.notifying import signed
from tests.conftest import stored_operation
from tests.writes.making import call_sandbox, plan_fault
from tests.writes.test_asynchronous import later
from tests.writes.test_runs import people
from tests.writes.test_runs import project as project  # noqa: PLC0414 - a fixture
from writes.actions import notified, retention
from writes.models import Call
from writes.views.hook import LARGEST

pytestmark = pytest.mark.django_db

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
OTHER = "whsec_" + base64.b64encode(b"another secret of somebody").decode()
DATA = {"installationId": "", "groupRef": "demo-group-id", "objectName": "contact"}
BODY = json.dumps({"type": "write.async.done", "data": DATA}).encode()


@pytest.fixture
def hook(project: Project) -> Hook:
    """Where Ampersand may tell the project something."""
    return Hook.objects.create(project=project, secret=SecretStr(SECRET))


@pytest.fixture
def watched(project: Project) -> Operation:
    """An operation that would be asked about in an hour."""
    return stored_operation(
        project=project,
        integration=project.integrations.get(),
        action="follow",
        state="in_progress",
        remote_id="op-1",
        object_name="contact",
        group_ref="demo-group-id",
        started_by_name="olga",
        due_at=timezone.now() + timedelta(hours=1),
    )


def told(
    token: str,
    *,
    secret: str = SECRET,
    age: float = 0,
    body: bytes = BODY,
    message_id: str = "",
    **changed: str,
) -> int:
    """Send a notification without any session; return the status of the answer."""
    at = timezone.now().timestamp() - age
    headers = signed(secret, body, at=at, message_id=message_id) | changed
    browser = Browser(enforce_csrf_checks=True)
    return browser.post(
        f"/hooks/ampersand/{token}", body, "application/json", headers=headers
    ).status_code


def is_due(operation: Operation) -> bool:
    operation.refresh_from_db()
    assert operation.due_at is not None
    return operation.due_at <= timezone.now()


def test_a_genuine_one_has_what_is_watched_asked_now(
    hook: Hook, watched: Operation
) -> None:
    before = watched.state
    assert told(hook.token) == 204
    assert is_due(watched)
    assert watched.state == before
    hook.refresh_from_db()
    assert hook.told_at is not None


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret": OTHER},
        {"age": 360},
        {"age": -360},
        {"svix-signature": ""},
        {"svix-signature": "v1,"},
        {"svix-signature": "v1a,é"},
        {"svix-id": ""},
        {"svix-id": "another"},
        {"svix-timestamp": ""},
        {"svix-timestamp": "1e9"},
        {"svix-timestamp": "9" * 13},
    ],
)
def test_what_is_not_genuine_is_401_and_leaves_one_line_in_the_log(
    hook: Hook,
    watched: Operation,
    wrong: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO), CaptureQueriesContext(connection) as queries:
        assert told(hook.token, **wrong) == 401
    assert not is_due(watched)
    assert not HookMessage.objects.exists()
    changes = [q for q in queries if q["sql"].startswith(("INSERT", "UPDATE"))]
    assert changes == []
    assert len(caplog.records) == 1
    assert hook.token not in caplog.text


def test_an_unknown_address_is_met_like_a_wrong_signature(hook: Hook) -> None:
    assert told("x" * 43) == 401
    assert told("x" * 43, secret="whsec_" + base64.b64encode(bytes(32)).decode()) == 401
    assert Browser().get(f"/hooks/ampersand/{hook.token}").status_code == 405


@pytest.mark.hostile
@pytest.mark.parametrize("token", ["a%00b", "%00", "%0a", "%ed%a0%80", "x" * 5000])
def test_an_address_that_no_database_takes_is_no_address(
    hook: Hook, token: str
) -> None:
    assert told(token) == 401


@pytest.mark.hostile
@pytest.mark.parametrize("name", list(DATA))
def test_names_that_no_database_takes_name_nobody(
    hook: Hook, watched: Operation, name: str
) -> None:
    data = DATA | {name: f"{DATA[name]}\0"}
    assert told(hook.token, body=json.dumps({"data": data}).encode()) == 204
    assert is_due(watched) == (name == "installationId")


def test_any_of_several_signatures_will_do(hook: Hook, watched: Operation) -> None:
    at = timezone.now().timestamp()
    right = signed(SECRET, BODY, at=at, message_id="m")["svix-signature"]
    wrong = signed(OTHER, BODY, at=at, message_id="m")["svix-signature"]
    signatures = {"svix-signature": f"{wrong} v2,x {right}"}
    assert told(hook.token, message_id="m", **signatures) == 204


def test_the_same_one_again_has_no_effect(hook: Hook, watched: Operation) -> None:
    assert told(hook.token, message_id="m-1") == 204
    later_ = timezone.now() + timedelta(hours=1)
    Operation.objects.update(due_at=later_)
    assert told(hook.token, message_id="m-1") == 204
    assert not is_due(watched)
    assert told(hook.token, message_id="m-2") == 204
    assert is_due(watched)


def test_what_is_too_large_is_not_read(hook: Hook) -> None:
    assert told(hook.token, body=b" " * (LARGEST + 1)) == 413
    assert told(hook.token, body=b" " * LARGEST) == 204


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b"\xff", b'{"data": 1}', b'{"data": {"groupRef": 5}}']
)
def test_what_says_nothing_has_no_effect(
    hook: Hook, watched: Operation, body: bytes
) -> None:
    assert told(hook.token, body=body) == 204
    assert not is_due(watched)


@pytest.mark.parametrize("other", [{"object_name": "lead"}, {"group_ref": "other"}])
def test_what_it_is_not_about_keeps_its_turn(
    hook: Hook, watched: Operation, other: dict[str, str]
) -> None:
    Operation.objects.update(**other)
    assert told(hook.token) == 204
    assert not is_due(watched)


def test_the_installation_names_the_customer(
    hook: Hook, project: Project, watched: Operation
) -> None:
    project.integrations.get().groups.update(installation_id="inst-1")
    body = json.dumps({"installationId": "inst-1", "objectName": "contact"}).encode()
    assert told(hook.token, body=body) == 204
    assert is_due(watched)


def test_too_many_within_a_minute_come_again(
    hook: Hook, watched: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notified, "MOST_A_MINUTE", 1)
    assert told(hook.token) == 204
    assert told(hook.token) == 429


def test_what_came_before_the_clock_was_set_back_puts_none_off(
    hook: Hook, watched: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notified, "MOST_A_MINUTE", 1)
    assert told(hook.token) == 204
    HookMessage.objects.update(received_at=timezone.now() + timedelta(hours=3))
    assert told(hook.token) == 204
    assert told(hook.token) == 429


def test_old_ones_are_forgotten(hook: Hook) -> None:
    assert told(hook.token) == 204
    retention.sweep(timezone.now())
    assert HookMessage.objects.count() == 1
    retention.sweep(timezone.now() + timedelta(hours=2))
    assert not HookMessage.objects.exists()


@pytest.mark.parametrize(
    ("fault", "statuses"),
    [("never_ends", [204]), ("webhook_twice", [204, 204]), ("webhook_forged", [401])],
)
def test_accepted_requests_are_due_once_the_sandbox_tells(
    sandbox: Sandbox,
    project: Project,
    olga: User,
    hook: Hook,
    fault: str,
    statuses: list[int],
) -> None:
    answers: list[int] = []

    def send(url: str, headers: dict[str, str], body: bytes) -> None:
        answer = Browser().post(url, body, "application/json", headers=headers)
        answers.append(answer.status_code)

    sandbox.notifier.send = send
    where = {"url": f"/hooks/ampersand/{hook.token}", "secret": SECRET}
    call_sandbox(sandbox, "/sandbox/notify", where)
    plan_fault(sandbox, 1, fault)
    later(project, olga, people(3))
    call = Call.objects.get()
    Call.objects.update(due_at=timezone.now() + timedelta(hours=1))
    if fault == "never_ends":
        call_sandbox(sandbox, "/sandbox/end", {"operation": call.remote_id})
    # Whatever request comes next finds it ended.
    call_sandbox(sandbox, "/sandbox/plan", {"write": 9, "fault": "429"})
    assert answers == statuses
    call.refresh_from_db()
    assert call.due_at is not None
    assert (call.due_at <= timezone.now()) == (204 in statuses)
    assert call.state == Call.State.ACCEPTED
