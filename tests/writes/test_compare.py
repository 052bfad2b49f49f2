"""Rows of two writes by key: failed in one, succeeded in the other."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from console.models import Integration
from tests.answers import Shown
from tests.writes.making import confirm, make_draft, work_off
from writes.models import Write
from writes.views import compare as view

KEY = "external_id__c"

pytestmark = [
    pytest.mark.pages,
    pytest.mark.django_db,
    pytest.mark.usefixtures("sandbox"),
]


def sent(
    integration: Integration, olga: User, rows: dict[str, str], **values: Any
) -> Write:
    """Return a write of rows by their keys; one without a name fails."""
    lines = [f"{KEY},LastName", *(f"{key},{name}" for key, name in rows.items())]
    csv = "".join(f"{line}\n" for line in lines).encode()
    draft = make_draft(integration, olga, csv=csv, primary_key=KEY)
    confirm(draft, olga, repeat_reason="Once more")
    work_off()
    draft.refresh_from_db()
    assert draft.rows_totals
    return draft


def compared(browser: Browser, first: Write, second: Write) -> Any:
    pks = [write.batches.get().operation_id for write in (first, second)]
    return browser.get(f"/operations/{pks[0]}/compare/{pks[1]}/")


@pytest.fixture
def pair(integration: Integration, olga: User) -> tuple[Write, Write]:
    """Two writes: a and b failed in the first and were mended, d failed twice."""
    before = {"a": "", "b": "", "c": "C", "d": ""}
    after = {"a": "A", "b": "B", "c": "New", "d": "", "e": "E"}
    return sent(integration, olga, before), sent(integration, olga, after)


def test_what_was_mended_and_what_broke(
    browser: Browser, pair: tuple[Write, Write]
) -> None:
    first, second = pair
    there, back = compared(browser, first, second), compared(browser, second, first)
    for found in (there.context["mended"], back.context["broken"]):
        changed = found["changed"]
        assert [key for key, _ in changed.rows] == ["a", "b"]
        assert (changed.count, changed.is_all) == (2, True)
    for found in (there.context["broken"], back.context["mended"]):
        assert (found["changed"].count, found["changed"].looked_at) == (0, 1)
    [error] = there.context["errors"]
    assert (error.place, error.first, error.second) == ("both", 3, 1)


def test_it_is_bounded_and_says_so(
    browser: Browser, pair: tuple[Write, Write], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view, "MOST_LOOKED_AT", 1)
    changed = compared(browser, *pair).context["mended"]["changed"]
    assert (changed.looked_at, changed.count, changed.is_all) == (1, 1, False)


def test_without_the_rows_or_a_key_in_common_it_says_why(
    browser: Browser, pair: tuple[Write, Write]
) -> None:
    Write.objects.filter(pk=pair[0].pk).update(primary_key="Other")
    answer = compared(browser, *pair)
    assert answer.context["problem"] == "keys"
    Write.objects.filter(pk=pair[0].pk).update(primary_key=KEY.upper())
    pair[1].path_of("rows_store").unlink()
    answer = compared(browser, *pair)
    assert answer.context["problem"] == "gone"
    assert "rows-compared" in Shown(answer).ids
