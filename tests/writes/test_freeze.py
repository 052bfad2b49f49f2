"""While an environment is frozen nothing of it leaves, and nothing of it is lost."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client as Browser
from django.utils import timezone

from ampersand import Client
from console import freeze as freezing
from console.actor import Actor
from console.models import EnvironmentControl, Integration, Project
from operations.display.sentence import sentence as sentence_of
from operations.models import Operation
from operations.worker.watch import watch
from sandbox.app import Sandbox
from tests.answers import Shown
from tests.conftest import make_project
from tests.texts import words
from tests.writes.making import (
    confirm,
    make_draft,
    press_send,
    received,
    states,
    work_off,
)
from writes import dispatch
from writes.actions import release_parts
from writes.models import Write
from writes.worker import send

State = Operation.State

CSV = b"external_id__c,LastName\nk-1,Berg\nk-2,Tal\n"

pytestmark = pytest.mark.django_db


def freeze(environment: str = "sandbox") -> None:
    control = EnvironmentControl.objects.of(environment)
    assert freezing.freeze(control, Actor(name="ada"), reason="Wrong file")


def unfreeze() -> None:
    control = EnvironmentControl.objects.of("sandbox")
    assert freezing.unfreeze(control, Actor(name="ada"))


@pytest.fixture
def waiting(integration: Integration, olga: User) -> Operation:
    """An operation that was confirmed and not sent yet."""
    return confirm(make_draft(integration, olga), olga)


def test_what_waits_stays_waiting_and_goes_out_afterwards(
    waiting: Operation, sandbox: Sandbox
) -> None:
    freeze()
    send.send(waiting.pk)
    waiting.refresh_from_db()
    assert waiting.state == State.WAITING
    assert received(sandbox) == []
    unfreeze()
    send.send(waiting.pk)
    waiting.refresh_from_db()
    assert waiting.state == State.SUCCEEDED
    assert len(received(sandbox)) == 1


def test_the_update_that_takes_an_operation_looks_itself(
    waiting: Operation, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody freezes after the worker looked, and before it takes the operation."""
    build = send._as_reviewed

    def late(operation: Operation) -> Any:
        request = build(operation)
        freeze()
        return request

    monkeypatch.setattr(send, "_as_reviewed", late)
    send.send(waiting.pk)
    waiting.refresh_from_db()
    assert waiting.state == State.WAITING
    assert waiting.attempts == 0
    assert received(sandbox) == []


def test_what_is_on_the_wire_finishes(
    waiting: Operation, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    really_send = Client.send

    def frozen_meanwhile(self: Client, request: Any, **how: str) -> Any:
        freeze()
        return really_send(self, request, **how)

    monkeypatch.setattr(Client, "send", frozen_meanwhile)
    send.send(waiting.pk)
    waiting.refresh_from_db()
    assert waiting.state == State.SUCCEEDED


def test_other_environments_go_on(
    waiting: Operation, sandbox: Sandbox, olga: User
) -> None:
    other = make_project("Other", environment="test").integrations.get()
    theirs = confirm(make_draft(other, olga), olga)
    freeze()
    for operation in (waiting, theirs):
        send.send(operation.pk)
        operation.refresh_from_db()
    assert (waiting.state, theirs.state) == (State.WAITING, State.SUCCEEDED)


def test_the_clock_nudges_nothing_in_vain(waiting: Operation) -> None:
    later = timezone.now() + timedelta(hours=3)
    freeze()
    assert dispatch.enqueue_due_sends(later) == 0
    unfreeze()
    assert dispatch.enqueue_due_sends(later) == 1


def test_the_hour_does_not_run_while_it_is_frozen(
    waiting: Operation, sandbox: Sandbox
) -> None:
    long_ago = timezone.now() - timedelta(days=3)
    Operation.objects.update(waiting_since=long_ago)
    freeze()
    send.send(waiting.pk)
    waiting.refresh_from_db()
    assert waiting.state == State.WAITING
    unfreeze()
    send.send(waiting.pk)
    waiting.refresh_from_db()
    assert waiting.state == State.SUCCEEDED


def test_an_hour_after_the_freeze_it_is_given_up_as_ever(
    waiting: Operation, sandbox: Sandbox
) -> None:
    Operation.objects.update(waiting_since=timezone.now() - timedelta(days=3))
    freeze()
    unfreeze()
    past = timezone.now() - send.GIVE_UP_AFTER - timedelta(seconds=1)
    EnvironmentControl.objects.update(unfrozen_at=past)
    send.send(waiting.pk)
    waiting.refresh_from_db()
    assert waiting.state == State.CANCELLED
    assert received(sandbox) == []


def test_parts_wait_their_turn_and_then_go_on(
    integration: Integration, olga: User, sandbox: Sandbox, small_parts: int
) -> None:
    rows = b"".join(b"k-%d,Tal\n" % n for n in range(9))
    text = b"external_id__c,LastName\n" + rows
    write = make_draft(integration, olga, csv=text, primary_key="external_id__c")
    first = confirm(write, olga)
    send.send(first.pk)
    freeze()
    first.refresh_from_db()
    assert first.due_at
    watch([first.pk], first.due_at)
    assert release_parts.release_held(timezone.now()) == 1
    second = write.batches.get(number=2).operation
    send.send(second.pk)
    assert states(write)[:2] == [State.SUCCEEDED, State.WAITING]
    assert len(received(sandbox)) == 1
    unfreeze()
    work_off()
    assert set(states(write)) == {State.SUCCEEDED}


class TestPages:
    def test_confirming_is_allowed_and_the_review_says_that_it_waits(
        self, integration: Integration, olga: User, browser: Browser
    ) -> None:
        freeze()
        draft = make_draft(integration, olga)
        assert "waits" in Shown(browser.get(f"/writes/{draft.pk}/")).ids
        answer = press_send(browser, draft, follow=True)
        sentence = answer.context["sentence"]
        assert {"Sandbox", "ada"} <= set(words(sentence.what))
        assert sentence.why == "Wrong file"
        assert sentence.what in answer.text
        assert Write.objects.get().state == Write.State.CONFIRMED

    def test_an_open_page_hears_of_the_freeze_and_of_its_end(
        self, waiting: Operation, browser: Browser
    ) -> None:
        address = f"{waiting.get_absolute_url()}status/"
        seen = browser.get(waiting.get_absolute_url()).context["seen"]
        assert browser.get(f"{address}?seen={seen}").status_code == 204
        freeze()
        answer = browser.get(f"{address}?seen={seen}")
        assert "ada" in words(answer.context["sentence"].what)
        frozen = answer.context["seen"]
        assert browser.get(f"{address}?seen={frozen}").status_code == 204
        unfreeze()
        answer = browser.get(f"{address}?seen={frozen}")
        assert answer.status_code == 200
        assert "ada" not in words(answer.context["sentence"].what)

    def test_what_was_sent_already_says_nothing_of_it(
        self, waiting: Operation, sandbox: Sandbox, browser: Browser
    ) -> None:
        send.send(waiting.pk)
        freeze()
        answer = browser.get(waiting.get_absolute_url())
        waiting.refresh_from_db()
        assert answer.context["sentence"] == sentence_of(waiting)
        assert answer.context["sentence"].why == ""


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_after_a_freeze_was_committed_no_worker_takes_anything(
    project: Project, olga: User, sandbox: Sandbox
) -> None:
    """Many workers take from the queue while somebody freezes it."""
    integration = project.integrations.get()
    queue = [
        confirm(make_draft(integration, olga, record={"LastName": str(n)}), olga).pk
        for n in range(30)
    ]
    taken_after: list[int] = []
    frozen = threading.Event()

    def work(mine: list[int]) -> None:
        for pk in mine:
            was_frozen = frozen.is_set()
            send.send(pk)
            if (
                was_frozen
                and not Operation.objects.filter(pk=pk, state=State.WAITING).exists()
            ):
                taken_after.append(pk)
        connection.close()

    threads = [
        threading.Thread(target=work, args=[queue[start::3]]) for start in range(3)
    ]
    for thread in threads:
        thread.start()
    freeze()
    frozen.set()
    for thread in threads:
        thread.join()
    assert taken_after == []
    left = Operation.objects.filter(state=State.WAITING).count()
    assert len(received(sandbox)) == len(queue) - left
