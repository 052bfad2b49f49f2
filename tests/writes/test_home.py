"""Home: what needs a person comes first, and each sees their own drafts."""

import html
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.access.roles import Role
from console.health.workers import PROCESSES
from console.models import Heartbeat, Integration
from operations.models import Operation
from tests.answers import Shown
from tests.conftest import make_user, stored_operation
from tests.writes.making import make_draft
from tests.writes.pages import Page
from writes.views import home

State = Operation.State

pytestmark = pytest.mark.django_db


def make_operation(integration: Integration, state: str, **values: object) -> Operation:
    """Return an operation in `state`."""
    now = timezone.now()
    return stored_operation(
        **{
            "project": integration.project,
            "integration": integration,
            "action": "create",
            "object_name": f"object_{state}",
            "group_ref": "demo-group-id",
            "started_by_name": "olga",
            "state": state,
            "sent_at": now,
            "due_at": now,
            **values,
        }
    )


def test_without_a_project_it_says_what_is_missing(browser: Browser) -> None:
    answer = browser.get("/")
    assert not answer.context["has_projects"]
    assert "empty" in Shown(answer).data
    assert Page(answer).headings == 1
    assert Page(answer).inline == []


def test_without_a_write_it_says_so(browser: Browser, integration: Integration) -> None:
    answer = Shown(browser.get("/"))
    assert "empty" in answer.data
    assert "recent-heading" in answer.ids
    assert "unknown-heading" not in answer.ids


def test_unknown_outcomes_are_told_first(
    browser: Browser, integration: Integration
) -> None:
    unknown = make_operation(integration, State.UNKNOWN)
    make_operation(integration, State.SUCCEEDED)
    content = browser.get("/").content.decode()
    told = content.index("Each may or may not have been written")
    assert told < content.index(unknown.get_absolute_url()) < content.index("recent")
    assert "object_succeeded" in content


def test_the_tiles_count(browser: Browser, integration: Integration) -> None:
    for state in (State.FAILED, State.PARTLY_FAILED, State.REJECTED):
        make_operation(integration, state)
    long_ago = timezone.now() - timedelta(days=2)
    make_operation(integration, State.FAILED, created_at=long_ago)
    make_operation(integration, State.WAITING)
    context = browser.get("/").context
    assert context["failed_count"] == "3"
    assert context["in_flight_count"] == "1"
    assert context["unknown_count"] == "0"


def test_each_tile_leads_to_what_it_counts(
    browser: Browser, integration: Integration
) -> None:
    counted = {
        State.UNKNOWN: "unknown_count",
        State.WAITING: "in_flight_count",
        State.SENDING: "in_flight_count",
        State.IN_PROGRESS: "in_flight_count",
        State.FAILED: "failed_count",
        State.PARTLY_FAILED: "failed_count",
        State.REJECTED: "failed_count",
    }
    for state in State:
        make_operation(integration, state, remote_id=f"op-{state}")
    shown = browser.get("/")
    tile = r'class="tile[^"]*" href="(/operations/[^"]*)"'
    tiles = re.findall(tile, shown.content.decode())
    names = ("unknown_count", "failed_count", "in_flight_count")
    for address, name in zip(tiles, names, strict=True):
        listed = browser.get(html.unescape(address)).context["operations"]
        expected = {state for state, count in counted.items() if count == name}
        assert {operation.state for operation in listed} == expected
        assert shown.context[name] == str(len(expected))


def test_parts_whose_turn_has_not_come_do_not_crowd_out_what_was_done(
    browser: Browser, integration: Integration
) -> None:
    done = make_operation(integration, State.SUCCEEDED)
    for _ in range(home.SHOWN):
        make_operation(integration, State.HELD)
    assert list(browser.get("/").context["recent"]) == [done]


def test_a_count_stops_where_it_helps_nobody(
    browser: Browser, integration: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home, "MOST_COUNTED", 2)
    for _ in range(3):
        make_operation(integration, State.UNKNOWN)
    assert browser.get("/").context["unknown_count"] == "2+"


@pytest.mark.parametrize(("seconds", "told"), [(None, True), (31, True), (1, False)])
def test_a_missing_clock_is_told(
    seconds: int | None, told: bool, browser: Browser, integration: Integration
) -> None:
    if seconds is not None:
        seen_at = timezone.now() - timedelta(seconds=seconds)
        Heartbeat.objects.create(process="clock", host="a", seen_at=seen_at)
    content = browser.get("/").content.decode()
    name, _ = PROCESSES["clock"]
    assert (name in content) == told


def test_only_drafts_of_ones_own_are_listed(
    browser: Browser, integration: Integration, olga: User
) -> None:
    mine = make_draft(integration, olga)
    theirs = make_draft(integration, make_user("tim", Role.OPERATOR))
    content = browser.get("/").content.decode()
    assert f'href="/writes/{mine.pk}/"' in content
    assert f'href="/writes/{theirs.pk}/"' not in content


def test_a_viewer_reads_and_is_offered_no_write(
    sign_in: Callable[..., Browser], integration: Integration
) -> None:
    content = sign_in(Role.VIEWER).get("/").content.decode()
    assert "/writes/record/" not in content
    # They have no drafts, and can make none.
    assert 'href="#drafts"' not in content


def test_it_needs_a_role_and_a_sign_in(
    sign_in: Callable[..., Browser], client: Browser
) -> None:
    assert sign_in(Role.NONE, "nobody").get("/").status_code == 403
    assert client.get("/")["Location"] == "/login/?next=/"
    assert sign_in().post("/").status_code == 405


def test_the_number_of_queries_does_not_grow(
    browser: Browser, integration: Integration, olga: User
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            browser.get("/")
        return len(captured)

    def grow() -> None:
        make_draft(integration, olga)
        make_operation(integration, State.UNKNOWN)
        make_operation(integration, State.FAILED)

    grow()
    few = queries()
    for _ in range(9):
        grow()
    assert queries() == few


def test_hostile_text_is_escaped(browser: Browser, integration: Integration) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    for state in (State.UNKNOWN, State.SUCCEEDED):
        make_operation(integration, state, object_name=hostile, group_ref=hostile)
    answer = browser.get("/")
    assert "<img" not in answer.content.decode()
    assert Page(answer).inline == []


def test_customers_are_called_by_their_names(
    browser: Browser, integration: Integration
) -> None:
    make_operation(integration, State.SUCCEEDED)
    name = integration.groups.get(group_ref="demo-group-id").name
    [recent] = browser.get("/").context["recent"]
    assert recent.group_name == name
