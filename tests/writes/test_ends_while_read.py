"""A page never tells half of an end: work may end between any two of its queries."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client as Browser
from django.utils import timezone

from console.models import Integration
from operations.models import Operation
from operations.worker.watch import watch
from sandbox.app import Sandbox
from tests.writes.making import confirm, make_draft
from writes.actions import begin_job, settle
from writes.models import FileJob, Write
from writes.worker import run_job, send
from writes.worker.check_file import MADE

KEY = "external_id__c"
HEADER = b"external_id__c,LastName\n"
CLEAN = HEADER + b"k-1,Berg\nk-2,Lau\n"
BLOCKED = HEADER + b"k-1,Berg\nk-1,Lau\n"
MOST_QUERIES = 200
POLLS = "data-poll"

pytestmark = [pytest.mark.pages, pytest.mark.django_db]


class Interrupter:
    """Lets something happen just before the query with a number, counted from 0."""

    def __init__(self, place: int, end: Callable[[], object]) -> None:
        self.place, self.end, self.asked = place, end, 0

    def __call__(self, execute: Any, *query: Any) -> Any:
        self.asked += 1
        if self.asked - 1 == self.place:
            wrappers = connection.execute_wrappers
            connection.execute_wrappers = []
            self.end()
            connection.execute_wrappers = wrappers
        return execute(*query)


def answers(
    ask: Callable[[], HttpResponse], end: Callable[[], object]
) -> list[HttpResponse]:
    """Return what is answered if `end` happens before each query, and after all."""
    found = []
    for place in range(MOST_QUERIES):
        step = Interrupter(place, end)
        with transaction.atomic():
            with connection.execute_wrapper(step):
                found.append(ask())
            transaction.set_rollback(True)
        if step.asked <= place:
            return found
    raise AssertionError("The page asks too often.")


def have_jobs_done() -> None:
    for job in FileJob.objects.filter(state__in=FileJob.OPEN):
        run_job.run(job.pk)


def have_all_done() -> None:
    have_jobs_done()
    settle.join_told(timezone.now())


@pytest.fixture
def waiting(integration: Integration, olga: User, request: Any) -> Write:
    """A draft whose file is about to be checked."""
    write = make_draft(
        integration,
        olga,
        csv=request.param,
        primary_key=KEY,
        faulty=request.param == BLOCKED,
    )
    values = {"is_ready": False, "check_report": {}, "inspection": {}}
    Write.objects.filter(pk=write.pk).update(**values, **dict.fromkeys(MADE, ""))
    begin_job.begin(write, FileJob.Kind.CHECK, size=0, wait=False)
    write.refresh_from_db()
    return write


@pytest.fixture
def ended(sandbox: Sandbox, integration: Integration, olga: User) -> Write:
    """What came to its end, and whose rows are about to be matched to it."""
    write = make_draft(integration, olga, csv=CLEAN, primary_key=KEY)
    operation = confirm(write, olga)
    send.send(operation.pk)
    while (
        due_at := Operation.objects.get().due_at
    ) and not Operation.objects.get().ended_at:
        watch([operation.pk], due_at)
    Operation.objects.update(due_at=None)
    settle.join_told(timezone.now())
    assert FileJob.objects.get(kind=FileJob.Kind.JOIN).is_open
    write.refresh_from_db()
    return write


@pytest.mark.parametrize("waiting", [CLEAN], indirect=True)
def test_the_page_of_a_clean_file_waits_or_leads_on(
    waiting: Write, browser: Browser
) -> None:
    page = f"/writes/{waiting.pk}/file/?then=review"
    found = answers(lambda: browser.get(page), have_jobs_done)
    assert {each.status_code for each in found} == {200, 302}
    assert all(POLLS in each.text for each in found if each.status_code == 200)


@pytest.mark.parametrize("waiting", [CLEAN], indirect=True)
def test_what_asks_for_a_clean_file_waits_or_leads_on(
    waiting: Write, browser: Browser
) -> None:
    page = f"/writes/{waiting.pk}/file/work/?then=review"
    found = answers(lambda: browser.get(page), have_jobs_done)
    assert {each.status_code for each in found} == {200}
    assert all("HX-Redirect" in each or POLLS in each.text for each in found)


@pytest.mark.parametrize("waiting", [BLOCKED], indirect=True)
@pytest.mark.parametrize(
    ("page", "told"),
    [
        ("file/", 'value="leave-out"'),
        ("grid/", "2 errors in 2 rows"),
        ("grid/state/", "2 errors in 2 rows"),
    ],
)
def test_a_page_waits_for_the_check_or_tells_what_it_found(
    waiting: Write, browser: Browser, page: str, told: str
) -> None:
    page = f"/writes/{waiting.pk}/{page}"
    found = answers(lambda: browser.get(page), have_jobs_done)
    assert POLLS in found[-1].text
    assert POLLS not in found[0].text
    assert all(POLLS in each.text or told in each.text for each in found)
    assert all('id="problem"' not in each.text for each in found)


@pytest.mark.parametrize("page", ["rows/panel/", "status/", ""])
def test_a_page_waits_for_the_rows_or_has_them(
    ended: Write, browser: Browser, page: str
) -> None:
    address = f"/writes/{ended.pk}/{page}"
    found = answers(lambda: browser.get(address, follow=True), have_all_done)
    assert POLLS in found[-1].text
    assert all(POLLS in e.text or "outcomes.csv" in e.text for e in found)


def test_the_page_of_the_rows_never_says_that_they_were_not_matched(
    ended: Write, browser: Browser
) -> None:
    address = f"/writes/{ended.pk}/rows/"
    alarm = 'verdict-warns" aria-labelledby="nothing-heading"'
    found = answers(lambda: browser.get(address, follow=True), have_all_done)
    assert 'id="row-table"' in found[0].text
    assert 'id="row-table"' not in found[-1].text
    assert all(alarm not in each.text for each in found)
