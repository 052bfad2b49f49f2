"""Linking a write whose outcome is unknown to the operation that it became."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone

from console.models import AuditEvent, Integration, Project
from operations.models import Operation
from sandbox.app import Sandbox
from tests.answers import levels
from tests.conftest import stored_operation
from tests.test_crawl import check_page
from tests.texts import numbers, words
from tests.writes.making import confirm, make_draft, work_off
from tests.writes.unknown_outcomes import CSV, audited, begun, fresh, just_before, url
from writes.actions import reconcile
from writes.models import Batch, Write

State = Operation.State

pytestmark = pytest.mark.django_db


class TestLink:
    def test_the_operation_is_watched_to_its_end_and_its_rows_are_joined(
        self, unknown: Any, browser: Browser, sandbox: Sandbox
    ) -> None:
        batch = unknown("truncated", csv=CSV)
        remote_id = begun(sandbox)
        answer = browser.post(url(batch, "link/"), {"remote_id": f" {remote_id} "})
        assert answer.status_code == 302
        linked = fresh(batch)
        assert (linked.state, linked.remote_id) == (State.IN_PROGRESS, remote_id)
        assert linked.due_at
        assert not Operation.objects.needing_attention()
        assert audited("operation.linked").detail["remote_id"] == remote_id
        work_off()
        assert fresh(batch).state == State.SUCCEEDED
        totals = Write.objects.get(pk=batch.write_id).rows_totals
        assert totals
        assert totals.succeeded == 3

    def test_rows_are_joined_also_long_after(
        self, unknown: Any, browser: Browser, sandbox: Sandbox
    ) -> None:
        batch = unknown("timeout_after", csv=CSV)
        work_off()
        Batch.objects.filter(pk=batch.pk).update(is_settled=True)
        browser.post(url(batch, "link/"), {"remote_id": begun(sandbox)})
        work_off()
        totals = Write.objects.get(pk=batch.write_id).rows_totals
        assert totals
        assert totals.succeeded == 3

    def test_one_that_ampersand_does_not_know_changes_nothing(
        self, unknown: Any, browser: Browser
    ) -> None:
        batch = unknown(csv=CSV)
        answer = browser.post(url(batch, "link/"), {"remote_id": "made-up"})
        assert answer.status_code == 422
        check_page(answer)
        assert 'id="link_remote_id_error"' in answer.text
        assert 'value="made-up"' in answer.text
        assert fresh(batch).needs_person

    @pytest.mark.parametrize("remote_id", ["", "a/b", "..", "x" * 201, "a\x00b"])
    def test_what_is_no_id_is_refused(
        self, unknown: Any, browser: Browser, remote_id: str
    ) -> None:
        batch = unknown(csv=CSV)
        answer = browser.post(url(batch, "link/"), {"remote_id": remote_id})
        assert answer.status_code == 422
        assert 'id="link_remote_id_error"' in answer.text
        assert fresh(batch).needs_person

    def test_when_ampersand_is_away_nothing_changes(
        self, unknown: Any, browser: Browser, project: Project
    ) -> None:
        batch = unknown(csv=CSV)
        project.api_keys.get().revoke()
        answer = browser.post(url(batch, "link/"), {"remote_id": "some-id"})
        assert answer.status_code == 422
        assert 'id="link_remote_id_error"' in answer.text
        assert fresh(batch).needs_person

    def test_another_object_or_an_earlier_moment_must_be_agreed_to(
        self, unknown: Any, browser: Browser, sandbox: Sandbox, integration: Integration
    ) -> None:
        other = make_draft(
            integration,
            User.objects.get(username="olga"),
            csv=b"external_id__c,LastName\nk,N\n",
            primary_key="external_id__c",
        )
        confirm(other, User.objects.get(username="olga"))
        work_off()
        operation = other.batches.get().operation
        remote_id, operation.remote_id = operation.remote_id, "freed"
        operation.save()
        batch = unknown(csv=CSV)
        later = timezone.now() + timedelta(hours=2)
        Operation.objects.filter(pk=batch.operation_id).update(sent_at=later)
        answer = browser.post(url(batch, "link/"), {"remote_id": remote_id})
        assert answer.status_code == 422
        another, earlier = answer.context["doubts"]
        assert {"contact", "fault_timeout_after__c"} <= set(words(another))
        assert str(timezone.localtime().year) in words(earlier)
        assert another in answer.text
        assert earlier in answer.text
        assert fresh(batch).needs_person
        filled = {"remote_id": remote_id, "is_sure": "on"}
        assert browser.post(url(batch, "link/"), filled).status_code == 302
        assert fresh(batch).remote_id == remote_id

    def test_one_operation_cannot_be_two(
        self, unknown: Any, browser: Browser, sandbox: Sandbox
    ) -> None:
        first, second = unknown(csv=CSV), unknown(csv=CSV.replace(b"k-", b"l-"))
        remote_id = begun(sandbox)
        browser.post(url(second, "link/"), {"remote_id": remote_id})
        filled = {"remote_id": remote_id.upper(), "is_sure": "on"}
        answer = browser.post(url(first, "link/"), filled)
        assert answer.status_code == 422
        assert answer.context["twin"] == fresh(second)
        assert fresh(second).get_absolute_url() in answer.text
        assert "is_sure" not in answer.text
        assert fresh(first).needs_person

    def test_one_that_is_followed_already_stays_there(
        self, unknown: Any, browser: Browser, project: Project
    ) -> None:
        batch = unknown(csv=CSV)
        twin = stored_operation(
            project=project,
            action="follow",
            state="in_progress",
            remote_id="theirs",
            started_by_name="bob",
        )
        answer = browser.post(url(batch, "link/"), {"remote_id": "theirs"})
        assert answer.status_code == 422
        assert answer.context["twin"] == twin
        assert "bob" in answer.text
        assert "is_sure" in answer.text
        assert fresh(batch).needs_person
        filled = {"remote_id": "theirs", "is_sure": "on"}
        answer = browser.post(url(batch, "link/"), filled, follow=True)
        [message] = answer.context["messages"]
        assert numbers(str(message)) == [twin.pk]
        assert (fresh(batch).state, fresh(batch).needs_person) == ("unknown", False)
        assert numbers(fresh(batch).resolution) == [twin.pk]

    def test_followed_at_the_same_moment_it_stays_there(
        self,
        unknown: Any,
        browser: Browser,
        sandbox: Sandbox,
        project: Project,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        batch = unknown("truncated", csv=CSV)
        remote_id = begun(sandbox)

        def somebody_follows_it() -> None:
            values = {"action": "follow", "state": "in_progress"}
            stored_operation(project=project, remote_id=remote_id, **values)

        just_before(monkeypatch, reconcile, "_ask", somebody_follows_it)
        answer = browser.post(url(batch, "link/"), {"remote_id": remote_id})
        assert answer.status_code == 422
        assert answer.context["twin"].remote_id == remote_id
        assert fresh(batch).needs_person

    def test_an_answer_that_comes_meanwhile_wins(
        self,
        unknown: Any,
        browser: Browser,
        sandbox: Sandbox,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        batch = unknown("truncated", csv=CSV)
        remote_id = begun(sandbox)

        def an_answer_comes() -> None:
            fresh(batch).change(only_from=("unknown",), state=State.REJECTED)

        just_before(monkeypatch, reconcile, "_ask", an_answer_comes)
        answer = browser.post(
            url(batch, "link/"), {"remote_id": remote_id}, follow=True
        )
        assert levels(answer) == ["warning"]
        assert fresh(batch).state == State.REJECTED
        assert not AuditEvent.objects.filter(action="operation.linked").exists()

    def test_one_record_has_no_operation(self, unknown: Any, browser: Browser) -> None:
        batch = unknown()
        browser.post(url(batch, "link/"), {"remote_id": "x"})
        assert fresh(batch).needs_person
