"""Not twice by people either: the same content is not sent again unawares."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import close_old_connections, connection
from django.utils import timezone

from console.access.roles import Role
from console.models import AuditEvent, Integration, Project
from operations.models import Operation
from tests.conftest import actor, make_user
from tests.writes.making import confirm, make_draft
from writes.actions import begin_job, derive, duplicates
from writes.actions.duplicates import RepeatFound, fingerprint
from writes.models import SentContent, Write

State = Operation.State

pytestmark = pytest.mark.django_db

CSV = b"external_id__c,LastName\nk-1,Berg\nk-2,Tal\n"
KINDS: dict[str, dict[str, Any]] = {
    "create": {"record": {"LastName": "Berg"}},
    "update": {"action": "update", "record_id": "003A", "record": {"LastName": "Tal"}},
    "csv": {"csv": CSV, "primary_key": "external_id__c"},
    "url": {"url": "https://example.com/x.csv", "primary_key": "id"},
}


def end(operation: Operation, state: str) -> None:
    """Have an operation come to `state`."""
    known = {"state": state, "due_at": None, "sent_at": timezone.now()}
    Operation.objects.filter(pk=operation.pk).update(**known)


class TestGuard:
    @pytest.mark.parametrize("kind", KINDS)
    def test_the_same_content_in_another_draft_stops_whoever_confirms_it(
        self, kind: str, integration: Integration, olga: User
    ) -> None:
        first = make_draft(integration, olga, **KINDS[kind])
        confirm(first, olga)
        tim = make_user("tim", Role.OPERATOR)
        second = make_draft(integration, tim, **KINDS[kind])
        with pytest.raises(RepeatFound) as found:
            confirm(second, tim)
        assert found.value.earlier == first
        assert second.is_draft
        second.refresh_from_db()
        assert second.is_draft
        assert Operation.objects.count() == 1

    def test_with_a_reason_it_is_sent_and_the_reason_kept(
        self, integration: Integration, olga: User
    ) -> None:
        first = make_draft(integration, olga)
        confirm(first, olga)
        second = make_draft(integration, olga)
        operation = confirm(second, olga, repeat_reason="They deleted it")
        second.refresh_from_db()
        assert operation.state == State.WAITING
        assert operation.purpose == "They deleted it"
        assert (second.repeats, second.repeat_reason) == (first, "They deleted it")
        event = AuditEvent.objects.get(action="write.repeated")
        assert event.actor_name == "olga"
        assert event.detail == {
            "write": second.pk,
            "earlier": first.pk,
            "reason": "They deleted it",
        }

    def test_a_reason_that_nothing_needed_is_not_kept_as_a_repeat(
        self, integration: Integration, olga: User
    ) -> None:
        write = make_draft(integration, olga)
        confirm(write, olga, repeat_reason="Just in case")
        write.refresh_from_db()
        assert (write.repeats, write.repeat_reason) == (None, "")
        assert not AuditEvent.objects.filter(action="write.repeated").exists()

    def test_the_reason_holds_for_the_write_that_it_was_said_of(
        self, integration: Integration, olga: User
    ) -> None:
        first, second, third = (make_draft(integration, olga) for _ in range(3))
        confirm(first, olga)
        confirm(second, olga, repeat_reason="Lost", repeats=first.pk)
        with pytest.raises(RepeatFound) as found:
            confirm(third, olga, repeat_reason="Lost", repeats=first.pk)
        assert found.value.earlier == second
        confirm(third, olga, repeat_reason="Lost", repeats=second.pk)
        assert Operation.objects.count() == 3

    def test_after_repeat_days_it_is_forgotten(
        self, integration: Integration, olga: User, settings: Any
    ) -> None:
        first = make_draft(integration, olga)
        confirm(first, olga)
        ago = timezone.now() - timedelta(days=settings.REPEAT_DAYS, seconds=1)
        Write.objects.filter(pk=first.pk).update(confirmed_at=ago)
        confirm(make_draft(integration, olga), olga)
        assert Operation.objects.count() == 2

    def test_with_no_days_set_nobody_is_stopped(
        self, integration: Integration, olga: User, settings: Any
    ) -> None:
        settings.REPEAT_DAYS = 0
        for _ in range(2):
            confirm(make_draft(integration, olga), olga)
        assert Operation.objects.count() == 2

    @pytest.mark.parametrize("state", State.values)
    def test_an_earlier_one_counts_unless_it_is_proven_to_be_without_effect(
        self, state: str, integration: Integration, olga: User
    ) -> None:
        operation = confirm(make_draft(integration, olga), olga)
        Operation.objects.filter(pk=operation.pk).update(
            state=state, remote_id="1", sent_at=timezone.now()
        )
        second = make_draft(integration, olga)
        without_effect = state in Operation.WITHOUT_EFFECT
        assert (duplicates.earlier_of(second, timezone.now()) is None) == without_effect

    def test_one_of_two_parts_that_may_have_written_is_enough(
        self, integration: Integration, olga: User, small_parts: int
    ) -> None:
        rows = b"".join(b"k-%d,Name %d\n" % (n, n) for n in range(9))
        text = {"csv": b"external_id__c,LastName\n" + rows, "primary_key": "LastName"}
        first = make_draft(integration, olga, **text)
        confirm(first, olga)
        states = [State.SUCCEEDED, *[State.CANCELLED] * (first.batches.count() - 1)]
        for batch, state in zip(first.batches.all(), states, strict=True):
            end(batch.operation, state)
        second = make_draft(integration, olga, **text)
        assert duplicates.earlier_of(second, timezone.now()) == first
        end(first.batches.all()[0].operation, State.REJECTED)
        assert duplicates.earlier_of(second, timezone.now()) is None

    def test_a_refused_repeat_does_not_hide_what_was_written_before(
        self, integration: Integration, olga: User
    ) -> None:
        first, second, third = (make_draft(integration, olga) for _ in range(3))
        end(confirm(first, olga), State.SUCCEEDED)
        end(confirm(second, olga, repeat_reason="Lost"), State.REJECTED)
        with pytest.raises(RepeatFound) as found:
            confirm(third, olga)
        assert found.value.earlier == first

    def test_a_trial_and_its_rest_are_no_repeat_of_each_other(
        self, integration: Integration, olga: User
    ) -> None:
        rest = make_draft(integration, olga, **KINDS["csv"])
        trial = derive.try_first(rest, actor(olga), 1)
        for write in (trial, rest):
            begin_job.begin(write, "check", size=0)
            write.refresh_from_db()
            confirm(write, olga)
        assert Operation.objects.count() == 2


class TestFingerprint:
    @pytest.mark.parametrize(
        ("ours", "theirs"),
        [
            ({"record": {"A": 1, "b": "x"}}, {"record": {"B": "x", "a": 1}}),
            ({"object_name": "contact"}, {"object_name": "Contact"}),
            (
                {"record": {"Account": {"Key__c": "1"}}},
                {"record": {"account": {"key__C": "1"}}},
            ),
            (
                {**KINDS["csv"], "primary_key": "External_Id__c"},
                KINDS["csv"],
            ),
        ],
    )
    def test_names_are_compared_without_case_and_order(
        self,
        ours: dict[str, Any],
        theirs: dict[str, Any],
        integration: Integration,
        olga: User,
    ) -> None:
        one = make_draft(integration, olga, **ours)
        other = make_draft(integration, olga, **theirs)
        assert fingerprint(one) == fingerprint(other)

    @pytest.mark.parametrize(
        "other",
        [
            {"object_name": "lead"},
            {"record": {"LastName": "berg"}},
            {"record": {"LastName": "Berg", "FirstName": None}},
            {"record": {"LastName": ["Berg"]}},
            {"record": {"lastname": "Berg", "LastName": "Berg"}},
            {"action": "update", "record_id": "003A"},
            {"csv": CSV, "primary_key": "external_id__c"},
            {"url": "https://example.com/x.csv", "primary_key": "id"},
        ],
    )
    def test_anything_else_is_another_content(
        self, other: dict[str, Any], integration: Integration, olga: User
    ) -> None:
        ours = make_draft(integration, olga)
        assert fingerprint(ours) != fingerprint(make_draft(integration, olga, **other))

    @pytest.mark.parametrize("name", ["group_ref", "record_id", "primary_key"])
    def test_where_it_goes_is_part_of_it(
        self, name: str, integration: Integration, olga: User
    ) -> None:
        write = make_draft(integration, olga)
        before = fingerprint(write)
        setattr(write, name, "Another")
        assert fingerprint(write) != before

    def test_another_integration_is_another_content(
        self, integration: Integration, olga: User
    ) -> None:
        twin = Integration.objects.create(
            project=integration.project, name="twin", remote_id="twin"
        )
        ours, theirs = make_draft(integration, olga), make_draft(twin, olga)
        assert fingerprint(ours) != fingerprint(theirs)


class TestAtTheSameMoment:
    def test_who_comes_second_by_a_hair_finds_the_first(
        self, integration: Integration, olga: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Somebody confirms between our look for an earlier one and our own note."""
        first, second = (make_draft(integration, olga) for _ in range(2))
        look = duplicates.earlier_of

        def late(write: Write, now: Any) -> Write | None:
            found = look(write, now)
            if write == second:
                SentContent.objects.create(
                    fingerprint=fingerprint(first), number=1, write=first
                )
            return found

        monkeypatch.setattr(duplicates, "earlier_of", late)
        with pytest.raises(RepeatFound) as found:
            confirm(second, olga)
        assert found.value.earlier == first
        assert second.is_draft


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_of_many_people_with_the_same_content_one_sends(
    project: Project, olga: User
) -> None:
    integration = project.integrations.get()
    drafts = [make_draft(integration, olga) for _ in range(12)]
    start = threading.Barrier(len(drafts))
    sent: list[Operation] = []
    stopped: list[Write] = []

    def press_send(write: Write) -> None:
        start.wait()
        try:
            sent.append(confirm(write, olga))
        except RepeatFound as found:
            stopped.append(found.earlier)
        finally:
            close_old_connections()
            connection.close()

    threads = [threading.Thread(target=press_send, args=[each]) for each in drafts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sent) == Operation.objects.count() == SentContent.objects.count() == 1
    assert stopped == [sent[0].batch.write] * 11
    assert Write.objects.drafts().count() == 11
