"""A page asks for news only while some may come, and seldom once all has ended."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone

from console.models import Integration
from operations.models import Operation
from sandbox.app import Sandbox
from tests.writes.making import confirm, make_draft, work_off
from writes.actions import release_parts
from writes.models import Batch, FileJob, Write

pytestmark = [pytest.mark.pages, pytest.mark.django_db]

HEADER = b"external_id__c,LastName\n"
ROWS = [b"a-%d,Name %d\n" % (number, number) for number in range(1, 5)]


def polls(browser: Browser, *addresses: str) -> list[int]:
    """Return the pauses, in seconds, of all that asks again on these pages."""
    pauses = []
    for address in addresses:
        answer = browser.get(address, follow=True)
        assert answer.status_code == 200, address
        pauses += re.findall(r'hx-trigger="every (\d+)s"', answer.text)
    return [int(pause) for pause in pauses]


def pages(write: Write) -> list[str]:
    """Return every page and fragment of a write that may poll."""
    found = [
        f"/writes/{write.pk}/",
        f"/writes/{write.pk}/status/",
        f"/writes/{write.pk}/rows/",
        f"/writes/{write.pk}/rows/panel/",
        f"/writes/{write.pk}/file/",
    ]
    for batch in write.batches.all():
        pk = batch.operation_id
        found += [f"/operations/{pk}/{page}" for page in ("", "status/", "logs/")]
    return found


def nobody_asks_any_more() -> None:
    Operation.objects.exclude(state__in=Operation.UNSENT).update(due_at=None)


@pytest.fixture
def write(integration: Integration, olga: User) -> Write:
    data = HEADER + b"".join(ROWS)
    return make_draft(integration, olga, csv=data, primary_key="external_id__c")


@pytest.fixture(params=[False, True], ids=["whole", "in parts"])
def ended(
    request: pytest.FixtureRequest, sandbox: Sandbox, integration: Integration
) -> Write:
    """A write whose rows are joined, and which is still watched."""
    if request.param:
        request.getfixturevalue("small_parts")
    olga = request.getfixturevalue("olga")
    data = HEADER + b"".join(ROWS)
    write = make_draft(integration, olga, csv=data, primary_key="external_id__c")
    confirm(write, olga)
    work_off()
    write.refresh_from_db()
    return write


def test_all_pages_ask_while_it_goes(
    write: Write, olga: User, browser: Browser
) -> None:
    operation = confirm(write, olga)
    assert 1 in polls(browser, f"/operations/{operation.pk}/")


def test_while_late_entries_may_come_a_page_asks_a_few_times_a_minute(
    ended: Write, browser: Browser
) -> None:
    for page in pages(ended):
        pauses = polls(browser, page)
        assert sum(60 / pause for pause in pauses) <= 6, page


def test_nothing_polls_on_a_page_of_what_ended(ended: Write, browser: Browser) -> None:
    nobody_asks_any_more()
    assert polls(browser, *pages(ended)) == []


def test_rows_that_are_not_joined_yet_are_waited_for(
    ended: Write, browser: Browser
) -> None:
    nobody_asks_any_more()
    Batch.objects.update(is_settled=False)
    Write.objects.update(rows_told="other")
    address = f"/writes/{ended.pk}/rows/panel/"
    assert polls(browser, address)
    # They cannot be joined: that is known, too.
    FileJob.objects.filter(kind="join").update(state="failed")
    assert polls(browser, address) == []


@pytest.mark.parametrize("state", ["unknown", "rejected", "cancelled"])
def test_nothing_polls_whatever_the_end(
    state: str, write: Write, olga: User, browser: Browser
) -> None:
    operation = confirm(write, olga)
    now = timezone.now()
    Operation.objects.filter(pk=operation.pk).update(
        state=state, sent_at=now, due_at=None, rows_failed=0
    )
    work_off()
    assert polls(browser, *pages(write)) == []


@pytest.mark.usefixtures("small_parts")
def test_what_is_held_by_a_person_does_not_poll(
    integration: Integration, olga: User, browser: Browser
) -> None:
    data = HEADER + b"".join(ROWS)
    write = make_draft(integration, olga, csv=data, primary_key="external_id__c")
    first = confirm(write, olga)
    Operation.objects.filter(pk=first.pk).update(
        state="rejected", sent_at=timezone.now(), due_at=None, rows_failed=1
    )
    release_parts.release_held(timezone.now())
    work_off()
    assert polls(browser, f"/writes/{write.pk}/", f"/writes/{write.pk}/status/") == []
