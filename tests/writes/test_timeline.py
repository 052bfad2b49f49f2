"""The timeline of a write: its own states, and those of its parts."""

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone

from console.models import Integration
from operations.models import Operation
from sandbox.app import Sandbox
from tests.writes.making import confirm, make_draft, work_off
from writes.actions import derive
from writes.display.timeline import timeline
from writes.models import Write
from writes.worker import send

CSV = b"external_id__c,LastName\na-1,Name 1\na-2,Name 2\n"

pytestmark = pytest.mark.django_db


def make(integration: Integration, user: User) -> Write:
    return make_draft(integration, user, csv=CSV, primary_key="external_id__c")


@pytest.mark.usefixtures("small_parts")
def test_each_part_is_told_from_its_first_step_to_its_end(
    sandbox: Sandbox, integration: Integration, olga: User, browser: Browser
) -> None:
    write = make(integration, olga)
    confirm(write, olga)
    work_off()
    told = [(event.part, event.text) for event in timeline(write)]
    accepted = "Ampersand accepted it and gave it an id."
    assert told == [
        ("", "olga began it as a draft."),
        ("", "olga confirmed it."),
        ("part 1 of 2", "The console sent it to Ampersand."),
        ("part 1 of 2", accepted),
        ("part 1 of 2", "It ended: succeeded."),
        ("part 2 of 2", "Its turn came."),
        ("part 2 of 2", "The console sent it to Ampersand."),
        ("part 2 of 2", accepted),
        ("part 2 of 2", "It ended: succeeded."),
    ]
    page = browser.get(write.get_absolute_url()).content.decode()
    assert "<strong>Part 2 of 2.</strong> Its turn came." in page


def test_who_discarded_a_draft_is_told(integration: Integration, olga: User) -> None:
    write = make(integration, olga)
    assert derive.discard(write, by="olga")
    assert timeline(write)[-1].text == "olga discarded it. Nothing was sent."


def test_what_the_sweep_discarded_was_the_console(
    integration: Integration, olga: User
) -> None:
    write = make(integration, olga)
    assert derive.discard(write)
    last = timeline(write)[-1]
    assert last.text == "The console discarded it. Nothing was sent."
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
    assert part.resolve("olga sent it again as operation #9.")
    told = timeline(write)
    assert told[-2].text == "No readable answer came."
    last = told[-1]
    assert (last.part, last.text) == (part.part, "olga sent it again as operation #9.")
