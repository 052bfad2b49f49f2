"""Pause and resume: what has left has left, and nothing else goes meanwhile."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone

from console.access.roles import Role
from console.models import AuditEvent, Integration
from operations.limits import rate_limit
from operations.models import Operation
from sandbox.app import Sandbox
from tests.answers import Shown, levels
from tests.texts import numbers, words
from tests.writes.making import confirm, make_draft, received, states, work_off
from writes.actions import release_parts
from writes.models import Write
from writes.worker import send

State = Operation.State

HEADER = b"external_id__c,LastName\n"
ROWS = [b"a-%d,Name %d\n" % (number, number) for number in range(1, 4)]

pytestmark = pytest.mark.django_db


@pytest.fixture
def write(integration: Integration, olga: User, small_parts: int) -> Write:
    """A confirmed write of three parts, of which the first waits."""
    data = HEADER + b"".join(ROWS)
    write = make_draft(integration, olga, csv=data, primary_key="external_id__c")
    confirm(write, olga)
    return write


@pytest.fixture
def single(integration: Integration, olga: User) -> Operation:
    """One record that waits to be sent."""
    return confirm(make_draft(integration, olga), olga)


def part(write: Write, number: int) -> Operation:
    return write.batches.get(number=number).operation


def put(operation: Operation, state: str, **values: Any) -> None:
    values = {"sent_at": timezone.now(), "due_at": None, **values}
    Operation.objects.filter(pk=operation.pk).update(state=state, **values)


def pause(browser: Browser, write: Write) -> Any:
    return press(browser, write, "pause")


def resume(browser: Browser, write: Write) -> Any:
    return press(browser, write, "resume")


def press(browser: Browser, write: Write, button: str) -> Any:
    answer = browser.post(f"/writes/{write.pk}/{button}/", follow=True)
    write.refresh_from_db()
    return answer


def clock_ticks() -> None:
    release_parts.release_held(timezone.now())
    release_parts.hold_back(timezone.now())


def test_while_it_is_paused_nothing_goes_and_then_all_of_it_does(
    sandbox: Sandbox, write: Write, browser: Browser
) -> None:
    paused = Shown(pause(browser, write)).texts["paused"]
    assert "olga" in paused
    assert numbers(paused)[0] == 3
    assert states(write) == ["held", "held", "held"]
    assert part(write, 1).transitions.last().actor_name == "olga"
    work_off()
    clock_ticks()
    assert received(sandbox) == []
    resume(browser, write)
    assert states(write) == ["waiting", "held", "held"]
    work_off()
    assert states(write) == ["succeeded"] * 3
    assert len(received(sandbox)) == 3
    events = AuditEvent.objects.filter(action__in=["write.paused", "write.resumed"])
    assert [e.actor_name for e in events] == ["olga", "olga"]


@pytest.mark.parametrize("state", ["sending", "in_progress"])
def test_what_has_left_goes_on_and_the_page_says_so(
    state: str, write: Write, browser: Browser
) -> None:
    put(part(write, 1), state, remote_id="r-1", due_at=timezone.now())
    paused = Shown(pause(browser, write)).texts["paused"]
    assert numbers(paused)[:2] == [2, 1]  # Have not left, and go on.
    assert states(write) == [state, "held", "held"]
    put(part(write, 1), "succeeded")
    clock_ticks()
    assert states(write) == ["succeeded", "held", "held"]
    resume(browser, write)
    assert states(write) == ["succeeded", "waiting", "held"]


@pytest.mark.parametrize("state", ["rejected", "failed", "unknown", "cancelled"])
def test_resuming_does_not_go_past_a_part_that_did_not_end_well(
    state: str, write: Write, browser: Browser
) -> None:
    put(part(write, 1), state)
    pause(browser, write)
    assert states(write) == [state, "held", "held"]
    browser.post(f"/writes/{write.pk}/go-on/")
    assert states(write) == [state, "held", "held"]
    assert numbers(Shown(resume(browser, write)).texts["stopped"])[0] == 1
    clock_ticks()
    assert states(write) == [state, "held", "held"]
    browser.post(f"/writes/{write.pk}/go-on/")
    assert states(write) == [state, "waiting", "held"]


def test_what_a_person_let_go_past_a_bad_part_goes_again_after_a_pause(
    write: Write, browser: Browser
) -> None:
    put(part(write, 1), "failed")
    browser.post(f"/writes/{write.pk}/go-on/")
    pause(browser, write)
    assert states(write) == ["failed", "held", "held"]
    resume(browser, write)
    assert states(write) == ["failed", "waiting", "held"]


@pytest.mark.parametrize(
    "state", ["sending", "in_progress", "succeeded", "rejected", "cancelled"]
)
def test_where_nothing_is_left_there_is_nothing_to_pause(
    state: str, write: Write, browser: Browser
) -> None:
    for number in (1, 2, 3):
        put(part(write, number), state, remote_id=f"r-{number}", due_at=timezone.now())
    assert levels(pause(browser, write)) == ["warning"]
    assert write.paused_at is None
    assert states(write) == [state] * 3
    assert not AuditEvent.objects.filter(action="write.paused").exists()
    assert levels(resume(browser, write)) == ["warning"]


def test_pausing_and_resuming_twice_is_doing_it_once(
    write: Write, browser: Browser
) -> None:
    for _ in range(2):
        pause(browser, write)
    for _ in range(2):
        resume(browser, write)
    assert states(write) == ["waiting", "held", "held"]
    assert AuditEvent.objects.filter(action="write.paused").count() == 1
    assert AuditEvent.objects.filter(action="write.resumed").count() == 1


def test_a_parallel_write_is_paused_and_resumed_as_a_whole(
    write: Write, browser: Browser
) -> None:
    Write.objects.update(is_parallel=True)
    for number in (2, 3):
        put(part(write, number), "waiting", due_at=timezone.now(), sent_at=None)
    pause(browser, write)
    assert states(write) == ["held"] * 3
    resume(browser, write)
    assert states(write) == ["waiting"] * 3


def test_a_claim_in_the_same_moment_wins_or_loses_and_never_both(
    sandbox: Sandbox, write: Write, browser: Browser
) -> None:
    """The worker has read the operation, and somebody pauses before it claims."""
    stale = Operation.objects.select_related("project").get(pk=part(write, 1).pk)
    pause(browser, write)
    assert not send._claim(stale)
    assert states(write) == ["held", "held", "held"]
    resume(browser, write)
    assert send._claim(stale)
    pause(browser, write)
    assert states(write) == ["sending", "held", "held"]


def test_a_part_let_go_in_the_same_moment_does_not_leave(
    sandbox: Sandbox, write: Write, browser: Browser
) -> None:
    """The clock saw that it was not paused, and let a part go after it was."""
    put(part(write, 1), "succeeded")
    pause(browser, write)
    assert release_parts._let_go(part(write, 2), timezone.now())
    send.send(part(write, 2).pk)
    assert received(sandbox) == []
    assert release_parts.hold_back(timezone.now()) == 1
    assert states(write) == ["succeeded", "held", "held"]
    assert part(write, 2).reason


def test_the_rest_of_a_paused_write_can_be_cancelled(
    write: Write, browser: Browser
) -> None:
    pause(browser, write)
    answer = press(browser, write, "cancel-rest")
    assert states(write) == ["cancelled"] * 3
    assert "paused" not in Shown(answer).ids


def test_one_request_that_waits_for_a_reason_can_be_paused_on_its_page(
    sandbox: Sandbox, single: Operation, browser: Browser
) -> None:
    write = single.batch.write
    assert "/pause/" not in browser.get(single.get_absolute_url()).content.decode()
    until = timezone.now() + timedelta(minutes=5)
    rate_limit.close_writes(single.project, until, "Ampersand takes no more for now")
    send.send(single.pk)
    page = browser.get(single.get_absolute_url()).content.decode()
    assert f"/writes/{write.pk}/pause/" in page
    answer = pause(browser, write)
    single.refresh_from_db()
    assert single.state == State.HELD
    assert "olga" in words(single.reason)
    assert single.reason in answer.context["sentence"].why
    assert f"/writes/{write.pk}/resume/" in answer.text
    resume(browser, write)
    single.refresh_from_db()
    assert single.state == State.WAITING


def test_a_viewer_is_told_and_offered_nothing(
    write: Write, browser: Browser, sign_in: Callable[..., Browser]
) -> None:
    pause(browser, write)
    answer = sign_in(Role.VIEWER, "vera").get(f"/writes/{write.pk}/")
    assert "olga" in Shown(answer).texts["paused"]
    assert "/resume/" not in answer.text


def test_rows_of_what_was_sent_come_home_while_the_rest_is_paused(
    sandbox: Sandbox, write: Write, browser: Browser
) -> None:
    send.send(part(write, 1).pk)
    pause(browser, write)
    work_off()
    write.refresh_from_db()
    totals = write.rows_totals
    assert totals is not None
    assert (totals.succeeded, totals.not_sent) == (1, 2)
