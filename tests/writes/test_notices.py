"""What people and programs outside are told about a write: once, and nothing secret."""

import json
import smtplib
from collections.abc import Iterator
from datetime import timedelta
from email.parser import Parser
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.db import IntegrityError, transaction
from django.db.models import F
from django.test import Client as Browser
from django.utils import timezone

from ampersand import SecretStr
from ampersand.notifications import genuine, key_of
from console.access.roles import Role
from console.connections import webhooks
from console.health import pulse
from console.models import Grant, Integration, MailWish, Project, Pulse, Webhook
from console.runtime import db_clock
from operations.models import Operation
from sandbox.app import Sandbox
from tests.conftest import actor, make_project, make_user
from tests.hosts import ThisMachine
from tests.security.listening import Listener, listening
from tests.texts import numbers
from tests.writes.making import confirm, make_draft, plan_fault, work_off
from tests.writes.test_runs import people, run
from writes import dispatch
from writes.actions import run as run_actions
from writes.actions import tell
from writes.actions.hold_restored import hold_restored
from writes.models import Notice, Write
from writes.models.notice import OLDEST
from writes.worker import run_calls, send_notices
from writes.worker.hold import hold_for_a_person

CSV = b"external_id__c,LastName\ncanary-k1,canary-v1\nk-2,\nk-3,Name 3\n"
Event = Notice.Event

pytestmark = pytest.mark.django_db


@pytest.fixture
def receiver(settings: Any) -> Iterator[Listener]:
    """A server of somebody's on this machine, which the settings allow."""
    settings.PRIVATE_HOSTS = ThisMachine()
    with listening() as found:
        found.status = 200
        yield found


@pytest.fixture
def webhook(project: Project, receiver: Listener, olga: User) -> Webhook:
    address = SecretStr(f"{receiver.url}/services/canary-address")
    webhooks.give(project, address, actor(olga))
    return Webhook.objects.get(project=project)


@pytest.fixture
def today(db: None) -> Project:
    """A project that speaks today's API."""
    return make_project("Today", remote_id="demo-c", generation="C")


@pytest.fixture
def hook_of_today(today: Project, receiver: Listener, olga: User) -> Webhook:
    webhooks.give(today, SecretStr(f"{receiver.url}/today"), actor(olga))
    return Webhook.objects.get(project=today)


@pytest.fixture
def sends_mail(settings: Any) -> None:
    settings.SENDS_MAIL = True
    settings.CONSOLE_URL = "https://console.example.com"


@pytest.fixture
def wish(olga: User, sends_mail: None) -> MailWish:
    """Olga wants e-mail about what she confirms."""
    User.objects.filter(pk=olga.pk).update(email="olga@example.com")
    return MailWish.objects.create(person=olga)


def tick() -> int:
    """Do what the clock and its workers do about notices; return how many came."""
    made = tell.tell_news(timezone.now())
    while dispatched := list(Notice.objects.due(timezone.now())):
        pks = [notice.pk for notice in dispatched]
        send_notices.post(pks)
        send_notices.send_mail(pks)
    return made


def sent(integration: Integration, user: User, csv: bytes = CSV) -> Write:
    write = make_draft(integration, user, csv=csv, primary_key="external_id__c")
    confirm(write, user)
    work_off()
    return write


def events() -> list[str]:
    return list(Notice.objects.order_by("pk").values_list("event", flat=True))


class TestEvents:
    """Which events there are, and that each is told once."""

    def test_the_end_of_a_file_is_told_once_with_its_counts(
        self,
        sandbox: Sandbox,
        integration: Integration,
        webhook: Webhook,
        olga: User,
    ) -> None:
        sent(integration, olga)
        assert [tick(), tick()] == [1, 0]
        notice = Notice.objects.get()
        assert (notice.event, notice.counts["rows"]) == (Event.ENDED, 3)
        assert (notice.counts["succeeded"], notice.counts["failed"]) == (2, 1)
        assert notice.sent_at is not None
        # Late entries of the log told another end.
        operation = Operation.objects.get()
        assert operation.change(only_from=Operation.ENDED, state="failed")
        assert (tick(), events()) == (0, [Event.ENDED])

    def test_many_parts_are_one_write(
        self, integration: Integration, webhook: Webhook, olga: User
    ) -> None:
        write = make_draft(integration, olga, csv=CSV, primary_key="external_id__c")
        first = confirm(write, olga)
        batch = first.batch
        second = Operation.objects.get(pk=first.pk)
        second.pk, second.state, second.due_at = None, "held", None
        second._state.adding = True
        second.save()
        batch.pk, batch.number, batch.operation = None, 2, second
        batch._state.adding = True
        batch.save()
        end(first, "succeeded")
        assert (tick(), events()) == (0, [])
        second.change(only_from=("held",), state="waiting", due_at=timezone.now())
        end(second, "succeeded")
        assert (tick(), events()) == (1, [Event.ENDED])

    def test_an_unknown_outcome_is_told_and_then_its_end(
        self, sandbox: Sandbox, today: Project, hook_of_today: Webhook, olga: User
    ) -> None:
        plan_fault(sandbox, 2, "timeout_after")
        operation = run(today, olga, people(250))
        assert (tick(), events()) == (1, [Event.UNKNOWN])
        call = operation.batch.calls.undecided().get()
        run_actions.decide(call, actor(olga), was_written=True, looked_at="there")
        run_calls.run(operation.pk)
        tick()
        assert events() == [Event.UNKNOWN, Event.ENDED]

    def test_a_run_that_was_stopped_waits_for_a_decision(
        self, sandbox: Sandbox, today: Project, hook_of_today: Webhook, olga: User
    ) -> None:
        plan_fault(sandbox, 2, "401")
        run(today, olga, people(250))
        assert (tick(), events()) == (1, [Event.DECISION])

    def test_what_the_console_holds_is_told_and_what_a_person_pauses_is_not(
        self, integration: Integration, webhook: Webhook, olga: User, browser: Browser
    ) -> None:
        write = make_draft(integration, olga, csv=CSV, primary_key="external_id__c")
        operation = confirm(write, olga)
        Operation.objects.update(reason="It waits.")
        browser.post(f"/writes/{write.pk}/pause/")
        assert (tick(), events()) == (0, [])
        browser.post(f"/writes/{write.pk}/resume/")
        hold_for_a_person(Operation.objects.get(pk=operation.pk), "No key.")
        assert (tick(), events()) == (1, [Event.DECISION])

    def test_nobody_waits_for_the_end_of_one_record(
        self, sandbox: Sandbox, integration: Integration, webhook: Webhook, olga: User
    ) -> None:
        confirm(make_draft(integration, olga), olga)
        work_off()
        assert (tick(), events()) == (0, [])

    def test_what_is_older_than_a_day_is_told_to_nobody(
        self, sandbox: Sandbox, integration: Integration, webhook: Webhook, olga: User
    ) -> None:
        sent(integration, olga)
        late = timezone.now() - OLDEST - timedelta(minutes=1)
        Operation.objects.update(ended_at=late)
        assert (tick(), events()) == (0, [])

    def test_what_changes_while_the_clock_looks_is_looked_at_again(
        self, integration: Integration, webhook: Webhook, olga: User
    ) -> None:
        write = make_draft(integration, olga, csv=CSV, primary_key="external_id__c")
        operation = confirm(write, olga)
        end(operation, "succeeded")
        Operation.objects.update(version=99)
        assert Operation.objects.filter(has_news=True, version=99).count() == 1
        seen = tell.tell_news(timezone.now())
        assert seen == 1
        assert not Operation.objects.filter(has_news=True).exists()

    def test_the_database_takes_an_event_once_for_each(
        self, sandbox: Sandbox, integration: Integration, webhook: Webhook, olga: User
    ) -> None:
        sent(integration, olga)
        tick()
        notice = Notice.objects.get()
        notice.pk, notice.uid = None, "5f0c2b3c-0000-4000-8000-000000000000"
        with pytest.raises(IntegrityError), transaction.atomic():
            notice.save(force_insert=True)


class TestWebhook:
    """What is posted, and what follows when it is not taken."""

    def test_it_is_signed_and_holds_no_value_of_a_row(
        self,
        sandbox: Sandbox,
        integration: Integration,
        webhook: Webhook,
        receiver: Listener,
        olga: User,
    ) -> None:
        sent(integration, olga)
        tick()
        (head,), (body,) = receiver.heard, receiver.bodies
        given = Parser().parsestr(head.partition("\n")[2])
        headers = {k.lower().replace("webhook-", "svix-"): v for k, v in given.items()}
        key = key_of(webhook.secret)
        told = genuine(key, headers, body, now=timezone.now())
        said = json.loads(body)
        assert told.id == said["id"] == str(Notice.objects.get().uid)
        assert (said["event"], said["rows"]["succeeded"]) == ("ended", 2)
        assert numbers(said["text"])[:2] == [2, 3]
        assert "canary" not in body.decode()
        assert "canary-address" not in head.partition("\n")[2]

    def test_nothing_typed_is_markup(
        self,
        sandbox: Sandbox,
        integration: Integration,
        webhook: Webhook,
        receiver: Listener,
        olga: User,
    ) -> None:
        integration.groups.update(name="<!channel> & <https://x.example|y>")
        write = make_draft(integration, olga, csv=CSV, primary_key="external_id__c")
        Write.objects.filter(pk=write.pk).update(group_name="<!channel> & co")
        write.refresh_from_db()
        confirm(write, olga)
        work_off()
        tick()
        said = json.loads(receiver.bodies[0])["text"]
        assert "&lt;!channel&gt; &amp; co" in said
        assert "<" not in said

    def test_what_is_not_taken_is_tried_again_with_the_same_id(
        self,
        sandbox: Sandbox,
        integration: Integration,
        webhook: Webhook,
        receiver: Listener,
        olga: User,
    ) -> None:
        receiver.status = 500
        sent(integration, olga)
        tick()
        notice, hook = Notice.objects.get(), Webhook.objects.get()
        assert notice.due_at is not None
        assert (notice.attempts, hook.failures) == (1, 1)
        assert "500" in hook.problem
        assert hook.try_at > timezone.now()
        receiver.status = 204
        Webhook.objects.update(try_at=None)
        Notice.objects.update(due_at=timezone.now())
        tick()
        assert Notice.objects.get().sent_at is not None
        assert Webhook.objects.get().failures == 0
        ids = {json.loads(body)["id"] for body in receiver.bodies}
        assert ids == {str(notice.uid)}

    def test_a_restored_back_up_tells_nobody_before_the_clock_has_looked(
        self,
        sandbox: Sandbox,
        integration: Integration,
        webhook: Webhook,
        receiver: Listener,
        wish: MailWish,
        olga: User,
    ) -> None:
        sent(integration, olga)
        tell.tell_news(timezone.now())
        pulse.beat(db_clock.now())
        pulse.beat(db_clock.now())
        # Restored: it counts less than is noted. A worker was sooner than the clock.
        Pulse.objects.update(number=F("number") - 1)
        due = list(Notice.objects.values_list("pk", flat=True))
        send_notices.post(due)
        send_notices.send_mail(due)
        assert (len(due), receiver.bodies, mail.outbox) == (2, [], [])
        hold_restored(db_clock.now())
        assert not Notice.objects.filter(due_at__isnull=False).exists()

    def test_after_a_day_it_is_given_up_and_its_project_says_so(
        self,
        sandbox: Sandbox,
        integration: Integration,
        project: Project,
        webhook: Webhook,
        receiver: Listener,
        olga: User,
        browser: Browser,
    ) -> None:
        receiver.status = 500
        write = sent(integration, olga)
        tick()
        late = timezone.now() - OLDEST - timedelta(minutes=1)
        Notice.objects.update(at=late, due_at=timezone.now())
        Webhook.objects.update(try_at=None)
        posted = len(receiver.bodies)
        tick()
        notice = Notice.objects.get()
        assert (notice.due_at, notice.sent_at, len(receiver.bodies)) == (
            None,
            None,
            posted,
        )
        page = browser.get(project.get_absolute_url()).content.decode()
        assert 'id="given-up"' in page
        assert write.get_absolute_url() in page

    def test_one_that_does_not_answer_is_let_be_and_keeps_nobody_else_waiting(
        self,
        sandbox: Sandbox,
        integration: Integration,
        webhook: Webhook,
        receiver: Listener,
        olga: User,
        wish: MailWish,
    ) -> None:
        receiver.status = 500
        for _ in range(3):
            sent(integration, olga, CSV + f"k-{_ + 9},Name\n".encode())
        tick()
        assert len(receiver.bodies) == 1
        assert dispatch.enqueue_due_notices(timezone.now()) == 0
        assert len(mail.outbox) == 3

    def test_where_it_leads_inside_nothing_is_posted(
        self,
        sandbox: Sandbox,
        settings: Any,
        integration: Integration,
        webhook: Webhook,
        receiver: Listener,
        olga: User,
    ) -> None:
        settings.PRIVATE_HOSTS = []
        sent(integration, olga)
        tick()
        assert receiver.heard == []
        assert Webhook.objects.get().failures == 1

    def test_a_redirect_is_not_followed(
        self,
        sandbox: Sandbox,
        integration: Integration,
        webhook: Webhook,
        receiver: Listener,
        olga: User,
    ) -> None:
        receiver.status, receiver.headers = 307, {"Location": f"{receiver.url}/else"}
        sent(integration, olga)
        tick()
        assert len(receiver.heard) == 1
        assert Notice.objects.get().sent_at is None

    def test_of_two_workers_one_sends(
        self,
        sandbox: Sandbox,
        integration: Integration,
        webhook: Webhook,
        receiver: Listener,
        olga: User,
    ) -> None:
        sent(integration, olga)
        tell.tell_news(timezone.now())
        read_before = Notice.objects.select_related("webhook").get()
        send_notices.post([read_before.pk])
        assert send_notices._try(read_before, send_notices._to_webhook)
        assert len(receiver.bodies) == 1


class TestMail:
    """Who gets which e-mail."""

    def test_who_confirmed_is_told(
        self, sandbox: Sandbox, integration: Integration, wish: MailWish, olga: User
    ) -> None:
        write = sent(integration, olga)
        assert (tick(), tick()) == (1, 0)
        (letter,) = mail.outbox
        assert letter.to == ["olga@example.com"]
        assert "canary" not in letter.subject + letter.body
        assert f"https://console.example.com{write.get_absolute_url()}" in letter.body
        assert str(Notice.objects.get().uid) in letter.extra_headers["Message-ID"]

    def test_others_are_told_of_a_project_they_chose_as_long_as_they_may_see_it(
        self,
        sandbox: Sandbox,
        integration: Integration,
        project: Project,
        sends_mail: None,
        olga: User,
    ) -> None:
        vera = make_user("vera", Role.VIEWER)
        User.objects.filter(pk=vera.pk).update(email="vera@example.com")
        MailWish.objects.create(person=vera, project=project)
        sent(integration, olga)
        tick()
        assert [letter.to for letter in mail.outbox] == [["vera@example.com"]]
        sent(integration, olga, CSV + b"k-9,Name 9\n")
        Grant.objects.filter(user=vera).delete()
        tick()
        assert len(mail.outbox) == 1
        assert Notice.objects.given_up().count() == 1

    def test_without_a_server_there_is_none(
        self,
        sandbox: Sandbox,
        settings: Any,
        integration: Integration,
        wish: MailWish,
        olga: User,
    ) -> None:
        settings.SENDS_MAIL = False
        sent(integration, olga)
        assert (tick(), mail.outbox) == (0, [])

    def test_a_server_that_is_away_is_tried_again(
        self,
        sandbox: Sandbox,
        settings: Any,
        integration: Integration,
        wish: MailWish,
        olga: User,
    ) -> None:
        options = {"host": "127.0.0.1", "port": 9, "timeout": 1}
        backend = "django.core.mail.backends.smtp.EmailBackend"
        settings.MAILERS = {"default": {"BACKEND": backend, "OPTIONS": options}}
        sent(integration, olga)
        tick()
        notice = Notice.objects.get()
        assert (notice.attempts, notice.sent_at) == (1, None)
        assert notice.due_at > timezone.now()


@pytest.mark.parametrize(
    ("address", "is_final"), [("450@x.y", False), ("550@x.y", True)]
)
def test_an_address_that_is_refused_keeps_no_others_from_their_mail(
    sandbox: Sandbox,
    settings: Any,
    integration: Integration,
    wish: MailWish,
    project: Project,
    olga: User,
    address: str,
    is_final: bool,
) -> None:
    backend = f"{Refusing.__module__}.{Refusing.__name__}"
    settings.MAILERS = {"default": {"BACKEND": backend}}
    User.objects.filter(pk=olga.pk).update(email=address)
    vera = make_user("vera", Role.VIEWER)
    User.objects.filter(pk=vera.pk).update(email="vera@example.com")
    MailWish.objects.create(person=vera, project=project)
    sent(integration, olga)
    tick()
    assert [letter.to for letter in mail.outbox] == [["vera@example.com"]]
    assert (Notice.objects.get(person=olga).due_at is None) is is_final


class Refusing(BaseEmailBackend):
    """A mail server that refuses one address, for now or for good, and takes others."""

    def send_messages(self, letters: Any) -> int:
        for letter in letters:
            (to,) = letter.to
            if to.startswith(("4", "5")):
                code = int(to[:3])
                raise smtplib.SMTPRecipientsRefused({to: (code, b"no")})
            mail.outbox.append(letter)
        return len(letters)


def end(operation: Operation, state: str) -> None:
    now = timezone.now()
    operation.change(only_from=("waiting",), state="sending", sent_at=now)
    operation.change(
        only_from=("sending",), state=state, ended_at=now, due_at=None, rows_succeeded=3
    )
