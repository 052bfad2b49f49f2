"""The signing secret of notifications: typed in by an admin, and never shown."""

import base64
from collections.abc import Callable

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client as Browser
from django.urls import reverse

from console.access.roles import Role
from console.models import AuditEvent, Hook, Project

SECRET = "whsec_" + base64.b64encode(b"canary-0123456789abcdef").decode()
OTHER = "whsec_" + base64.b64encode(b"canary-fedcba9876543210").decode()

pytestmark = [pytest.mark.pages, pytest.mark.django_db]


@pytest.fixture
def admin(sign_in: Callable[..., Browser]) -> Browser:
    """A browser of somebody who may change connections."""
    return sign_in(Role.ADMIN)


def address(project: Project) -> str:
    return reverse("connections:hook", args=[project.pk])


def stored() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM console_hook")
        return [row[0] for row in cursor.fetchall()]


def test_it_is_kept_encrypted_and_shown_nowhere(
    admin: Browser, project: Project
) -> None:
    answer = admin.post(address(project), {"secret": SECRET})
    assert answer["Location"] == project.get_absolute_url()
    hook = Hook.objects.get()
    assert hook.secret.reveal() == SECRET
    assert SECRET not in stored()[0]
    pages = [admin.get(project.get_absolute_url()), admin.get(address(project))]
    assert all(SECRET not in page.content.decode() for page in pages)
    assert hook.token in pages[0].content.decode()
    event = AuditEvent.objects.newest_first()[0]
    assert (event.action, event.detail) == ("hook.changed", {})


def test_its_address_ends_when_no_more_are_taken(
    admin: Browser, project: Project
) -> None:
    admin.post(address(project), {"secret": SECRET})
    page = reverse("connections:hook_stop", args=[project.pk])
    assert page in admin.get(project.get_absolute_url()).content.decode()
    assert admin.get(page).status_code == 200
    assert Hook.objects.count() == 1
    for _ in range(2):
        assert admin.post(page)["Location"] == project.get_absolute_url()
        assert Hook.objects.count() == 0
    events = [event.action for event in AuditEvent.objects.newest_first()[:2]]
    assert events == ["hook.deleted", "hook.changed"]


def test_another_secret_takes_its_place_at_the_same_address(
    admin: Browser, project: Project
) -> None:
    admin.post(address(project), {"secret": SECRET})
    token = Hook.objects.get().token
    # As where FIELD_KEYS is lost.
    with connection.cursor() as cursor:
        cursor.execute("UPDATE console_hook SET secret = 'unreadable'")
    assert admin.get(project.get_absolute_url()).status_code == 200
    admin.post(address(project), {"secret": OTHER})
    hook = Hook.objects.get()
    assert (hook.token, hook.secret.reveal()) == (token, OTHER)


@pytest.mark.parametrize(
    "wrong",
    ["", "x", "whsec_", "whsec_?", SECRET[6:], "whsec_" + "A" * 500, "whsec_YQ"],
)
def test_what_is_no_secret_is_refused_and_not_repeated(
    admin: Browser, project: Project, wrong: str
) -> None:
    answer = admin.post(address(project), {"secret": wrong})
    assert answer.status_code == 422
    assert not wrong.startswith("whsec_A") or wrong not in answer.content.decode()
    assert not Hook.objects.exists()


def test_who_may_not_change_it_does_not_see_the_address(
    admin: Browser, project: Project, sign_in: Callable[..., Browser]
) -> None:
    admin.post(address(project), {"secret": SECRET})
    page = sign_in(Role.OPERATOR).get(project.get_absolute_url())
    assert Hook.objects.get().token not in page.content.decode()


def test_it_is_encrypted_anew_with_the_keys(admin: Browser, project: Project) -> None:
    admin.post(address(project), {"secret": SECRET})
    before = stored()
    call_command("rotate_field_keys")
    assert stored() != before
    assert Hook.objects.get().secret.reveal() == SECRET
