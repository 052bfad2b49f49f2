"""The page of what was sent in parts: when it tells how the rows fared."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.models import Integration
from files.rows.fates import Totals
from operations.models import Operation
from tests.answers import Shown
from tests.texts import numbers
from tests.writes.making import confirm, make_draft
from writes.models import Write

pytestmark = [
    pytest.mark.pages,
    pytest.mark.django_db,
    pytest.mark.usefixtures("small_parts"),
]


@pytest.fixture
def write(integration: Integration, olga: User) -> Write:
    """Two rows in two parts, both of which ended and are still watched."""
    text = b"external_id__c,LastName\na-1,Name 1\na-2,Name 2\n"
    made = make_draft(integration, olga, csv=text, primary_key="external_id__c")
    confirm(made, olga)
    soon = timezone.now() + timedelta(minutes=1)
    Operation.objects.filter(batch__write=made).update(
        state="succeeded", sent_at=timezone.now(), rows_succeeded=1, due_at=soon
    )
    return made


def status(write: Write, browser: Browser, **counts: int) -> Any:
    """Return the part that is polled, with the rows counted as given."""
    totals = {"rows": 2, "succeeded": 0, "failed": 0, "unknown": 0, "not_sent": 0}
    report = Totals(**{**totals, **counts}).as_json()  # type: ignore[arg-type]
    Write.objects.filter(pk=write.pk).update(rows_report=report)
    return browser.get(f"/writes/{write.pk}/status/")


def tab(answer: Any) -> str:
    """Return the title of the page, which is that of the tab."""
    [title] = re.findall("<title>(.*)</title>", answer.text)
    return title


def test_rows_are_told_as_soon_as_they_are_known(
    write: Write, browser: Browser
) -> None:
    answer = status(write, browser, succeeded=2)
    assert numbers(Shown(answer).texts["fates-said"]) == [2]
    assert "rows-succeeded" in Shown(answer).ids
    # Late entries of the log may still change it.
    assert "hx-trigger" in answer.text


def test_what_was_known_before_the_rest_was_sent_is_not_told(
    write: Write, browser: Browser
) -> None:
    answer = status(write, browser, failed=1, not_sent=1)
    assert "fates-said" not in Shown(answer).ids
    assert numbers(Shown(answer).texts["progress-heading"]) == [2, 2]


def test_nothing_is_told_while_a_part_is_on_its_way(
    write: Write, browser: Browser
) -> None:
    last = write.batches.last()
    assert last is not None
    Operation.objects.filter(pk=last.operation_id).update(
        state="in_progress", remote_id="op-2"
    )
    answer = status(write, browser, succeeded=2)
    assert "fates-said" not in Shown(answer).ids
    assert numbers(Shown(answer).texts["progress-heading"]) == [1, 2]


def test_unchanged_is_204_until_a_part_or_its_rows_change(
    write: Write, browser: Browser
) -> None:
    address = f"/writes/{write.pk}/status/"
    seen = {
        "seen": re.findall(r"seen=(\w+)", status(write, browser, succeeded=2).text)[0]
    }
    assert browser.get(address, seen).status_code == 204
    Operation.objects.filter(batch__write=write).update(due_at=None)
    assert "hx-trigger" not in browser.get(address, seen).text
    status(write, browser, succeeded=1, failed=1)
    fates = Shown(browser.get(address, seen)).texts["fates-said"]
    assert numbers(fates)[:2] == [1, 2]


def test_the_tab_tells_how_far_it_is(write: Write, browser: Browser) -> None:
    answer = status(write, browser, succeeded=2)
    assert answer.text.lstrip().startswith("<title>✓")
    assert numbers(tab(answer)) == [write.pk]
    Operation.objects.filter(batch__write=write, batch__number=2).update(
        state="in_progress", remote_id="op-2"
    )
    answer = status(write, browser, succeeded=2)
    assert answer.text.lstrip().startswith("<title>…")
    assert numbers(tab(answer)) == [1, 2, write.pk]
    assert tab(browser.get(write.get_absolute_url())) == tab(answer)


def test_nothing_is_sent_again_while_a_part_is_unknown(
    write: Write, browser: Browser
) -> None:
    address = f"/writes/{write.pk}/"
    again = f'href="{address}again/"'
    assert again in browser.get(address).content.decode()
    first = Operation.objects.filter(batch__write=write, batch__number=1)
    first.update(state="unknown")
    assert again not in browser.get(address).content.decode()
    first.get().resolve("Found to have been written.")
    assert again in browser.get(address).content.decode()
    first.update(state="in_progress", remote_id="its-id")
    assert again not in browser.get(address).content.decode()


def test_a_page_without_news_puts_no_timeline_together(
    write: Write, browser: Browser
) -> None:
    def transitions_read(url: str) -> bool:
        with CaptureQueriesContext(connection) as captured:
            browser.get(url)
        return any("operationtransition" in query["sql"] for query in captured)

    context = browser.get(f"/writes/{write.pk}/").context
    status = f"/writes/{write.pk}/status/?seen="
    assert transitions_read(f"{status}0")
    assert not transitions_read(f"{status}{context['seen']}")
