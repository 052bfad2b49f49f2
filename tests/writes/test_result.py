"""The page of an operation tells one story: headline, counts, what to do, the rest."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone

from console.access.roles import Role
from console.models import Integration
from operations.models import Operation
from tests.answers import Shown
from tests.conftest import make_user
from tests.texts import numbers
from tests.writes.making import confirm, make_draft, work_off
from writes.models import Write

pytestmark = [pytest.mark.pages, pytest.mark.django_db]

TILE = re.compile(r'<div class="tile[^"]*"><dt>([^<]+)</dt>(.*?)</div>', re.S)
DUPLICATE = (
    "DUPLICATE_VALUE: duplicate value found: external_id__c duplicates value on "
    "record with id: 003SB0000000009YAA"
)
KEYED: dict[str, Any] = {
    "csv": b"external_id__c,LastName\nk-1,Name 1\nk-2,\nk-3,Name 3\n",
    "primary_key": "external_id__c",
}


@pytest.fixture
def partly(integration: Integration, olga: User, sandbox: object) -> Operation:
    """A file of three rows that was sent, and of which one failed."""
    operation = confirm(make_draft(integration, olga, **KEYED), olga)
    work_off()
    operation.refresh_from_db()
    assert operation.state == Operation.State.PARTLY_FAILED
    return operation


def tiles(text: str) -> dict[str, int]:
    """Return the counts of a page by their names; each must be there once."""
    found = TILE.findall(text)
    names = [name for name, _ in found]
    assert len(set(names)) == len(names), names
    return {name: numbers(re.sub("<[^>]+>", "", shown))[0] for name, shown in found}


def test_one_headline_and_one_set_of_counts(
    partly: Operation, browser: Browser
) -> None:
    page = browser.get(partly.get_absolute_url())
    shown = Shown(page)
    assert numbers(shown.texts["outcome-heading"]) == [2, 1]
    counts = tiles(page.text)
    assert counts == {"Rows": 3, "Succeeded": 2, "Failed": 1, "Unknown": 0}
    assert "fates-said" not in shown.ids
    # Before its rows are joined the operation's own counts have the same names.
    Write.objects.update(rows_report={})
    assert tiles(browser.get(partly.get_absolute_url()).text) == counts


def test_it_leads_to_the_rows_and_to_a_retry(
    partly: Operation, browser: Browser, client: Browser
) -> None:
    shown = Shown(browser.get(partly.get_absolute_url()))
    assert {"rows-failed", "retry-failed", "upload-corrected"} <= shown.ids
    assert {"rows-unknown", "edit-copy", "update-record"}.isdisjoint(shown.ids)
    client.force_login(make_user("vera", Role.VIEWER))
    seen = Shown(client.get(partly.get_absolute_url()))
    assert "rows-failed" in seen.ids
    assert {"retry-failed", "upload-corrected"}.isdisjoint(seen.ids)


def test_the_links_at_the_top_lead_to_parts_in_their_order(
    partly: Operation, browser: Browser
) -> None:
    text = browser.get(partly.get_absolute_url()).text
    head, _, rest = text.partition('aria-label="On this page"')
    anchors = re.findall('href="#([^"]+)"', rest.partition("</nav>")[0])
    places = [text.index(f'id="{anchor}"') for anchor in anchors]
    assert places == sorted(places)
    assert places[0] > len(head)
    assert {"result", "failures", "rows-panel", "log", "request"} <= set(anchors)
    assert {"timeline", "answer"} <= set(anchors)


def test_the_headline_follows_when_the_rows_are_joined(
    partly: Operation, browser: Browser
) -> None:
    panel = browser.get(f"/writes/{partly.batch.write.pk}/rows/panel/")
    for place in ("operation-counts", "operation-remedies"):
        assert f'hx-swap-oob="innerHTML:#{place}"' in panel.text
    assert tiles(panel.text)["Failed"] == 1
    assert "retry-failed" in Shown(panel).ids


@pytest.mark.parametrize(
    ("values", "is_offered", "is_filled"),
    [
        ({"state": "succeeded", "record_id": "003SB0000000009YAA"}, True, False),
        ({"state": "rejected", "reason": DUPLICATE}, True, True),
        ({"state": "rejected", "reason": "Required fields are missing"}, False, False),
        ({"state": "unknown", "reason": DUPLICATE}, False, False),
        ({"state": "succeeded", "record_id": ""}, False, False),
    ],
)
def test_a_known_record_can_be_updated(
    values: dict[str, str],
    is_offered: bool,
    is_filled: bool,
    integration: Integration,
    olga: User,
    browser: Browser,
) -> None:
    write = make_draft(integration, olga, record={"LastName": "Berg"})
    operation = confirm(write, olga)
    Operation.objects.update(due_at=None, sent_at=timezone.now(), **values)
    page = browser.get(operation.get_absolute_url())
    assert ("update-record" in Shown(page).ids) is is_offered
    form = browser.get(f"/writes/record/?update={write.pk}")
    assert ('value="003SB0000000009YAA"' in form.text) is is_offered
    assert ("Berg" in form.text) is is_filled
    if is_offered:
        assert form.context["form"]["action"].value() == "update"
        assert form.context["form"]["again"].value() is None


def test_nobody_updates_by_the_write_of_another_environment(
    integration: Integration, olga: User, client: Browser
) -> None:
    write = make_draft(integration, olga)
    confirm(write, olga)
    Operation.objects.update(state="succeeded", record_id="003SB0000000009YAA")
    client.force_login(make_user("tess", test=Role.OPERATOR))
    form = client.get(f"/writes/record/?update={write.pk}")
    assert form.status_code == 200
    assert "003SB0000000009YAA" not in form.text


def test_an_unknown_outcome_is_resolved_first(
    integration: Integration, olga: User, browser: Browser
) -> None:
    operation = confirm(make_draft(integration, olga), olga)
    now = timezone.now()
    Operation.objects.update(state="unknown", due_at=None, sent_at=now)
    page = browser.get(operation.get_absolute_url())
    assert "reconcile" in Shown(page).ids
    assert {"retry-failed", "edit-copy", "update-record"}.isdisjoint(Shown(page).ids)
    assert page.context["sentence"].todo in Shown(page).texts["todo"]


def test_who_may_not_write_reads_who_can(
    integration: Integration, olga: User, browser: Browser, client: Browser
) -> None:
    operation = confirm(make_draft(integration, olga), olga)
    Operation.objects.update(
        state="rejected", due_at=None, sent_at=timezone.now(), remote_status="400"
    )
    client.force_login(make_user("vera", Role.VIEWER))
    address = operation.get_absolute_url()
    assert "operator" in Shown(client.get(address)).texts["todo"]
    assert "operator" not in Shown(browser.get(address)).texts["todo"]
