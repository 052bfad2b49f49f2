"""The webhook of a project: its address and secret are kept, and shown to nobody."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client as Browser
from django.urls import reverse

from console.access.roles import Role
from console.connections.webhooks import addresses_for_webhooks
from console.models import AuditEvent, Project, Webhook
from tests.answers import Shown, codes, levels
from tests.hosts import ThisMachine
from tests.security.listening import Listener, listening

ADDRESS = "https://hooks.example.com/services/canary-T000"

pytestmark = [pytest.mark.pages, pytest.mark.django_db]


@pytest.fixture
def admin(sign_in: Callable[..., Browser]) -> Browser:
    """A browser of somebody who may change connections."""
    return sign_in(Role.ADMIN)


@pytest.fixture
def receiver(settings: Any) -> Iterator[Listener]:
    """A server of somebody's on this machine, which the settings allow."""
    settings.PRIVATE_HOSTS = ThisMachine()
    with listening() as found:
        yield found


def address(project: Project, name: str = "webhook") -> str:
    return reverse(f"connections:{name}", args=[project.pk])


def test_its_secret_is_shown_once_and_its_address_never(
    admin: Browser, project: Project
) -> None:
    answer = admin.post(address(project), {"address": ADDRESS})
    webhook = Webhook.objects.get()
    assert webhook.address.reveal() == ADDRESS
    assert webhook.secret.reveal() in Shown(answer).texts["webhook-secret"]
    pages = [admin.get(project.get_absolute_url()), admin.get(address(project))]
    for page in [answer, *pages]:
        assert "canary" not in page.content.decode()
    for page in pages:
        assert webhook.secret.reveal() not in page.content.decode()
    assert "hooks.example.com" in pages[0].content.decode()
    with connection.cursor() as cursor:
        cursor.execute("SELECT address, secret FROM console_webhook")
        assert "canary" not in "".join(cursor.fetchone())
    event = AuditEvent.objects.newest_first()[0]
    assert (event.action, event.detail) == (
        "webhook.changed",
        {"host": [None, "hooks.example.com"]},
    )


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("hooks.example.com", "address"),
        ("ftp://hooks.example.com/canary", "address"),
        ("https://hooks.example.com/a b-canary", "address"),
        ("https://user:canary@hooks.example.com/", "user-name"),
        ("http://hooks.example.com/canary", "https"),
        ("https://127.0.0.1/canary", "host"),
        ("https://2130706433/canary", "host"),
        ("https://metadata.internal/canary", "host"),
    ],
)
def test_no_message_goes_there(
    admin: Browser, project: Project, typed: str, code: str
) -> None:
    answer = admin.post(address(project), {"address": typed})
    assert (answer.status_code, Webhook.objects.count()) == (422, 0)
    assert codes(answer.context["form"]) == {"address": [code]}
    assert "canary" not in answer.content.decode()


def test_a_name_that_leads_inside_is_refused_when_it_is_connected_to() -> None:
    with pytest.raises(OSError, match="inside"):
        addresses_for_webhooks("localhost", 443)


def test_a_test_says_whether_it_was_taken(
    admin: Browser, project: Project, receiver: Listener
) -> None:
    admin.post(address(project), {"address": f"{receiver.url}/canary"})
    for status, level in ((204, "success"), (302, "error"), (500, "error")):
        receiver.status = status
        answer = admin.post(address(project, "webhook_test"), follow=True)
        assert levels(answer) == [level]
        assert "canary" not in answer.content.decode()
    assert [b"test" in body for body in receiver.bodies] == [True] * 3


def test_it_ends_when_it_is_taken_away(admin: Browser, project: Project) -> None:
    admin.post(address(project), {"address": ADDRESS})
    page = address(project, "webhook_stop")
    assert admin.get(page).status_code == 200
    assert Webhook.objects.count() == 1
    admin.post(page, follow=True)
    assert Webhook.objects.count() == 0
    answer = admin.post(address(project, "webhook_test"), follow=True)
    assert levels(answer) == ["warning"]


def test_both_secrets_are_encrypted_anew(admin: Browser, project: Project) -> None:
    admin.post(address(project), {"address": ADDRESS})
    before = Webhook.objects.get()
    with connection.cursor() as cursor:
        cursor.execute("SELECT address, secret FROM console_webhook")
        old = cursor.fetchone()
        call_command("rotate_field_keys")
        cursor.execute("SELECT address, secret FROM console_webhook")
        new = cursor.fetchone()
    assert not set(old) & set(new)
    assert Webhook.objects.get().secret == before.secret
