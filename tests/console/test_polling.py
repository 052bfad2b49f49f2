"""Pages that keep themselves up to date: what they are told, and how often they ask."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from console.ui.polling import BY_AGE, SLOWEST, seconds_between_polls, seen

POLL = {"X-Poll": "1", "HX-Request": "true", "HX-Current-URL": "http://testserver/"}
pytestmark = pytest.mark.django_db


def test_a_poll_without_a_session_is_told_401_and_nothing_else(client: Browser) -> None:
    response = client.get(reverse("operations:rows"), headers=POLL)
    assert response.status_code == 401
    assert "HX-Redirect" not in response
    assert response.content == b""


def test_what_a_person_does_without_a_session_leads_to_the_login(
    client: Browser,
) -> None:
    page = {**POLL, "HX-Current-URL": "http://testserver/operations/"}
    del page["X-Poll"]
    response = client.get(reverse("operations:rows"), headers=page)
    assert response["HX-Redirect"] == "/login/?next=/operations/"
    assert client.get(reverse("operations:rows")).status_code == 302


def test_pages_of_people_who_are_signed_in_can_say_that_they_are_not(
    sign_in: object, client: Browser
) -> None:
    page = sign_in().get("/").text  # type: ignore[operator]
    for what in ("signed-out", "unreachable", "refused"):
        assert f'data-about-polling="{what}" hidden' in page
    assert "data-about-polling" not in client.get(reverse("login")).text


def test_what_lasts_longer_is_never_asked_about_more_often() -> None:
    ages = [timedelta(0), *(age for age, _ in BY_AGE), timedelta(days=9)]
    now = timezone.now()
    seconds = [seconds_between_polls(now - age) for age in ages]
    assert seconds == sorted(seconds)
    assert (seconds[0], seconds[-1]) == (1, SLOWEST)
    assert seconds_between_polls(now, quickest=5) == 5
    assert seconds_between_polls(now + timedelta(hours=1)) == 1


def test_another_thing_shown_is_another_text() -> None:
    texts = [seen(), seen(1), seen(12), seen(1, 2), seen([1, 2]), seen("1"), seen(None)]
    assert len(set(texts)) == len(texts)
    assert seen([(1, "a")], 2) == seen([(1, "a")], 2)


def test_every_part_that_asks_again_can_be_told_apart() -> None:
    templates = Path(settings.BASE_DIR, "templates").rglob("*.html")
    tags = [
        tag
        for template in templates
        for tag in re.findall(
            r"<[^<>]*hx-trigger=\"every [^<>]*>", template.read_text()
        )
    ]
    assert len(tags) >= 6
    for tag in tags:
        assert " data-poll " in tag
        assert re.search(r' id="[a-z-]+"', tag)
        assert "seen=" in tag or "poll_query" in tag
