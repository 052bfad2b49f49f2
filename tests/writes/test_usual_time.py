"""The review tells how long the like took before, and nothing where too few did."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from console.models import Integration
from operations.models.durations import ERROR, bucket_of, quantile
from operations.worker.count_days import count_marked, mark_all
from tests.operations.conftest import make_operation
from tests.writes.making import make_draft
from writes.display.usual_time import usual_time_of
from writes.models import Write

ROWS = 20
CSV = b"external_id__c,LastName\n" + b"".join(b"k-%d,x\n" % n for n in range(ROWS))


@pytest.fixture
def draft(integration: Integration, olga: User) -> Write:
    return make_draft(integration, olga, csv=CSV, primary_key="external_id__c")


def took(draft: Write, seconds: float, **values: Any) -> None:
    """Have one like the draft taken so long."""
    now = timezone.now()
    kind = {"action": draft.action, "object_name": draft.object_name}
    given = {"state": "succeeded", "rows_sent": ROWS, "sent_at": now, **kind, **values}
    ended = now + timedelta(seconds=seconds)
    make_operation(draft.project, ended_at=ended, **given)


@pytest.mark.django_db
def test_three_earlier_ones_tell_how_long_it_takes(
    draft: Write, browser: Browser
) -> None:
    took(draft, 120)
    took(draft, 180)
    took(draft, 999, object_name="account")
    took(draft, 999, action="create")
    took(draft, 999, rows_sent=ROWS * 8)
    took(draft, 999, created_at=timezone.now() - timedelta(days=100))
    mark_all()
    count_marked(seconds=1e9)
    assert usual_time_of(draft) is None
    assert b'id="usual-time"' not in browser.get(draft.get_absolute_url()).content
    took(draft, 240)
    mark_all()
    count_marked(seconds=1e9)
    usual = usual_time_of(draft)
    assert usual is not None
    assert usual.count == 3
    assert usual.low / timedelta(seconds=120) == pytest.approx(1, abs=ERROR)
    assert usual.high / timedelta(seconds=240) == pytest.approx(1, abs=ERROR)
    assert b'id="usual-time"' in browser.get(draft.get_absolute_url()).content


@pytest.mark.django_db
def test_parts_take_the_sum_of_their_times(draft: Write) -> None:
    for _ in range(3):
        took(draft, 60, rows_sent=ROWS // 2)
    mark_all()
    count_marked(seconds=1e9)
    draft.delivery = Write.Delivery.PARTS
    draft.check_report["parts"] = [{}, {}]
    usual = usual_time_of(draft)
    assert usual is not None
    assert usual.low / timedelta(seconds=120) == pytest.approx(1, abs=ERROR)
    draft.is_parallel = True
    assert usual_time_of(draft) is None


@given(
    taken=st.lists(st.floats(0.002, 1e6), min_size=1, max_size=50),
    share=st.floats(0.01, 1),
)
def test_a_quantile_is_as_exact_as_it_says(taken: list[float], share: float) -> None:
    histogram: dict[int, int] = {}
    for seconds in taken:
        bucket = bucket_of(timedelta(seconds=seconds))
        histogram[bucket] = histogram.get(bucket, 0) + 1
    rank = next(n for n in range(1, len(taken) + 1) if n >= share * len(taken))
    exact = sorted(taken)[rank - 1]
    told = quantile(histogram, share)
    assert told is not None
    assert told.total_seconds() == pytest.approx(exact, rel=ERROR)
