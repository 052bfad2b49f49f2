"""The audit trail as a page and as a file."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client as Browser

from console.access.roles import Role
from console.actor import Actor
from console.models import AuditEvent, Project
from tests.operations.conftest import Clock

HTMX = {"hx-request": "true"}
URL = "/audit/"
CSV = "/audit/audit.csv"

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(sign_in: Callable[..., Browser]) -> Browser:
    browser = sign_in(Role.ADMIN)
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
    record()
    clock.now = datetime(2023, 1, 2, 23, 59, tzinfo=UTC)
    (wanted,) = record(
        action="key.added",
        subject="Key four",
        actor=Actor(name="Maria"),
        about=project,
    )
    for query in (
        {"user": "maria"},
        {"action": "key."},
        {"project": "demo"},
        {"text": "FOUR"},
        {"from": "2023-01-02", "to": "2023-01-02"},
    ):
        assert shown(reader.get(URL, query)) == [wanted], query


@pytest.mark.parametrize("query", ["before=0", "to=x", "text=%00", "from=9999-12-31"])
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
    with django_assert_num_queries(6) as one:
        reader.get(URL)
    record(60)
    with django_assert_num_queries(len(one)):
        reader.get(URL)


def test_csv_is_filtered_guarded_and_audited(reader: Browser) -> None:
    record(subject="=cmd()")
    record(actor=Actor(name="other"))
    response = reader.get(CSV, {"user": "olga"})
    rows = list(csv.DictReader(io.StringIO(response.getvalue().decode())))
    assert [row["subject"] for row in rows] == ["'=cmd()"]
    assert response["Content-Disposition"] == 'attachment; filename="audit.csv"'
    event = AuditEvent.objects.get(action="audit.downloaded")
    assert event.detail["filters"] == {"user": "olga"}
