"""The banner of every page: outcomes that have been unknown for too long."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.access.roles import Role
from console.models import Project
from tests.answers import Shown
from tests.operations.conftest import make_operation
from tests.texts import numbers

BANNER = 'id="unknown-too-long"'

pytestmark = pytest.mark.django_db


def unknown(project: Project, **age: float) -> Any:
    sent_at = timezone.now() - timedelta(**age)
    return make_operation(project, state="unknown", remote_id="", sent_at=sent_at)


@pytest.mark.parametrize("page", ["/", "/operations/", "/audit/", "/connections/"])
def test_every_page_announces_them(
    page: str, sign_in: Callable[..., Browser], project: Project
) -> None:
    viewer = sign_in(Role.VIEWER)
    unknown(project, minutes=59)
    assert BANNER not in viewer.get(page).text
    unknown(project, minutes=61)
    answer = viewer.get(page)
    assert numbers(Shown(answer).texts["unknown-too-long"]) == [1]
    assert 'href="/operations/?status=unknown"' in answer.text
    unknown(project, days=3)
    assert numbers(Shown(viewer.get(page)).texts["unknown-too-long"]) == [2]


def test_one_that_somebody_decided_about_is_announced_no_more(
    sign_in: Callable[..., Browser], project: Project
) -> None:
    unknown(project, hours=2).resolve("olga sent it again as operation #9.")
    assert BANNER not in sign_in().get("/").text


@pytest.mark.parametrize(
    ("minutes", "told"),
    [(0, [0]), (1, []), (90, [90]), (120, [2])],
)
def test_how_long_is_a_setting(
    sign_in: Callable[..., Browser],
    project: Project,
    settings: Any,
    minutes: int,
    told: list[int],
) -> None:
    settings.UNKNOWN_ALERT_MINUTES = minutes
    unknown(project, minutes=minutes + 1)
    banner = Shown(sign_in().get("/")).texts["unknown-too-long"]
    assert numbers(banner) == [1, *told]


def test_strangers_and_people_without_a_role_read_nothing_of_it(
    sign_in: Callable[..., Browser], project: Project
) -> None:
    unknown(project, hours=2)
    assert BANNER not in Browser().get("/login/").text
    assert BANNER not in sign_in(Role.NONE, "nobody").get("/").text


def test_only_environments_where_the_reader_has_a_role_count(
    sign_in: Callable[..., Browser], project: Project
) -> None:
    unknown(project, hours=2)
    elsewhere = sign_in(Role.OPERATOR, "olga", sandbox=Role.NONE)
    assert BANNER not in elsewhere.get("/").text


def test_fragments_do_not_ask(
    sign_in: Callable[..., Browser], project: Project
) -> None:
    viewer = sign_in(Role.VIEWER)
    operation = unknown(project, hours=2)
    with CaptureQueriesContext(connection) as asked:
        viewer.get(f"/operations/{operation.pk}/")
    assert any('"sent_at" <' in query["sql"] for query in asked.captured_queries)
    with CaptureQueriesContext(connection) as asked:
        viewer.get(f"/operations/{operation.pk}/status/")
    assert not any('"sent_at" <' in query["sql"] for query in asked.captured_queries)
