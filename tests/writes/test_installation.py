"""What Ampersand told of a customer's installation, on the review of a write to it."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from console.connections.installations import fetch_groups
from console.models import Group, Integration, Project
from sandbox.app import Sandbox
from tests.conftest import actor, make_project
from tests.writes.making import make_draft
from writes.models import Write

pytestmark = pytest.mark.django_db

PEOPLE = b"LastName\nBerg\nLee\n"


@pytest.fixture
def integration(sandbox: Sandbox, olga: User) -> Integration:
    """An integration of today's API whose installations were fetched."""
    project: Project = make_project("Today", remote_id="demo-c", generation="C")
    integration = project.integrations.get()
    fetch_groups(integration, actor(olga))
    return integration


def doubts(browser: Browser, write: Write) -> list[str]:
    """Return what the review of a write says of the installation."""
    page = browser.get(f"/writes/{write.pk}/")
    told = page.context["installation"]
    said = told.doubts if told else []
    assert page.content.decode().count('class="installation-doubt"') == len(said)
    return list(said)


@pytest.mark.parametrize("content", [{}, {"csv": PEOPLE, "action": "create"}])
def test_the_review_tells_of_an_installation_that_is_unwell(
    browser: Browser, olga: User, integration: Integration, content: dict[str, Any]
) -> None:
    write = make_draft(integration, olga, **content)
    assert doubts(browser, write) == []
    Write.objects.update(group_ref="stale-org-id")
    (said,) = doubts(browser, write)
    assert "unhealthy" in said
    assert "bad credentials" in said


def test_the_review_tells_what_was_taken_away_after_the_draft_was_made(
    browser: Browser, olga: User, integration: Integration
) -> None:
    values = {"action": "delete", "record_id": "003000000000001AAA", "record": {}}
    deletion = make_draft(integration, olga, **values)
    creation = make_draft(integration, olga)
    Group.objects.update(may_write={"contact": False})
    assert (len(doubts(browser, deletion)), doubts(browser, creation)) == (1, [])
    Group.objects.update(may_write={})
    assert (len(doubts(browser, deletion)), len(doubts(browser, creation))) == (1, 1)
    Group.objects.update(health=Group.NOT_INSTALLED)
    assert len(doubts(browser, creation)) == 1


def test_of_a_group_that_was_only_typed_in_nothing_is_said(
    browser: Browser, olga: User, integration: Integration
) -> None:
    write = make_draft(integration, olga)
    Group.objects.update(seen_at=None, health="", may_write={})
    assert doubts(browser, write) == []
    Group.objects.all().delete()
    assert doubts(browser, write) == []
