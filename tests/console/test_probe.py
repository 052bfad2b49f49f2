"""The Test connection button: what each kind of answer is called."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import httpx
import pytest
from django.test import Client as Browser
from django.test import override_settings
from django.urls import reverse

from ampersand import Client
from console import clients
from console.access.roles import Role
from console.connections.probe import try_connection
from console.models import AuditEvent, Project
from tests.answers import levels
from tests.conftest import make_project
from tests.texts import words


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """A function that has a handler stand in for Ampersand."""

    def answer_with(handler: Callable[[httpx.Request], httpx.Response]) -> None:
        transport = httpx.MockTransport(handler)
        stand_in = partial(Client, transport=transport, sleep=lambda _: None)
        monkeypatch.setattr(clients, "Client", stand_in)
        clients.client_for.cache_clear()

    yield answer_with
    clients.client_for.cache_clear()


def press(browser: Browser, project: Project) -> Any:
    """Press the button and return the page that follows."""
    address = reverse("connections:project_test", args=[project.pk])
    answer = browser.post(address, follow=True)
    assert answer.status_code == 200
    return answer


def test_a_working_connection(
    project: Project, sandbox: object, sign_in: Callable[..., Browser]
) -> None:
    answer = press(sign_in(Role.OPERATOR), project)
    verdict = try_connection(project)
    assert (verdict.works, verdict.code) == (True, "works")
    assert verdict.title in answer.text
    assert levels(answer) == ["success"]
    event = AuditEvent.objects.newest_first()[0]
    assert event.action == "project.tested"
    assert event.detail == {"result": verdict.title}
    assert project.api_keys.get().last_used_at


def test_an_unknown_project(sandbox: object, db: None) -> None:
    verdict = try_connection(make_project(remote_id="nobody-knows"))
    assert not verdict.works
    assert verdict.code == "unknown-project"
    assert verdict.remedy


def test_a_wrong_key(project: Project, sandbox: object) -> None:
    key = project.active_key()
    key.value = "not-the-key"
    key.save()
    assert try_connection(project).code == "refused-key"


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (403, '{"detail": "no"}', "no-right"),
        (429, '{"detail": "slow down"}', "too-many"),
        (500, '{"detail": "oops"}', "their-problem"),
        (418, '{"detail": "tea"}', "refused"),
        (200, "<html>Welcome</html>", "not-ampersand"),
        (200, '{"id": "x", "status": "success"}', "not-ampersand"),
        (404, "<html>404</html>", "not-ampersand"),
        (404, "404 page not found", "not-ampersand"),
        (302, "", "not-ampersand"),
        (502, "<html>Bad gateway</html>", "not-ampersand"),
    ],
)
def test_other_answers(
    project: Project,
    answering: Callable[..., None],
    status: int,
    body: str,
    code: str,
) -> None:
    answering(lambda request: httpx.Response(status, text=body))
    verdict = try_connection(project)
    assert (verdict.works, verdict.code) == (False, code)
    assert code == "not-ampersand" or str(status) in verdict.title
    assert verdict.text
    assert verdict.remedy


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (httpx.ConnectError, "not-reached"),
        (httpx.ConnectTimeout, "not-reached"),
        (httpx.ReadTimeout, "no-answer"),
        (httpx.ReadError, "no-answer"),
    ],
)
def test_no_answer(
    project: Project,
    answering: Callable[..., None],
    error: type[httpx.TransportError],
    code: str,
) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error("boom", request=request)

    answering(fail)
    assert try_connection(project).code == code


def test_a_host_that_does_not_exist_is_named_in_words(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "Client", partial(Client, sleep=lambda _: None))
    clients.client_for.cache_clear()
    verdict = try_connection(project)
    clients.client_for.cache_clear()
    assert verdict.code == "not-reached"
    assert "gaierror" not in verdict.text
    assert "host" in words(verdict.text)


def test_without_a_key_nothing_is_sent(
    project: Project, sign_in: Callable[..., Browser]
) -> None:
    project.active_key().revoke()
    assert try_connection(project).code == "no-key"
    assert levels(press(sign_in(Role.ADMIN), project)) == ["error"]


def test_an_unreadable_key_is_told_from_a_wrong_one(project: Project) -> None:
    other = "bm90LXRoZS1yaWdodC1rZXktYnV0LTMyLWJ5dGVzISE="
    with override_settings(FIELD_KEYS=[other]):
        verdict = try_connection(project)
    assert verdict.code == "unreadable-key"
    assert "FIELD_KEYS" in verdict.remedy


def test_what_the_server_says_is_escaped(
    project: Project,
    answering: Callable[..., None],
    sign_in: Callable[..., Browser],
) -> None:
    evil = {"detail": "<script>alert(1)</script>"}
    answering(lambda request: httpx.Response(401, json=evil))
    html = press(sign_in(Role.ADMIN), project).text
    assert "<script>alert" not in html
    assert "&lt;script&gt;" in html
