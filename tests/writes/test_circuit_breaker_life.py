"""The breaker from opening to closing, with an Ampersand that goes and comes back."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import F
from django.test import Client as Browser
from django.utils import timezone
from django.utils.html import escape

from console import clients
from console.access.roles import Role
from console.connections.probe import PATIENCE
from console.models import AuditEvent, Project
from operations.limits import circuit_breaker
from operations.models import Gate, Operation
from tests.conftest import make_project
from tests.hosts import ThisMachine
from tests.sandbox.support import served
from tests.writes.making import confirm, make_draft
from writes.worker import send

State = Operation.State

pytestmark = pytest.mark.django_db

NOTICE = 'id="breaker-'


def opened(project: Project, why: str = "The connection was refused.") -> Gate:
    """Return the gate of `project`, with its breaker open."""
    now = timezone.now()
    values = {"opened_at": now, "try_at": now + circuit_breaker.SHORTEST_OPEN}
    return Gate.objects.create(project=project, last_failure=why, **values)


def time_passes() -> None:
    """Let whatever waits be due."""
    Operation.objects.filter(state=State.WAITING).update(due_at=timezone.now())
    Gate.objects.update(try_at=F("try_at") - circuit_breaker.LONGEST_OPEN, turn_at=None)


def test_it_opens_is_shown_closes_by_itself_and_everything_goes_out(
    olga: User, browser: Browser, settings: Any
) -> None:
    settings.API_HOSTS = ThisMachine()
    clients.client_for.cache_clear()
    with served() as (http, _):
        port = str(http.base_url.port)
    address = f"http://127.0.0.1:{port}/v1"
    project = make_project(write_url=address, api_url=address)
    integration = project.integrations.get()
    writes = [
        make_draft(integration, olga, record={"LastName": f"Berg {number}"})
        for number in range(7)
    ]
    operations = [confirm(write, olga) for write in writes]
    for operation in operations:
        send.send(operation.pk)
    attempts = Operation.objects.order_by("pk").values_list("attempts", flat=True)
    assert list(attempts) == [1, 1, 1, 1, 1, 0, 0]
    assert set(Operation.objects.values_list("state", flat=True)) == {State.WAITING}
    for address in ("/", project.get_absolute_url(), operations[-1].get_absolute_url()):
        page = browser.get(address).content.decode()
        assert NOTICE in page
        assert escape(Gate.objects.get().last_failure) in page

    time_passes()
    circuit_breaker.probe(project.pk)
    assert Gate.objects.get().is_open
    time_passes()
    send.send(operations[0].pk)
    assert Operation.objects.get(pk=operations[0].pk).attempts == 1

    with served("--port", port) as (http, _):
        circuit_breaker.probe(project.pk)
        assert NOTICE not in browser.get("/").content.decode()
        time_passes()
        for operation in operations:
            send.send(operation.pk)
        assert len(http.get("/sandbox/records/contact").json()) == 7
    assert set(Operation.objects.values_list("state", flat=True)) == {State.SUCCEEDED}
    assert Gate.objects.get().write_failures == 0
    events = AuditEvent.objects.filter(action__startswith="breaker.").order_by("pk")
    assert [event.action for event in events] == ["breaker.opened", "breaker.closed"]
    project.client().close()
    project.client(timeout=PATIENCE).close()
    clients.client_for.cache_clear()


def test_what_the_failure_said_is_shown_as_text(
    project: Project, browser: Browser
) -> None:
    opened(project, "<script>alert(1)</script>")
    for address in ("/", project.get_absolute_url()):
        page = browser.get(address).content.decode()
        assert "&lt;script&gt;alert(1)" in page
        assert "<script>alert" not in page


def test_only_those_with_a_role_in_the_environment_read_of_it(
    browser: Browser, sign_in: Callable[..., Browser]
) -> None:
    opened(make_project("Live", environment="production"))
    assert NOTICE in browser.get("/").content.decode()
    reader = sign_in(Role.NONE, "nemo")
    assert NOTICE not in reader.get("/").content.decode()


def test_an_ended_operation_does_not_tell_of_it(
    project: Project, olga: User, browser: Browser
) -> None:
    opened(project)
    operation = confirm(make_draft(project.integrations.get(), olga), olga)
    assert NOTICE in browser.get(operation.get_absolute_url()).content.decode()
    operation.cancel(by="olga")
    assert NOTICE not in browser.get(operation.get_absolute_url()).content.decode()
