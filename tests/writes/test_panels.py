"""The page of an operation shows the request behind it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from console.access.roles import Role
from console.models import Integration
from operations.models import Operation
from operations.views import panels
from tests.conftest import SANDBOX_KEY
from tests.writes.making import confirm, make_draft, press_send
from tests.writes.pages import Page
from writes.models import Write
from writes.views.panels import request_panel

HOSTILE = "<img src=x onerror=alert(1)>"

pytestmark = [pytest.mark.pages, pytest.mark.django_db]


def sent(write: Write, browser: Browser) -> Any:
    """Confirm a draft and return the page of its operation."""
    return press_send(browser, write, follow=True)


def test_the_page_shows_the_request_with_the_key_masked(
    integration: Integration, olga: User, browser: Browser
) -> None:
    write = make_draft(integration, olga, record={"LastName": HOSTILE})
    answer = sent(write, browser)
    content = answer.content.decode()
    batch = write.batches.get()
    for words in (batch.url, batch.sha256, f"••••{SANDBOX_KEY[-4:]}", "LastName"):
        assert words in content
    assert SANDBOX_KEY not in content
    assert "<img src=x" not in content
    assert Page(answer).inline == []


def test_the_page_of_a_file_offers_its_files_instead_of_its_text(
    integration: Integration, olga: User, browser: Browser
) -> None:
    data = b"id,LastName\n1,Very-own-name\n"
    write = make_draft(integration, olga, csv=data, primary_key="id")
    content = sent(write, browser).content.decode()
    for name in ("original.csv", "as-sent.csv", "body.json"):
        assert f"/writes/{write.pk}/{name}" in content
    assert write.check_report["as_sent_sha256"] in content
    assert "Very-own-name" not in content


def test_the_page_still_opens_when_the_file_is_gone(
    integration: Integration, olga: User, browser: Browser
) -> None:
    write = make_draft(integration, olga, csv=b"id\n1\n", primary_key="id")
    sent(write, browser)
    write.as_sent.storage.delete(write.as_sent.name)
    assert browser.get(f"/writes/{write.pk}/", follow=True).status_code == 200


def test_only_an_operator_is_offered_to_send_it_again(
    integration: Integration,
    olga: User,
    browser: Browser,
    sign_in: Callable[..., Browser],
) -> None:
    write = make_draft(integration, olga)
    again = f"/writes/{write.pk}/again/"
    assert again in sent(write, browser).content.decode()
    seen = sign_in(Role.VIEWER).get(f"/writes/{write.pk}/", follow=True)
    assert seen.status_code == 200
    assert again not in seen.content.decode()


def test_an_operation_that_was_not_sent_from_here_has_no_panel(
    integration: Integration, rf: Any
) -> None:
    followed = Operation.objects.create(
        project=integration.project,
        action="follow",
        remote_id="r-1",
        state=Operation.State.IN_PROGRESS,
        started_by_name="olga",
    )
    assert request_panel in panels.late._panels
    assert request_panel(rf.get("/"), followed) == ""


KEYED = {"primary_key": "id"}
KINDS: dict[str, dict[str, Any]] = {
    "record": {"record": {"LastName": "Berg"}},
    "csv": {"csv": b"id,LastName\n1,x\n", **KEYED},
    "url": {"url": "https://files.example.com/a.csv", **KEYED},
}


@pytest.mark.parametrize("source", KINDS)
@pytest.mark.parametrize("state", ["rejected", "failed", "partly_failed", "succeeded"])
def test_what_was_refused_leads_to_a_copy_that_can_be_corrected(
    state: str,
    source: str,
    integration: Integration,
    olga: User,
    browser: Browser,
    sign_in: Callable[..., Browser],
) -> None:
    operation = confirm(make_draft(integration, olga, **KINDS[source]), olga)
    Operation.objects.filter(pk=operation.pk).update(state=state, due_at=None)
    page = browser.get(operation.get_absolute_url())
    assert ("edit-copy" in Page(page).ids) == (state in ("rejected", "failed"))
    if state in ("rejected", "failed"):
        write = operation.batch.write
        form = browser.get(f"/writes/{write.pk}/again/", follow=True)
        assert Page(form).submits["again"] == [str(write.pk)]
    viewer = sign_in(Role.VIEWER, "vera")
    assert "edit-copy" not in Page(viewer.get(operation.get_absolute_url())).ids
