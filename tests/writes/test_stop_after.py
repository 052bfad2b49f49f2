"""A file in parts stops after so many failed rows, if the operator says so."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone

from console.models import AuditEvent, Integration
from operations.models import Operation
from sandbox.app import Sandbox
from tests.answers import Shown, codes
from tests.conftest import actor
from tests.texts import numbers
from tests.writes.making import (
    confirm,
    make_draft,
    press_send,
    received,
    states,
    work_off,
)
from writes.actions import pause, release_parts
from writes.models import Write
from writes.worker import send

State = Operation.State

HEADER = b"external_id__c,LastName\n"
# One row fits into a part.
ROWS = [b"a-%d,Name %d\n" % (number, number) for number in range(1, 6)]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_parts")]


@pytest.fixture(params=[False, True], ids=["in order", "at the same time"])
def write(request: Any, integration: Integration, olga: User) -> Write:
    """A draft of five rows in five parts."""
    data = HEADER + b"".join(ROWS)
    write = make_draft(integration, olga, csv=data, primary_key="external_id__c")
    write.change(only_from="draft", is_parallel=request.param)
    return write


def ends(write: Write, number: int, failed: int, state: str = "partly_failed") -> None:
    """Let a part end with so many failed rows."""
    now = timezone.now()
    Operation.objects.filter(batch__write=write, batch__number=number).update(
        state=state, rows_failed=failed, sent_at=now, ended_at=now, due_at=None
    )


def clock_ticks() -> None:
    release_parts.release_held(timezone.now())
    release_parts.hold_back(timezone.now())


def unsent(write: Write) -> set[str]:
    """Return the states of the parts after the second one."""
    return set(states(write)[2:])


@pytest.mark.parametrize(
    ("first", "second", "stops"), [(4, 5, False), (4, 6, True), (10, 0, True)]
)
def test_no_further_part_goes_once_the_count_is_reached_over_all_parts(
    first: int, second: int, stops: bool, write: Write, olga: User
) -> None:
    confirm(write, olga, stop_after=10)
    ends(write, 1, first)
    ends(write, 2, second)
    clock_ticks()
    assert unsent(write) == {"held"} if stops else "waiting" in unsent(write)


@pytest.mark.parametrize("none", [None, 0])
def test_without_a_number_failed_rows_stop_nothing(
    none: int | None, write: Write, olga: User
) -> None:
    confirm(write, olga, stop_after=none)
    ends(write, 1, 1000)
    clock_ticks()
    assert states(write)[1] == "waiting"


def test_the_claim_looks_before_the_clock_does(
    sandbox: Sandbox, write: Write, olga: User
) -> None:
    confirm(write, olga, stop_after=2)
    release_parts.release_held(timezone.now())
    ends(write, 1, 2)
    second = write.batches.get(number=2).operation
    Operation.objects.filter(pk=second.pk).update(
        state="waiting", due_at=timezone.now()
    )
    send.send(second.pk)
    assert received(sandbox) == []


def test_a_log_that_tells_of_more_failed_rows_later_takes_back_what_waits(
    write: Write, olga: User
) -> None:
    confirm(write, olga, stop_after=2)
    ends(write, 1, 1)
    clock_ticks()
    assert states(write)[1] == "waiting"
    ends(write, 1, 2)
    clock_ticks()
    assert states(write)[1] == "held"


def test_what_was_stopped_says_so_with_the_numbers(
    write: Write, olga: User, browser: Browser
) -> None:
    confirm(write, olga, stop_after=2)
    ends(write, 1, 3)
    clock_ticks()
    answer = browser.get(f"/writes/{write.pk}/")
    shown = Shown(answer)
    assert numbers(shown.texts["stopped"])[:3] == [3, 2, 4]
    assert {"send-rest", "cancel-held"} <= shown.ids
    assert answer.context["has_failed_enough"]


def test_a_person_lets_it_go_on_and_counting_begins_anew(
    write: Write, olga: User, browser: Browser
) -> None:
    confirm(write, olga, stop_after=2)
    ends(write, 1, 2)
    clock_ticks()
    browser.post(f"/writes/{write.pk}/go-on/")
    assert AuditEvent.objects.filter(action="write.continued").count() == 1
    assert states(write)[1] == "waiting"
    ends(write, 2, 1)
    clock_ticks()
    assert states(write)[2] == "waiting"
    ends(write, 3, 1)
    clock_ticks()
    assert states(write)[3:] == ["held", "held"]


def test_going_on_while_a_part_is_on_its_way_counts_as_decided(
    write: Write, olga: User
) -> None:
    confirm(write, olga, stop_after=2)
    ends(write, 1, 2)
    Operation.objects.filter(batch__write=write, batch__number=2).update(
        state="in_progress", remote_id="r-2", due_at=timezone.now()
    )
    clock_ticks()
    assert unsent(write) == {"held"}
    assert release_parts.go_on(write, actor(olga))
    assert not release_parts.go_on(write, actor(olga))
    ends(write, 2, 0, state="succeeded")
    clock_ticks()
    assert states(write)[2] == "waiting"


def test_resuming_a_pause_does_not_pass_the_count(write: Write, olga: User) -> None:
    confirm(write, olga, stop_after=2)
    pause.pause(write, actor(olga))
    ends(write, 1, 2)
    pause.resume(write, actor(olga))
    clock_ticks()
    assert unsent(write) == {"held"}


def test_it_is_asked_beside_the_button_and_kept_with_the_write(
    sandbox: Sandbox, write: Write, browser: Browser
) -> None:
    assert "stop_after" in browser.get(f"/writes/{write.pk}/").context["form"].fields
    press_send(browser, write, {"stop_after": "1"})
    write.refresh_from_db()
    assert write.stop_after == 1
    work_off()
    assert states(write) == ["succeeded"] * 5


@pytest.mark.parametrize(("stop_after", "third"), [(1, "held"), (2, "succeeded")])
def test_a_part_that_partly_failed_stops_the_next_one_if_that_was_asked(
    stop_after: int,
    third: str,
    sandbox: Sandbox,
    integration: Integration,
    olga: User,
) -> None:
    rows = b"a-1,N\na-2,\n" + ROWS[2] + ROWS[3]
    write = make_draft(
        integration, olga, csv=HEADER + rows, primary_key="external_id__c"
    )
    confirm(write, olga, stop_after=stop_after)
    work_off()
    assert states(write) == ["partly_failed", third, third]


@pytest.mark.parametrize("typed", ["-1", "x", "1.5", "99999999999"])
def test_what_is_no_number_of_rows_sends_nothing(
    typed: str, write: Write, browser: Browser
) -> None:
    answer = press_send(browser, write, {"stop_after": typed})
    assert answer.status_code == 422
    assert "stop_after" in codes(answer.context["form"])
    assert not Operation.objects.exists()


def test_the_stop_page_of_a_repeat_keeps_what_was_typed(
    sandbox: Sandbox, integration: Integration, olga: User, browser: Browser
) -> None:
    data = HEADER + b"".join(ROWS)
    first = make_draft(integration, olga, csv=data, primary_key="external_id__c")
    confirm(first, olga)
    again = make_draft(integration, olga, csv=data, primary_key="external_id__c")
    answer = press_send(browser, again, {"stop_after": "7"})
    assert answer.status_code == 409
    form = answer.context["form"]
    assert form["stop_after"].value() == 7
    said = {"stop_after": "7", "repeats": first.pk, "reason": "Once more"}
    press_send(browser, again, said)
    again.refresh_from_db()
    assert (again.state, again.stop_after) == ("confirmed", 7)


def test_what_goes_in_one_request_is_not_asked(
    integration: Integration, olga: User, browser: Browser
) -> None:
    write = make_draft(integration, olga)
    assert (
        "stop_after" not in browser.get(f"/writes/{write.pk}/").context["form"].fields
    )
