"""The audit trail as a page and as a file."""

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client as Browser

from console.access.roles import Role
from console.actor import Actor
from console.models import AuditEvent, Project
from operations.views import audit, audit_filter
from tests.conftest import make_user, stored_operation, unguarded
from tests.operations.conftest import Clock
from tests.operations.plans import by_rule, plan_of

HTMX = {"hx-request": "true"}
URL = "/audit/"
CSV = "/audit/audit.csv"

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(sign_in: Callable[..., Browser]) -> Browser:
    browser = sign_in(Role.ADMIN)
    with unguarded():
        AuditEvent.objects.all().delete()
    return browser


def record(count: int = 1, **values: Any) -> list[int]:
    olga = Actor(name="olga")
    given = {"action": "write.confirmed", "subject": "Upsert", "actor": olga}
    return [AuditEvent.record(**{**given, **values}).pk for _ in range(count)]


def shown(response: Any) -> list[int]:
    return [event.pk for event in response.context["events"]]


@pytest.mark.parametrize("url", [URL, CSV])
def test_the_ladder(
    reader: Browser, client: Browser, sign_in: Callable[..., Browser], url: str
) -> None:
    assert reader.get(url).status_code == 200
    assert reader.post(url).status_code == 405
    assert client.get(url).status_code == 302
    assert "HX-Redirect" in client.get(url, headers=HTMX)
    assert sign_in(Role.NONE, name="nobody").get(url).status_code == 403
    assert reader.get(f"{url}?from=x").status_code == 400


def test_pages_follow_without_gap_or_repetition(reader: Browser) -> None:
    assert AuditEvent.objects.newest_first().totally_ordered
    everything = record(120)[::-1]
    found, url = [], URL
    while url:
        response = reader.get(url)
        found += shown(response)
        older = response.context["older"]
        url = f"{URL}?{older}" if older else ""
    assert found == everything


def test_each_filter_narrows(reader: Browser, project: Project, clock: Clock) -> None:
    record(3)
    clock.now = datetime(2023, 1, 2, 23, 59, tzinfo=UTC)
    (wanted,) = record(
        action="key.added",
        subject="Key four",
        actor=Actor(name="Maria", address="203.0.113.9", correlation_id="a" * 32),
        about=project,
        detail={"operation": 12, "write": 5},
    )
    clock.now = datetime(2023, 2, 2, 23, 59, tzinfo=UTC)
    (other,) = record(detail={"operation": "13"})
    clock.now = datetime(2023, 2, 9, 12, 0, tzinfo=UTC)
    for query in (
        {"user": "maria"},
        {"action": "key.added"},
        {"action": "key."},
        {"action": ["key.added", "key.revoked"]},
        {"project": "demo"},
        {"environment": "sandbox"},
        {"text": "FOUR"},
        {"address": "203.0.113.9"},
        {"request": "a" * 32},
        {"operation": "12"},
        {"write": "5"},
        {"write": "5", "user": "MARIA", "period": "last-month"},
        {"period": "last-month"},
        {"period": "last_month"},
        {"from": "2023-01-02", "to": "2023-01-02"},
    ):
        response = reader.get(URL, query)
        assert shown(response) == [wanted], query
        assert response.context["count"] in ("1", ""), query
    assert shown(reader.get(URL, {"write": "5", "operation": "13"})) == [other, wanted]
    for period in ("30-days", "30d"):
        response = reader.get(URL, {"period": period})
        assert shown(response) == [other]
        assert 'value="30d" selected' in response.text
    for query in ({"write": "12"}, {"operation": "1"}, {"project": "dem"}):
        assert shown(reader.get(URL, query)) == [], query


def test_pages_of_a_period_follow_by_time_where_clocks_went_back(
    reader: Browser, clock: Clock
) -> None:
    moments = [datetime(2023, 1, 2, 3, n % 7, tzinfo=UTC) for n in range(120)]
    made = []
    for moment in moments:
        clock.now = moment
        made += [(moment, pk) for pk in record()]
    found, url = [], f"{URL}?from=2023-01-02&to=2023-01-02"
    while url:
        response = reader.get(url)
        found += shown(response)
        older = response.context["older"]
        url = f"{URL}?{older}" if older else ""
    assert found == [pk for _, pk in sorted(made, reverse=True)]


def test_a_word_is_looked_for_bit_by_bit_and_the_page_says_so(
    reader: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_filter, "SEARCHED", 4)
    monkeypatch.setattr(audit, "SEARCHED", 4)
    old = record(subject="the needle")
    record(5)
    new = record(subject="a needle too")
    found, url, pages = [], f"{URL}?text=needle", 0
    while url:
        response = reader.get(url)
        found += shown(response)
        pages += 1
        further = response.context["further"]
        url = f"{URL}?{further}" if further else ""
    assert (found, pages) == ([*new, *old], 2)


def test_counts_are_bounded(reader: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "MOST_COUNTED", 3)
    record(3)
    assert reader.get(URL).context["count"] == "3"
    record(2)
    assert reader.get(URL).context["count"] == "3+"


def test_a_choice_of_actions_is_kept_by_pages_and_export(reader: Browser) -> None:
    record(60)
    record(action="key.added")
    query = {"action": ["key.added", "write.confirmed"]}
    response = reader.get(URL, query)
    assert response.context["older"].count("action=") == 2
    assert len(re.findall(r"<input[^>]* checked", response.text)) == 2
    rows = list(csv.DictReader(io.StringIO(reader.get(CSV, query).getvalue().decode())))
    assert len(rows) == 61


class TestEvent:
    def test_it_shows_before_and_after_and_its_neighbours(
        self, reader: Browser, project: Project
    ) -> None:
        older, pk, newer = record(
            3,
            action="project.changed",
            detail={
                "name": ["A", "B"],
                "added": ["x", "y"],
                "until": "2026-11-30T12:47:14.6+00:00",
            },
        )
        context = reader.get(f"{URL}{pk}/").context
        assert [event.pk for event in (context["older"], context["newer"])] == [
            older,
            newer,
        ]
        told = context["told"]
        assert [(c.name, c.before, c.after) for c in told.changes] == [
            ("Name", "A", "B")
        ]
        until = datetime(2026, 11, 30, 12, 47, 14, 600_000, tzinfo=UTC)
        assert told.facts == {"Added": ["x", "y"], "Until": until}
        assert context["holds"]

    def test_its_seal_and_that_of_the_one_before_are_looked_at(
        self, reader: Browser
    ) -> None:
        before, pk, after = record(3)
        with unguarded():
            AuditEvent.objects.filter(pk=pk).update(subject="else")
        held = [reader.get(f"{URL}{n}/").context["holds"] for n in (before, pk, after)]
        assert held == [True, False, True]

    def test_it_leads_to_the_operation_and_the_request_id_of_ampersand(
        self, reader: Browser, project: Project
    ) -> None:
        operation = stored_operation(
            project=project, action="create", state="succeeded", request_id="amp-77"
        )
        (pk,) = record(about=operation, actor=Actor(name="o", correlation_id="b" * 32))
        (other,) = record(actor=Actor(name="o", correlation_id="b" * 32))
        response = reader.get(f"{URL}{pk}/")
        assert "amp-77" in response.text
        assert [each.event.pk for each in response.context["beside"]] == [other]
        page = reader.get(operation.get_absolute_url()).text
        assert f'href="{URL}{pk}/"' in page
        assert "b" * 32 in page
        assert f"{URL}?operation={operation.pk}" in page

    def test_what_lies_in_another_environment_is_not_there(
        self, reader: Browser, project: Project, sign_in: Callable[..., Browser]
    ) -> None:
        (pk,) = record(about=project)
        (next_,) = record(environment="production")
        stranger = sign_in(Role.NONE, name="s", production=Role.VIEWER)
        assert stranger.get(f"{URL}{pk}/").status_code == 404
        context = stranger.get(f"{URL}{next_}/").context
        assert context["older"] is None or context["older"].pk != pk


@pytest.mark.parametrize(
    "query",
    [
        "before=0",
        "to=x",
        "text=%00",
        "from=9999-12-31",
        "action=zzz",
        "period=x",
        "write=x",
        "address=x",
    ],
)
def test_nonsense_is_a_400_with_the_form(reader: Browser, query: str) -> None:
    response = reader.get(f"{URL}?{query}")
    assert response.status_code == 400
    assert 'name="text"' in response.text


def test_nothing_yet_and_nothing_matches_are_told_apart(reader: Browser) -> None:
    assert "data-empty" in reader.get(URL).text
    filtered = reader.get(URL, {"user": "x"})
    assert len(filtered.context["filter"].narrowing) == 1
    assert "empty-state" in filtered.text
    assert "data-empty" not in filtered.text


def test_hostile_text_stays_text(reader: Browser) -> None:
    evil = '<img src=x hx-get="/evil">'
    record(subject=evil, actor=Actor(name=evil), detail={evil: evil})
    assert evil not in reader.get(URL).text


def test_the_number_of_queries_does_not_grow(
    reader: Browser, django_assert_num_queries: Any
) -> None:
    record()
    with django_assert_num_queries(8) as one:
        reader.get(URL)
    record(60)
    with django_assert_num_queries(len(one)):
        reader.get(URL)


@by_rule
@pytest.mark.parametrize(
    "query",
    [
        "user=olga&action=key.revoked",
        "user=olga&environment=sandbox",
        "project=demo&action=key.revoked",
    ],
)
def test_of_two_filters_no_event_is_read_for_what_one_leaves_out(query: str) -> None:
    person = make_user("ada", Role.ADMIN)
    _, events = audit.audit_events(QueryDict(query), person)
    assert events is not None
    assert "USING COVERING INDEX audit_by_" in plan_of(events.values("pk")[:50])


def test_csv_is_filtered_guarded_and_audited(reader: Browser) -> None:
    record(subject="=cmd()")
    record(actor=Actor(name="other"))
    response = reader.get(CSV, {"user": "olga"})
    rows = list(csv.DictReader(io.StringIO(response.getvalue().decode())))
    assert [row["subject"] for row in rows] == ["'=cmd()"]
    assert response["Content-Disposition"] == 'attachment; filename="audit.csv"'
    event = AuditEvent.objects.get(action="audit.downloaded")
    assert event.detail["filters"] == {"user": "olga"}


def test_the_csv_has_what_the_page_finds_in_any_script(reader: Browser) -> None:
    AuditEvent.record(action="view.saved", subject="View “Ärger ÜBER alles”")
    query = {"text": "ärger über"}
    assert len(reader.get("/audit/", query).context["events"]) == 1
    answer = reader.get("/audit/audit.csv", query)
    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert len(lines) == 2
    assert "Ärger ÜBER alles" in lines[1]
