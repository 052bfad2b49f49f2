"""A file in parts: one after the other, and no further where one did not end well."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone

from console.models import AuditEvent, Integration
from operations.models import Operation
from sandbox.app import Sandbox
from tests.answers import Shown
from tests.texts import numbers
from tests.writes.making import (
    confirm,
    make_draft,
    received,
    records,
    states,
    work_off,
)
from writes import dispatch
from writes.actions import release_parts
from writes.display.progress import progress_of
from writes.models import Batch, Write
from writes.worker import send

State = Operation.State

HEADER = b"external_id__c,LastName\n"
# One row fits into a part.
ROWS = [b"a-%d,Name %d\n" % (number, number) for number in range(1, 5)]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_parts")]


@pytest.fixture
def write(integration: Integration, olga: User) -> Write:
    """A draft of four rows in four parts."""
    data = HEADER + b"".join(ROWS)
    return make_draft(integration, olga, csv=data, primary_key="external_id__c")


def operations(write: Write) -> list[Operation]:
    """Return the operations of a write in the order of its parts."""
    found = write.batches.select_related("operation").order_by("number")
    return [batch.operation for batch in found]


def put(operation: Operation, state: str, **values: Any) -> None:
    """Set an operation to a state, as if that had become of it."""
    values = {"sent_at": timezone.now(), "due_at": None, **values}
    Operation.objects.filter(pk=operation.pk).update(state=state, **values)


def release() -> int:
    return release_parts.release_held(timezone.now())


def test_the_parts_are_together_the_file_and_each_has_its_digest(
    write: Write, olga: User
) -> None:
    confirm(write, olga)
    batches = list(write.batches.all())
    assert [batch.csv() for batch in batches] == [HEADER + row for row in ROWS]
    assert [(b.first_row, b.last_row) for b in batches] == [
        (2, 2),
        (3, 3),
        (4, 4),
        (5, 5),
    ]
    assert len({batch.csv_sha256 for batch in batches}) == 4
    assert [o.rows_sent for o in operations(write)] == [1, 1, 1, 1]


def test_only_the_first_part_waits_and_the_others_are_held(
    sandbox: Sandbox, write: Write, olga: User
) -> None:
    first = confirm(write, olga)
    assert states(write) == ["waiting", "held", "held", "held"]
    for operation in operations(write)[1:]:
        send.send(operation.pk)
    assert received(sandbox) == []
    send.send(first.pk)
    assert release() == 0
    assert states(write) == ["in_progress", "held", "held", "held"]


def test_all_parts_go_one_after_the_other_and_every_row_arrives_once(
    sandbox: Sandbox, write: Write, olga: User
) -> None:
    confirm(write, olga)
    work_off()
    assert states(write) == ["succeeded"] * 4
    sent = [request["bodySha256"] for request in received(sandbox)]
    assert sent == [batch.sha256 for batch in write.batches.all()]
    names = [record["LastName"] for record in records(sandbox, "contact")]
    assert names == [f"Name {number}" for number in range(1, 5)]


@pytest.mark.parametrize("state", ["succeeded", "partly_failed"])
def test_a_part_whose_rows_are_accounted_for_lets_the_next_go(
    state: str, write: Write, olga: User
) -> None:
    put(confirm(write, olga), state)
    assert release() == 1
    assert states(write) == [state, "waiting", "held", "held"]
    assert release() == 0


STOPS = ["rejected", "unknown", "failed", "completed", "cancelled"]


@pytest.mark.parametrize("state", STOPS)
def test_after_any_other_end_nothing_goes_by_itself(
    state: str, write: Write, olga: User, browser: Browser
) -> None:
    put(confirm(write, olga), state)
    assert release() == 0
    assert states(write) == [state, "held", "held", "held"]
    answer = browser.get(f"/writes/{write.pk}/")
    assert answer.context["stopped"][0].number == 1
    assert f"/writes/{write.pk}/go-on/" in answer.content.decode()


@pytest.mark.parametrize("state", ["waiting", "sending", "in_progress"])
def test_nothing_goes_while_a_part_is_on_its_way(
    state: str, write: Write, olga: User, browser: Browser
) -> None:
    first = confirm(write, olga)
    put(first, state, due_at=timezone.now(), remote_id="r-1")
    assert release() == 0
    browser.post(f"/writes/{write.pk}/go-on/")
    assert states(write) == [state, "held", "held", "held"]


def test_a_late_answer_to_an_unknown_part_sets_the_others_going(
    write: Write, olga: User
) -> None:
    first = confirm(write, olga)
    put(first, "unknown")
    assert release() == 0
    put(first, "succeeded")
    assert release() == 1


def test_a_person_sends_the_rest_and_only_the_next_part_goes(
    write: Write, olga: User, browser: Browser
) -> None:
    put(confirm(write, olga), "failed")
    for _ in range(2):
        browser.post(f"/writes/{write.pk}/go-on/")
    assert states(write) == ["failed", "waiting", "held", "held"]
    event = AuditEvent.objects.get(action="write.continued")
    assert (event.actor_name, numbers(event.subject)[-1]) == ("olga", 2)
    put(operations(write)[1], "succeeded")
    assert release() == 1


def test_a_person_cancels_the_rest(write: Write, olga: User, browser: Browser) -> None:
    put(confirm(write, olga), "unknown")
    for _ in range(2):
        browser.post(f"/writes/{write.pk}/cancel-rest/")
    assert states(write) == ["unknown", "cancelled", "cancelled", "cancelled"]
    assert AuditEvent.objects.filter(action="write.cut_short").count() == 1
    assert browser.post(f"/writes/{write.pk}/go-on/").status_code == 302
    assert release() == 0
    assert states(write)[1:] == ["cancelled"] * 3


def test_the_rest_is_cancelled_while_a_part_runs_and_that_part_ends_as_it_does(
    sandbox: Sandbox, write: Write, olga: User, browser: Browser
) -> None:
    send.send(confirm(write, olga).pk)
    browser.post(f"/writes/{write.pk}/cancel-rest/")
    work_off()
    assert states(write) == ["succeeded", "cancelled", "cancelled", "cancelled"]
    assert len(received(sandbox)) == 1


def test_a_part_cancelled_by_hand_holds_back_those_after_it(
    sandbox: Sandbox, write: Write, olga: User, browser: Browser
) -> None:
    confirm(write, olga)
    third = operations(write)[2]
    browser.post(f"/operations/{third.pk}/cancel/")
    work_off()
    assert states(write) == ["succeeded", "succeeded", "cancelled", "held"]
    browser.post(f"/writes/{write.pk}/go-on/")
    work_off()
    assert states(write) == ["succeeded", "succeeded", "cancelled", "succeeded"]
    assert len(received(sandbox)) == 3


@pytest.mark.parametrize("state", ["waiting", "sending", "in_progress"])
def test_nobody_goes_on_past_a_part_that_is_on_its_way(
    state: str, write: Write, olga: User, browser: Browser
) -> None:
    """The part before the held one is cancelled, and the one before that runs."""
    put(confirm(write, olga), "succeeded")
    _, second, third, _ = operations(write)
    put(second, state, due_at=timezone.now(), remote_id="r-2")
    browser.post(f"/operations/{third.pk}/cancel/")
    browser.post(f"/writes/{write.pk}/go-on/")
    assert states(write) == ["succeeded", state, "cancelled", "held"]
    assert browser.get(f"/writes/{write.pk}/").context["stopped"] == []


def test_two_clocks_let_a_part_go_once(write: Write, olga: User) -> None:
    put(confirm(write, olga), "succeeded")
    second, seen_by_another = (operations(write)[1] for _ in range(2))
    assert release_parts._let_go(second, timezone.now())
    assert not release_parts._let_go(seen_by_another, timezone.now())


def test_the_hour_of_a_held_part_begins_when_it_is_let_go(
    sandbox: Sandbox, write: Write, olga: User
) -> None:
    put(confirm(write, olga), "succeeded")
    long_ago = timezone.now() - timedelta(days=2)
    Operation.objects.update(created_at=long_ago, waiting_since=long_ago)
    release()
    second = operations(write)[1]
    send.send(second.pk)
    assert states(write)[1] == "in_progress"


def test_a_part_that_could_not_leave_for_an_hour_stops_the_others(
    sandbox: Sandbox, write: Write, olga: User
) -> None:
    put(confirm(write, olga), "succeeded")
    release()
    hour_ago = timezone.now() - timedelta(hours=1, seconds=1)
    Operation.objects.filter(state="waiting").update(waiting_since=hour_ago)
    send.send(operations(write)[1].pk)
    assert release() == 0
    assert states(write) == ["succeeded", "cancelled", "held", "held"]
    assert received(sandbox) == []


def test_a_lost_nudge_of_a_part_is_given_again(write: Write, olga: User) -> None:
    put(confirm(write, olga), "succeeded")
    release()
    later = timezone.now() + dispatch.REPEAT_SEND_AFTER + timedelta(seconds=1)
    assert dispatch.enqueue_due_sends(later) == 1


def test_a_worker_that_vanished_with_a_part_stops_the_others(
    sandbox: Sandbox, write: Write, olga: User
) -> None:
    put(confirm(write, olga), "succeeded")
    release()
    past = timezone.now() - timedelta(minutes=1)
    put(operations(write)[1], "sending", due_at=past)
    send.recover_overdue(timezone.now())
    assert release() == 0
    assert states(write) == ["succeeded", "unknown", "held", "held"]


def test_a_file_changed_between_two_parts_stops_them(
    sandbox: Sandbox, write: Write, olga: User
) -> None:
    send.send(confirm(write, olga).pk)
    path = write.path_of("as_sent")
    path.write_bytes(path.read_bytes().replace(b"Name 3", b"Name X"))
    work_off()
    assert states(write) == ["succeeded", "succeeded", "cancelled", "held"]
    assert len(received(sandbox)) == 2


def test_confirming_twice_makes_the_parts_once(write: Write, olga: User) -> None:
    stale = Write.objects.get(pk=write.pk)
    assert confirm(write, olga) == confirm(stale, olga)
    assert Batch.objects.count() == Operation.objects.count() == 4


def test_one_progress_and_one_result_for_all_parts(write: Write, olga: User) -> None:
    confirm(write, olga)
    states = (
        ("partly_failed", {"rows_succeeded": 0, "rows_failed": 1}),
        ("unknown", {}),
        ("cancelled", {}),
    )
    for operation, (state, values) in zip(operations(write), states, strict=False):
        put(operation, state, **values)
    told = progress_of(list(write.batches.select_related("operation")))
    assert (told.parts, told.ended, told.held, told.rows) == (4, 3, 1, 4)
    parts_of_rows = (
        told.rows_succeeded,
        told.rows_failed,
        told.rows_unknown,
        told.rows_not_sent,
    )
    assert parts_of_rows == (0, 1, 1, 2)
    assert sum(parts_of_rows) == told.rows


def test_rows_of_a_part_under_way_are_in_progress(write: Write, olga: User) -> None:
    confirm(write, olga)
    first, second, *_ = operations(write)
    put(first, "succeeded", rows_succeeded=1, rows_failed=0)
    put(second, "in_progress", remote_id="op-2")
    told = progress_of(list(write.batches.select_related("operation")))
    assert (told.rows_in_progress, told.rows_not_sent, told.rows_unknown) == (1, 2, 0)


def test_the_body_of_each_part_is_its_own(
    sandbox: Sandbox, write: Write, olga: User, browser: Browser
) -> None:
    confirm(write, olga)
    work_off()
    for batch in write.batches.all():
        answer = browser.get(f"/writes/{write.pk}/body.json?part={batch.number}")
        assert ROWS[batch.number - 1].decode().strip() in answer.content.decode()
    for part in ("0", "5", "x", "٣", "9" * 30):
        address = f"/writes/{write.pk}/body.json"
        assert browser.get(address, {"part": part}).status_code in (200, 404)


def test_the_command_for_one_part_does_not_send_the_whole_file(
    write: Write, olga: User, browser: Browser
) -> None:
    curl = browser.get(f"/writes/{write.pk}/").context["curl"]
    assert "as-sent.csv" not in curl
    confirm(write, olga)
    second = operations(write)[1]
    page = browser.get(second.get_absolute_url()).content.decode()
    assert "as-sent.csv |" not in page
    assert "cat body.json |" in page


def test_the_status_of_a_write_in_parts_is_a_fragment(
    write: Write, olga: User, browser: Browser
) -> None:
    confirm(write, olga)
    answer = browser.get(f"/writes/{write.pk}/status/")
    assert answer.text.strip().startswith("<title>…")
    assert "<html" not in answer.text
    texts = Shown(answer).texts
    assert "write-status" in texts
    assert numbers(texts["progress-heading"]) == [0, 4]
