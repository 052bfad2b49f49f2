"""Every address of a write, for writes in every state: no answer is a 500.

What has a page of its own is tested there; this finds what nobody thought of.
"""

from collections.abc import Callable
from itertools import product
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client as Browser
from django.utils import timezone

from console.access.roles import Role
from console.models import Integration
from operations.models import Operation
from sandbox.app import Sandbox
from tests.conftest import actor
from tests.test_crawl import HOSTILE, check_page
from tests.writes.making import confirm, make_draft, work_off
from writes.actions import begin_job, derive
from writes.models import FileJob, Write
from writes.urls import writes_patterns

PATHS = sorted(
    str(pattern.pattern).removeprefix("<int:pk>/").replace("<int:number>", "1")
    for pattern in writes_patterns[0]
    if str(pattern.pattern).startswith("<int:pk>/")
)
CHANGES = {
    *("deliver/", "send/", "go-on/", "cancel-rest/", "discard/", "fetch/"),
    *("ask-approval/", "withdraw/"),
    *("pause/", "resume/", "hold/", "hold/release/", "pin/", "unpin/"),
    *("retry/", "trial/", "revoke/", "rejoin/", "grid/cell/"),
    *("requests/go-on/", "requests/cancel-rest/", "requests/1/decide/"),
    *("requests/1/halves/", "requests/1/operations/", "requests/1/link/"),
}
READS = [path for path in PATHS if path not in CHANGES]
NAMES = ("level", "state", "key", "group", "after", "before", "part", "seen", "column")
CSV = b"external_id__c,LastName\nk-1,Name 1\nk-2,\nk-3,Name 3\n"

pytestmark = [pytest.mark.pages, pytest.mark.django_db]


def drafted(integration: Integration, olga: User, **values: Any) -> Write:
    return make_draft(
        integration, olga, csv=CSV, primary_key="external_id__c", **values
    )


def sent(integration: Integration, olga: User) -> Write:
    write = drafted(integration, olga)
    confirm(write, olga, repeat_reason="One of each kind")
    work_off()
    return write


def faulty(integration: Integration, olga: User) -> Write:
    return make_draft(integration, olga, csv=CSV, primary_key="LastName", faulty=True)


def in_work(integration: Integration, olga: User) -> Write:
    write = drafted(integration, olga)
    begin_job.begin(write, FileJob.Kind.CHECK, size=begin_job.SMALL + 1)
    return write


def unreadable(integration: Integration, olga: User) -> Write:
    write = drafted(integration, olga)
    write.path_of("original").write_bytes(b"%PDF-1.7\n")
    values = {"inspection": {}, "check_report": {}, "as_sent": "", "as_read": ""}
    write.change(only_from="draft", edition=9, is_ready=False, **values)
    begin_job.begin(write, FileJob.Kind.CHECK, size=0)
    return write


def swept(integration: Integration, olga: User) -> Write:
    write = sent(integration, olga)
    gone = dict.fromkeys(Write.FILES, "")
    mine = Write.objects.filter(pk=write.pk)
    mine.update(files_deleted_at=timezone.now(), **gone)
    return write


def stopped(integration: Integration, olga: User) -> Write:
    write = drafted(integration, olga)
    first = confirm(write, olga, repeat_reason="One of each kind")
    Operation.objects.filter(pk=first.pk).update(
        state="failed", due_at=None, sent_at=timezone.now()
    )
    work_off()
    return write


def retried(integration: Integration, olga: User) -> Write:
    write = sent(integration, olga)
    write.refresh_from_db()
    return derive.retry_failed(write, actor(olga))


def discarded(integration: Integration, olga: User) -> Write:
    write = drafted(integration, olga)
    derive.discard(write)
    return write


def record(integration: Integration, olga: User) -> Write:
    return make_draft(integration, olga)


def address(integration: Integration, olga: User) -> Write:
    return make_draft(integration, olga, url="https://example.com/x", primary_key="id")


KINDS = [
    *(drafted, faulty, in_work, unreadable, sent, swept, stopped, retried),
    *(discarded, record, address),
]


@pytest.fixture
def writes(
    sandbox: Sandbox, integration: Integration, olga: User
) -> list[tuple[str, Write]]:
    """A write of every kind, with its name."""
    return [(kind.__name__, kind(integration, olga)) for kind in KINDS]


def test_every_page_has_what_every_page_has(
    writes: list[tuple[str, Write]], browser: Browser
) -> None:
    for name, write in writes:
        for path in READS:
            answer = browser.get(f"/writes/{write.pk}/{path}")
            assert answer.status_code in (200, 204, 302, 404), (name, path)
            if path in ("", "file/", "rows/") and answer.status_code == 200:
                check_page(answer)
            assert b"".join(answer) or answer.status_code != 200, (name, path)


@pytest.mark.hostile
@pytest.mark.parametrize("kind", [faulty, sent])
def test_no_query_breaks_an_address(
    kind: Callable[..., Write],
    sandbox: Sandbox,
    integration: Integration,
    olga: User,
    browser: Browser,
) -> None:
    write = kind(integration, olga)
    for path in READS:
        for value in HOSTILE[::2]:
            query = urlencode(dict.fromkeys(NAMES, value))
            answer = browser.get(f"/writes/{write.pk}/{path}?{query}")
            assert answer.status_code in (200, 204, 302, 400, 404), (path, query)
            assert b"<script>alert" not in b"".join(answer), path


def test_the_draft_of_somebody_else_is_not_there(
    integration: Integration, olga: User, sign_in: Callable[..., Browser]
) -> None:
    write = drafted(integration, olga)
    tim = sign_in(Role.OPERATOR, "tim")
    for path in PATHS:
        for ask in ("get", "post"):
            answer = getattr(tim, ask)(f"/writes/{write.pk}/{path}")
            # Who is admin nowhere is told so before anything is looked for.
            refused = (403, 405) if path.startswith("hold/") else (404, 405)
            assert answer.status_code in refused, (path, ask)
    write.refresh_from_db()
    assert (write.is_draft, write.is_ready) == (True, True)


def test_no_button_fails_on_a_write_that_it_does_not_fit(
    writes: list[tuple[str, Write]], browser: Browser
) -> None:
    for (name, write), path in product(writes, sorted(CHANGES)):
        # Whatever it did is undone, so that each of them meets the write as it was.
        with transaction.atomic():
            answer = browser.post(f"/writes/{write.pk}/{path}", follow=True)
            transaction.set_rollback(True)
        # Requests are not there where the write has none, nor cells.
        is_within = path.startswith(("requests/", "grid/"))
        # Only an admin may hold.
        is_held = path.startswith("hold/")
        fits = (
            200,
            409,
            422,
            *([404] if is_within else []),
            *([403] if is_held else []),
        )
        assert answer.status_code in fits, (name, path)
