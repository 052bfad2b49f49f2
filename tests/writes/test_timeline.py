"""The timeline of a write: its own states, and those of its parts."""

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone

from console.actor import Actor
from console.models import Integration
from operations.models import Operation
from sandbox.app import Sandbox
from tests.answers import Shown
from tests.texts import numbers
from tests.writes.making import confirm, make_draft, work_off
from writes.actions import derive
from writes.display.timeline import timeline
from writes.models import Write
from writes.worker import send

CSV = b"external_id__c,LastName\na-1,Name 1\na-2,Name 2\n"

pytestmark = [pytest.mark.pages, pytest.mark.django_db]


def make(integration: Integration, user: User) -> Write:
    return make_draft(integration, user, csv=CSV, primary_key="external_id__c")


@pytest.mark.usefixtures("small_parts")
def test_each_part_is_told_from_its_first_step_to_its_end(
    sandbox: Sandbox, integration: Integration, olga: User, browser: Browser
) -> None:
    write = make(integration, olga)
    confirm(write, olga)
    work_off()
    events = timeline(write)
    told = [(numbers(event.part), event.state) for event in events]
    assert told == [
        ([], "draft"),
        ([], "confirmed"),
        ([1, 2], "sending"),
        ([1, 2], "in_progress"),
        ([1, 2], "succeeded"),
        ([2, 2], "waiting"),
        ([2, 2], "sending"),
        ([2, 2], "in_progress"),
        ([2, 2], "succeeded"),
    ]
    assert ["olga" in event.text for event in events] == [True] * 2 + [False] * 7
    shown = Shown(browser.get(write.get_absolute_url())).texts["timeline"]
    for event in events:
        assert event.part.capitalize() in shown
        assert event.text in shown


def test_who_discarded_a_draft_is_told(integration: Integration, olga: User) -> None:
    write = make(integration, olga)
    assert derive.discard(write, actor=Actor(name="olga"))
    last = timeline(write)[-1]
    assert last.state == "discarded"
    assert "olga" in last.text


def test_what_the_sweep_discarded_was_the_console(
    integration: Integration, olga: User
) -> None:
    write = make(integration, olga)
    assert derive.discard(write)
    last = timeline(write)[-1]
    assert last.state == "discarded"
    assert "olga" not in last.text
    assert "process" in last.process


@pytest.mark.usefixtures("small_parts")
def test_what_a_person_decided_about_an_unknown_part_is_told(
    integration: Integration, olga: User
) -> None:
    write = make(integration, olga)
    confirm(write, olga)
    part = Operation.objects.get(state="waiting")
    now = timezone.now()
    part.change(only_from=("waiting",), state="sending", sent_at=now, due_at=now)
    send.recover_overdue(now)
    resolution = "olga sent it again as operation #9."
    assert part.resolve(resolution)
    *_, unknown, last = timeline(write)
    assert unknown.state == "unknown"
    assert (last.part, last.text) == (part.part, resolution)
