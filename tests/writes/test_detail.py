"""The review of a draft: what it shows, sending it, discarding it, starting again."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from console.access.roles import Role
from console.models import AuditEvent, Integration, NoActiveKey, Project
from operations.models import Operation
from tests.answers import Shown, levels
from tests.conftest import SANDBOX_KEY, make_user, move_projects
from tests.texts import numbers
from tests.writes.making import make_draft, press_send, received
from tests.writes.pages import Page
from writes.models import Write
from writes.worker import send

CSV = b"id,LastName\r\n1,Berg\r\n2,Tal\r\n"
DRAFTS: dict[str, dict[str, Any]] = {
    "create": {"record": {"LastName": "Berg"}},
    "update": {"action": "update", "record_id": "003A", "record": {"LastName": "Tal"}},
    "csv": {"csv": CSV, "primary_key": "id"},
    "url": {"url": "https://example.com/x.csv", "primary_key": "id"},
}
# What another review of the same form may change.
CHANGED: dict[str, dict[str, Any]] = {
    "create": {"object_name": "lead"},
    "update": {"record": {"LastName": "Lau"}},
    "csv": {"csv": CSV + b"3,Lau\n"},
    "url": {"url": "https://example.com/y.csv"},
}
CONTENT = ["object_name", "record", "url", "as_sent", "check_report", "row_count"]

pytestmark = [pytest.mark.pages, pytest.mark.django_db]


@pytest.fixture
def draft(integration: Integration, olga: User) -> Write:
    """A draft of Olga's."""
    return make_draft(integration, olga)


@pytest.mark.parametrize("kind", DRAFTS)
def test_the_review_shows_the_request_and_what_it_means(
    kind: str, integration: Integration, olga: User, browser: Browser
) -> None:
    write = make_draft(integration, olga, **DRAFTS[kind])
    answer = browser.get(f"/writes/{write.pk}/")
    content = answer.content.decode()
    shown = answer.context["shown"]
    assert answer.status_code == 200
    for words in (
        write.get_action_display(),
        write.count_label,
        "Demo customer (demo-group-id)",
        "Demo",
        "Sandbox",
        f"<code>{shown.method}</code>",
        f"<code>{shown.url}</code>",
        f"••••{SANDBOX_KEY[-4:]}",
        "cannot be undone",
    ):
        assert words in content
    assert SANDBOX_KEY not in content
    page = Page(answer)
    assert {"Send", "Discard"} <= set(page.buttons)
    assert page.headings == 1
    assert page.inline == []


def test_the_review_of_a_file_shows_both_digests_and_its_first_rows(
    integration: Integration, olga: User, browser: Browser
) -> None:
    write = make_draft(integration, olga, **DRAFTS["csv"])
    content = browser.get(f"/writes/{write.pk}/").content.decode()
    assert write.inspection["sha256"] in content
    assert write.check_report["as_sent_sha256"] in content
    assert "<td>Berg</td>" in content
    line_ends = write.check_report["changes"][0]
    assert (line_ends["count"], numbers(line_ends["what"])) == (3, [3])
    assert line_ends["what"] in content


@pytest.mark.parametrize("environment", ["sandbox", "test", "production"])
def test_a_production_project_is_told_by_word_and_colour(
    environment: str, project: Project, draft: Write, browser: Browser
) -> None:
    move_projects(environment=environment)
    content = browser.get(f"/writes/{draft.pk}/").content.decode()
    assert f"environment-{environment}" in content
    assert ("btn-danger" in content) == (environment == "production")


def test_sending_goes_to_the_operation_and_leaves_an_audit_event(
    draft: Write, browser: Browser
) -> None:
    answer = press_send(browser, draft)
    operation = Operation.objects.get()
    assert answer["Location"] == operation.get_absolute_url()
    assert operation.state == Operation.State.WAITING
    event = AuditEvent.objects.get(action="write.confirmed")
    assert event.actor_name == "olga"
    assert draft.count_label in event.subject


def test_sending_twice_is_one_operation_and_one_request(
    draft: Write, browser: Browser, sandbox: Any
) -> None:
    first, second = (press_send(browser, draft) for _ in range(2))
    assert first["Location"] == second["Location"]
    operation = Operation.objects.get()
    send.send(operation.pk)
    press_send(browser, draft)
    send.send(operation.pk)
    assert len(received(sandbox)) == 1


def test_a_sent_write_is_shown_by_its_operation(draft: Write, browser: Browser) -> None:
    press_send(browser, draft)
    answer = browser.get(f"/writes/{draft.pk}/")
    assert answer["Location"] == Operation.objects.get().get_absolute_url()


def test_a_discarded_draft_cannot_be_sent(draft: Write, browser: Browser) -> None:
    answer = browser.post(f"/writes/{draft.pk}/discard/", follow=True)
    assert answer.redirect_chain == [("/", 302)]
    answer = browser.get(f"/writes/{draft.pk}/")
    assert Shown(answer).data["state"] == ["discarded"]
    assert "Send" not in Page(answer).buttons
    answer = press_send(browser, draft)
    assert answer.status_code == 422
    assert not Operation.objects.exists()


@pytest.mark.parametrize("before", ["send", "discard"])
def test_what_is_no_draft_any_more_cannot_be_discarded(
    before: str, draft: Write, browser: Browser
) -> None:
    if before == "send":
        press_send(browser, draft)
    else:
        browser.post(f"/writes/{draft.pk}/discard/")
    draft.refresh_from_db()
    state = draft.state
    assert state != "draft"
    answer = browser.post(f"/writes/{draft.pk}/discard/", follow=True)
    assert levels(answer)[-1] == "warning"
    draft.refresh_from_db()
    assert draft.state == state


def test_a_project_without_a_key_is_told_on_the_review(
    draft: Write, project: Project, browser: Browser
) -> None:
    project.api_keys.get().revoke()
    answer = browser.get(f"/writes/{draft.pk}/")
    assert answer.status_code == 200
    with pytest.raises(NoActiveKey) as missing:
        project.active_key()
    assert str(missing.value) in Shown(answer).texts["problem"]
    assert "Send" not in Page(answer).buttons
    answer = press_send(browser, draft)
    assert answer.status_code == 422
    draft.refresh_from_db()
    assert draft.is_draft


def test_a_file_that_is_gone_is_told_and_nothing_is_sent(
    integration: Integration, olga: User, browser: Browser
) -> None:
    write = make_draft(integration, olga, **DRAFTS["csv"])
    write.as_sent.storage.delete(write.as_sent.name)
    answer = press_send(browser, write)
    assert answer.status_code == 422
    assert "problem" in Shown(answer).ids
    assert not Operation.objects.exists()


@pytest.mark.parametrize("kind", ["create", "csv", "url"])
def test_again_opens_the_form_that_it_came_from(
    kind: str, integration: Integration, olga: User, browser: Browser
) -> None:
    write = make_draft(integration, olga, **DRAFTS[kind])
    answer = browser.get(f"/writes/{write.pk}/again/")
    assert answer["Location"] == f"/writes/{write.source}/?again={write.pk}"
    assert browser.get(answer["Location"]).status_code == 200


PAGES = ["", "again/", "original.csv", "as-sent.csv", "body.json"]
CHANGES = ["send/", "discard/"]


@pytest.mark.parametrize("path", PAGES + CHANGES)
@pytest.mark.parametrize("state", ["draft", "discarded"])
def test_somebody_elses_draft_is_not_there(
    path: str, state: str, browser: Browser, integration: Integration
) -> None:
    tim = make_user("tim", Role.OPERATOR)
    theirs = make_draft(integration, tim, **DRAFTS["csv"])
    Write.objects.update(state=state)
    ask = browser.post if path in CHANGES else browser.get
    assert ask(f"/writes/{theirs.pk}/{path}").status_code == 404
    theirs.refresh_from_db()
    assert theirs.state == state


@pytest.mark.parametrize("path", ["", "original.csv", "as-sent.csv"])
def test_an_admin_sees_everybodys_draft(
    path: str, sign_in: Callable[..., Browser], integration: Integration, olga: User
) -> None:
    write = make_draft(integration, olga, **DRAFTS["csv"])
    admin = sign_in(Role.ADMIN)
    answer = admin.get(f"/writes/{write.pk}/{path}")
    assert answer.status_code == 200
    answer.close()


@pytest.mark.parametrize("path", CHANGES)
def test_a_viewer_changes_nothing(
    path: str, sign_in: Callable[..., Browser], draft: Write
) -> None:
    viewer = sign_in(Role.VIEWER)
    assert viewer.post(f"/writes/{draft.pk}/{path}").status_code == 403
    assert viewer.get(f"/writes/{draft.pk}/again/").status_code == 403
    draft.refresh_from_db()
    assert draft.is_draft


@pytest.mark.parametrize("path", PAGES)
def test_anonymous_people_are_sent_to_sign_in(
    path: str, client: Browser, draft: Write
) -> None:
    answer = client.get(f"/writes/{draft.pk}/{path}")
    assert answer["Location"].startswith("/login/?next=/writes/")


@pytest.mark.parametrize("path", PAGES)
def test_reading_does_not_take_a_post(
    path: str, browser: Browser, draft: Write
) -> None:
    assert browser.post(f"/writes/{draft.pk}/{path}").status_code == 405


@pytest.mark.parametrize("path", CHANGES)
def test_changing_does_not_take_a_get(
    path: str, browser: Browser, draft: Write
) -> None:
    assert browser.get(f"/writes/{draft.pk}/{path}").status_code == 405


@pytest.mark.parametrize("pk", ["0", "9" * 18, "9" * 19, "9" * 30, "9" * 5000])
@pytest.mark.parametrize("path", PAGES)
def test_a_number_that_no_write_has_is_not_there(
    pk: str, path: str, browser: Browser
) -> None:
    assert browser.get(f"/writes/{pk}/{path}").status_code == 404


def test_what_is_written_is_what_was_reviewed(
    integration: Integration, olga: User, browser: Browser
) -> None:
    record = {"zebra": "ü\n<b>", "LastName": "Berg", "Kids__c": 0.1}
    write = make_draft(integration, olga, record=record)
    shown = browser.get(f"/writes/{write.pk}/").context["shown"]
    press_send(browser, write)
    batch = write.batches.get()
    assert batch.request() == shown
    assert list(json.loads(batch.body)["record"]) == list(record)


@pytest.mark.parametrize("kind", DRAFTS)
def test_what_was_changed_after_the_review_is_not_sent(
    kind: str, integration: Integration, olga: User, browser: Browser
) -> None:
    write = make_draft(integration, olga, **DRAFTS[kind])
    other = make_draft(integration, olga, **DRAFTS[kind] | CHANGED[kind])
    stale = Page(browser.get(f"/writes/{write.pk}/")).submits["reviewed"][0]
    content = {name: getattr(other, name) for name in CONTENT}
    write.change(only_from=Write.State.DRAFT, **content)
    answer = press_send(browser, write, {"reviewed": stale})
    assert answer.status_code == 422
    assert "problem" in Shown(answer).ids
    assert not Operation.objects.exists()
    fresh = Page(answer).submits["reviewed"][0]
    press_send(browser, write, {"reviewed": fresh})
    assert Operation.objects.exists()
