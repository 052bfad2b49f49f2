"""What a person does about a write whose outcome nobody knows."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone

from ampersand import WriteResult
from console.models import AuditEvent, EnvironmentControl, Integration, Project
from console.roles import Role
from operations.models import Operation
from sandbox.app import Sandbox
from tests.conftest import stored_operation
from tests.test_crawl import check_page
from tests.writes.making import (
    confirm,
    fault_integration,
    make_draft,
    received,
    records,
    states,
    work_off,
)
from writes import answering, file_jobs, reconciling, resending, turns
from writes.models import Batch, Write

State = Operation.State

CSV = b"external_id__c,Name\nk-1,One\nk-2,Two\nk-3,Three\n"
SINGLE_FAULTS = ["timeout_after", "reset_before", "truncated", "500"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def unknown(sandbox: Sandbox, project: Project, olga: User) -> Callable[..., Batch]:
    """A function that sends something to an object with a fault; it stays unknown."""

    def sent(fault: str = "timeout_after", **values: Any) -> Batch:
        integration = fault_integration(project, fault)
        if values.get("action") == "update":
            values["record_id"] = existing(fault)
        if "csv" in values:
            values.setdefault("primary_key", "external_id__c")
        write = make_draft(
            integration,
            olga,
            object_name=f"fault_{fault}__c",
            **{"record": {"Name": "Berg"}, **values},
        )
        confirm(write, olga)
        work_off()
        batch = write.batches.select_related("operation").first()
        assert batch is not None
        assert batch.operation.state == State.UNKNOWN, batch.operation.reason
        return batch

    def existing(fault: str) -> str:
        """Return the id of a record that the object has, if it takes any."""
        confirm(
            make_draft(
                fault_integration(project, fault),
                olga,
                record={"Name": "Berg"},
                object_name=f"fault_{fault}__c",
            ),
            olga,
        )
        work_off()
        Operation.objects.filter(state=State.UNKNOWN).update(resolved_at=timezone.now())
        found = records(sandbox, f"fault_{fault}__c")
        return str(found[0]["Id"]) if found else "003xx0000000001AAA"

    return sent


def url(batch: Batch, action: str = "") -> str:
    return f"/operations/{batch.operation_id}/reconcile/{action}"


def fresh(batch: Batch) -> Operation:
    return Operation.objects.get(pk=batch.operation_id)


def begun(sandbox: Sandbox) -> str:
    """Return the id of the last operation that the sandbox began."""
    return str(received(sandbox)[-1]["operationId"])


def result(**values: Any) -> WriteResult:
    """Return what the client makes of an answer that says that it was taken."""
    empty = {"record_id": None, "operation_id": None, "data": None, "request_id": None}
    told = {"success": True, "errors": (), "warnings": (), "status_code": 200}
    return WriteResult(**{**empty, **told, "raw": "", **values})


def audited(action: str) -> AuditEvent:
    return AuditEvent.objects.get(action=action)


class TestPage:
    @pytest.mark.parametrize("fault", SINGLE_FAULTS)
    @pytest.mark.parametrize("values", [{}, {"action": "update"}])
    def test_tells_what_was_sent_and_why_not_to_send_again(
        self, unknown: Any, browser: Browser, fault: str, values: dict[str, Any]
    ) -> None:
        batch = unknown(fault, **values)
        answer = browser.get(url(batch))
        check_page(answer)
        assert "olga" in answer.text
        assert "Berg" in answer.text
        risk = "makes a second one" if not values else "same values once more"
        assert risk in answer.text
        assert "Link to this one" not in answer.text

    @pytest.mark.parametrize("fault", SINGLE_FAULTS)
    def test_tells_where_to_look_for_the_rows_of_a_file(
        self, unknown: Any, browser: Browser, fault: str
    ) -> None:
        batch = unknown(fault, csv=CSV)
        answer = browser.get(url(batch))
        check_page(answer)
        soql = f"FROM fault_{fault}__c WHERE external_id__c IN (&#x27;k-1&#x27;, "
        assert soql in answer.text
        assert "has its own external_id__c" in answer.text
        assert "It was written" not in answer.text

    def test_an_address_may_hold_rows_without_a_key(
        self, unknown: Any, browser: Browser
    ) -> None:
        batch = unknown(url="https://example.com/x.csv", primary_key="external_id__c")
        answer = browser.get(url(batch))
        check_page(answer)
        assert "inserted twice" in answer.text
        assert "https://example.com/x.csv" in answer.text

    def test_offers_the_record_id_that_a_broken_answer_names(
        self, unknown: Any, browser: Browser
    ) -> None:
        batch = unknown("truncated")
        cut = '{"result":{"success":true,"recordId":"003xx000004TmiQAAS","da'
        Operation.objects.filter(pk=batch.operation_id).update(
            answer={"status": 200, "body": cut}
        )
        assert 'value="003xx000004TmiQAAS"' in browser.get(url(batch)).text

    def test_names_what_others_follow_since_it_was_sent(
        self, unknown: Any, browser: Browser, project: Project
    ) -> None:
        batch = unknown(csv=CSV)
        values = {"project": project, "action": "follow", "state": State.IN_PROGRESS}
        values |= {"started_by_name": "bob", "due_at": timezone.now()}
        name = batch.operation.object_name
        Operation.objects.create(remote_id="later-1", object_name=name, **values)
        before = timezone.now() - timedelta(days=1)
        Operation.objects.create(
            remote_id="earlier-1", object_name=name, created_at=before, **values
        )
        Operation.objects.create(remote_id="other-1", object_name="lead", **values)
        text = browser.get(url(batch)).text
        assert "later-1" in text
        assert "earlier-1" not in text
        assert "other-1" not in text

    def test_hostile_answers_stay_text(self, unknown: Any, browser: Browser) -> None:
        batch = unknown()
        evil = '<img src=x hx-get="/evil">'
        Operation.objects.filter(pk=batch.operation_id).update(
            answer={"status": 500, "body": evil}, reason=evil
        )
        text = browser.get(url(batch)).text
        assert evil not in text
        assert "&lt;img" in text

    def test_what_is_known_is_shown_on_its_own_page(
        self, unknown: Any, browser: Browser
    ) -> None:
        batch = unknown()
        batch.operation.change(only_from=("unknown",), state=State.SUCCEEDED)
        assert (
            browser.get(url(batch))["Location"] == f"/operations/{batch.operation_id}/"
        )

    def test_there_is_none_for_what_others_started(
        self, project: Project, browser: Browser
    ) -> None:
        followed = stored_operation(
            project=project, action="follow", state="in_progress", remote_id="x"
        )
        assert browser.get(f"/operations/{followed.pk}/reconcile/").status_code == 404
        assert (
            browser.get("/operations/99999999999999999999/reconcile/").status_code
            == 404
        )


class TestAccess:
    ACTIONS = ("link/", "written/", "not-written/", "send-again/")

    def test_viewers_look_and_decide_nothing(
        self, unknown: Any, sign_in: Callable[..., Browser]
    ) -> None:
        batch = unknown()
        viewer, nobody = sign_in(Role.VIEWER), sign_in(Role.NONE, "nobody")
        page = viewer.get(url(batch))
        check_page(page)
        assert "/reconcile/send-again/" not in page.text
        assert nobody.get(url(batch)).status_code == 403
        assert Browser().get(url(batch)).status_code == 302
        for action in self.ACTIONS:
            assert viewer.post(url(batch, action)).status_code == 403
            assert nobody.post(url(batch, action)).status_code == 403
            assert Browser().post(url(batch, action)).status_code == 302
        assert fresh(batch).needs_person

    def test_the_role_counts_where_it_was_sent(
        self, unknown: Any, sign_in: Callable[..., Browser]
    ) -> None:
        batch = unknown()
        elsewhere = sign_in(Role.OPERATOR, "tim", sandbox=Role.NONE)
        lower = sign_in(Role.ADMIN, "ann", sandbox=Role.VIEWER)
        assert elsewhere.get(url(batch)).status_code == 404
        assert lower.get(url(batch)).status_code == 200
        for action in self.ACTIONS:
            assert elsewhere.post(url(batch, action)).status_code == 404
            assert lower.post(url(batch, action)).status_code == 403
        assert fresh(batch).needs_person

    def test_what_changes_something_cannot_be_opened(
        self, unknown: Any, browser: Browser
    ) -> None:
        batch = unknown()
        for action in self.ACTIONS:
            assert browser.get(url(batch, action)).status_code == 405

    def test_nothing_is_done_about_what_is_known(
        self, unknown: Any, browser: Browser, sandbox: Sandbox
    ) -> None:
        for batch in (unknown(), unknown(csv=CSV)):
            batch.operation.change(
                only_from=("unknown",), state=State.REJECTED, reason="Late."
            )
            before = len(received(sandbox))
            filled = {"remote_id": "x", "record_id": "x", "looked_at": "x"}
            filled |= {"looked": "on", "repeat_reason": "x"}
            for action in self.ACTIONS:
                answer = browser.post(url(batch, action), filled, follow=True)
                assert answer.status_code == 200
                assert fresh(batch).state == State.REJECTED
            assert len(received(sandbox)) == before


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
        assert "Ampersand knows no such operation" in answer.text
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
        project.api_keys.update(revoked_at=timezone.now())
        answer = browser.post(url(batch, "link/"), {"remote_id": "some-id"})
        assert answer.status_code == 422
        assert "Nothing was changed." in answer.text
        assert "Try again in a minute." in answer.text
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
        assert "It writes contact, and fault_timeout_after__c was sent." in answer.text
        assert "before this was sent" in answer.text
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
        assert "It cannot be two." in answer.text
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
        assert "bob began to follow it" in answer.text
        assert fresh(batch).needs_person
        filled = {"remote_id": "theirs", "is_sure": "on"}
        answer = browser.post(url(batch, "link/"), filled, follow=True)
        assert f"Operation #{twin.pk} tells what became of it." in answer.text
        assert (fresh(batch).state, fresh(batch).needs_person) == ("unknown", False)
        assert f"operation #{twin.pk}" in fresh(batch).resolution

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
        ask = reconciling._ask

        def asked(operation: Operation, wanted: str) -> Any:
            stored_operation(
                project=project, action="follow", state="in_progress", remote_id=wanted
            )
            return ask(operation, wanted)

        monkeypatch.setattr(reconciling, "_ask", asked)
        answer = browser.post(url(batch, "link/"), {"remote_id": remote_id})
        assert answer.status_code == 422
        assert "of this console is that one" in answer.text
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
        ask = reconciling._ask

        def asked(operation: Operation, wanted: str) -> Any:
            late = Operation.objects.get(pk=operation.pk)
            late.change(only_from=("unknown",), state=State.REJECTED)
            return ask(operation, wanted)

        monkeypatch.setattr(reconciling, "_ask", asked)
        answer = browser.post(
            url(batch, "link/"), {"remote_id": remote_id}, follow=True
        )
        assert "it is known by now what became of it" in answer.text
        assert fresh(batch).state == State.REJECTED
        assert not AuditEvent.objects.filter(action="operation.linked").exists()

    def test_one_record_has_no_operation(self, unknown: Any, browser: Browser) -> None:
        batch = unknown()
        browser.post(url(batch, "link/"), {"remote_id": "x"})
        assert fresh(batch).needs_person


class TestWritten:
    def test_the_record_is_kept_with_who_found_it(
        self, unknown: Any, browser: Browser, sandbox: Sandbox
    ) -> None:
        batch = unknown()
        answer = browser.post(url(batch, "written/"), {"record_id": " 003A "})
        assert answer.status_code == 302
        found = fresh(batch)
        assert (found.state, found.record_id) == (State.SUCCEEDED, "003A")
        assert (found.rows_succeeded, found.rows_failed) == (1, 0)
        assert found.reason == "Found by olga: record 003A."
        assert found.resolved_at
        assert audited("operation.found_written").detail == {"record_id": "003A"}
        assert len(received(sandbox)) == 1
        page = browser.get(f"/operations/{found.pk}/").text
        assert "Found by olga" in page

    @pytest.mark.parametrize("record_id", ["", "a b", "x" * 101, "a\u200bb"])
    def test_what_is_no_id_is_refused(
        self, unknown: Any, browser: Browser, record_id: str
    ) -> None:
        batch = unknown()
        answer = browser.post(url(batch, "written/"), {"record_id": record_id})
        assert answer.status_code == 422
        assert fresh(batch).needs_person

    def test_an_update_is_found_under_its_own_id_only(
        self, unknown: Any, browser: Browser
    ) -> None:
        batch = unknown(action="update")
        own = batch.write.record_id
        assert f'value="{own}"' in browser.get(url(batch)).text
        answer = browser.post(url(batch, "written/"), {"record_id": "003B"})
        assert answer.status_code == 422
        assert fresh(batch).needs_person
        browser.post(url(batch, "written/"), {"record_id": own})
        assert fresh(batch).state == State.SUCCEEDED

    def test_a_file_is_not_one_record(self, unknown: Any, browser: Browser) -> None:
        batch = unknown(csv=CSV)
        browser.post(url(batch, "written/"), {"record_id": "003A"})
        assert fresh(batch).needs_person


class TestNotWritten:
    def test_it_is_kept_with_what_was_looked_at(
        self, unknown: Any, browser: Browser, sandbox: Sandbox
    ) -> None:
        batch = unknown("500")
        filled = {"looked_at": "No such contact."}
        assert browser.post(url(batch, "not-written/"), filled).status_code == 302
        found = fresh(batch)
        assert found.state == State.NOT_WRITTEN
        assert (found.rows_succeeded, found.rows_failed) == (0, 1)
        assert found.rows_unknown == 0
        assert audited("operation.found_not_written").detail == {
            "looked_at": "No such contact."
        }
        page = browser.get(f"/operations/{found.pk}/").text
        assert "Not written" in page
        assert "Found by olga: No such contact." in page
        assert len(received(sandbox)) == 1

    @pytest.mark.parametrize("looked_at", ["", "  ", "x" * 201])
    def test_it_takes_a_word(
        self, unknown: Any, browser: Browser, looked_at: str
    ) -> None:
        batch = unknown()
        answer = browser.post(url(batch, "not-written/"), {"looked_at": looked_at})
        assert answer.status_code == 422
        assert fresh(batch).needs_person

    def test_its_rows_count_as_not_written_and_can_be_sent_again(
        self, unknown: Any, browser: Browser
    ) -> None:
        batch = unknown("reset_before", csv=CSV)
        browser.post(url(batch, "not-written/"), {"looked_at": "Nothing there."})
        work_off()
        totals = Write.objects.get(pk=batch.write_id).rows_totals
        assert totals
        assert (totals.failed, totals.unknown, totals.rows) == (3, 0, 3)

    def test_a_late_answer_counts_for_more(
        self, unknown: Any, browser: Browser
    ) -> None:
        batch = unknown()
        browser.post(url(batch, "not-written/"), {"looked_at": "Nothing there."})
        answering._store_result(fresh(batch), result(record_id="003A"))
        found = fresh(batch)
        assert (found.state, found.record_id) == (State.SUCCEEDED, "003A")
        assert (found.rows_succeeded, found.rows_failed) == (1, 0)

    def test_a_file_that_is_accepted_late_is_watched_as_if_nothing_was_said(
        self, unknown: Any, browser: Browser, sandbox: Sandbox
    ) -> None:
        batch = unknown("timeout_after", csv=CSV)
        remote_id = begun(sandbox)
        browser.post(url(batch, "not-written/"), {"looked_at": "Nothing there."})
        work_off()
        answering._store_result(fresh(batch), result(operation_id=remote_id))
        accepted = fresh(batch)
        assert accepted.state == State.IN_PROGRESS
        assert (accepted.rows_failed, accepted.ended_at) == (None, None)
        work_off()
        assert fresh(batch).state == State.SUCCEEDED
        totals = Write.objects.get(pk=batch.write_id).rows_totals
        assert totals
        assert (totals.succeeded, totals.failed) == (3, 0)

    def test_no_answer_counts_for_less(self, unknown: Any, browser: Browser) -> None:
        batch = unknown()
        browser.post(url(batch, "not-written/"), {"looked_at": "Nothing there."})
        answering._store_answer(fresh(batch), state=State.UNKNOWN, reason="No answer.")
        assert fresh(batch).state == State.NOT_WRITTEN


LOOKED = {"looked": "on", "repeat_reason": "Not there, looked by e-mail."}


class TestSendAgain:
    def test_a_create_needs_a_look_and_a_reason(
        self, unknown: Any, browser: Browser, sandbox: Sandbox
    ) -> None:
        batch = unknown("reset_before")
        for filled in ({}, {"looked": "on"}, {"repeat_reason": "Because."}):
            answer = browser.post(url(batch, "send-again/"), filled)
            assert answer.status_code == 422
            check_page(answer)
            assert filled.get("repeat_reason", "") in answer.text
        assert fresh(batch).needs_person
        assert Operation.objects.count() == 1

    @pytest.mark.parametrize(
        ("values", "filled"),
        [
            ({}, LOOKED),
            ({"action": "update"}, {}),
            ({"csv": CSV}, {}),
            ({"url": "https://example.com/x", "primary_key": "id"}, LOOKED),
        ],
    )
    @pytest.mark.parametrize("fault", SINGLE_FAULTS)
    def test_the_very_same_goes_out_in_a_new_write(
        self,
        unknown: Any,
        browser: Browser,
        sandbox: Sandbox,
        fault: str,
        values: dict[str, Any],
        filled: dict[str, str],
    ) -> None:
        batch = unknown(fault, **values)
        answer = browser.post(url(batch, "send-again/"), filled)
        again = Operation.objects.latest("pk")
        assert answer["Location"] == again.get_absolute_url()
        assert again.pk != batch.operation_id
        write = again.batch.write
        assert (write.parent, write.relation) == (batch.write, "again")
        assert write.resends_id == batch.operation_id
        first = fresh(batch)
        assert (first.state, first.needs_person) == (State.UNKNOWN, False)
        assert f"olga sent it again as operation #{again.pk}." in first.resolution
        assert audited("operation.sent_again").detail["again"] == again.pk
        work_off()
        one, two = received(sandbox)[-2:]
        assert one["bodySha256"] == two["bodySha256"]
        assert one["path"] == two["path"]
        page = browser.get(f"/operations/{first.pk}/").text
        assert f"sent it again as operation #{again.pk}" in page

    def test_twice_sends_once(
        self, unknown: Any, browser: Browser, sandbox: Sandbox
    ) -> None:
        batch = unknown()
        browser.post(url(batch, "send-again/"), LOOKED)
        answer = browser.post(url(batch, "send-again/"), LOOKED, follow=True)
        assert "was decided about meanwhile" in answer.text
        work_off()
        assert len(received(sandbox)) == 2
        assert Write.objects.exclude(state="discarded").count() == 2

    def test_of_two_at_once_one_sends(
        self,
        unknown: Any,
        browser: Browser,
        sandbox: Sandbox,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        batch = unknown(csv=CSV)
        need_same = resending._need_same

        def in_between(draft: Write, of: Batch) -> None:
            monkeypatch.setattr(resending, "_need_same", need_same)
            browser.post(url(batch, "send-again/"))
            need_same(draft, of)

        monkeypatch.setattr(resending, "_need_same", in_between)
        answer = browser.post(url(batch, "send-again/"), follow=True)
        assert "was decided about meanwhile" in answer.text
        work_off()
        assert len(received(sandbox)) == 2
        assert states_of_writes() == ["confirmed", "confirmed", "discarded"]

    def test_an_answer_that_comes_meanwhile_wins(
        self,
        unknown: Any,
        browser: Browser,
        sandbox: Sandbox,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        batch = unknown()
        need_same = resending._need_same

        def in_between(draft: Write, of: Batch) -> None:
            fresh(batch).change(only_from=("unknown",), state=State.SUCCEEDED)
            need_same(draft, of)

        monkeypatch.setattr(resending, "_need_same", in_between)
        answer = browser.post(url(batch, "send-again/"), LOOKED, follow=True)
        assert "Nothing was sent" in answer.text
        assert "Succeeded." in answer.text
        work_off()
        assert len(received(sandbox)) == 1

    def test_production_needs_the_projects_name(
        self, unknown: Any, browser: Browser, project: Project
    ) -> None:
        batch = unknown(csv=CSV)
        Project.objects.filter(pk=project.pk).update(environment="production")
        for name in ("", "demo 2"):
            answer = browser.post(url(batch, "send-again/"), {"name": name})
            assert answer.status_code == 422
        answer = browser.post(url(batch, "send-again/"), {"name": "Demo"})
        assert answer.status_code == 302
        assert not fresh(batch).needs_person

    def test_where_every_write_needs_a_reason_this_one_does(
        self, unknown: Any, browser: Browser
    ) -> None:
        batch = unknown(csv=CSV)
        EnvironmentControl.objects.update_or_create(
            environment="sandbox", defaults={"needs_reason": True}
        )
        assert browser.post(url(batch, "send-again/")).status_code == 422
        filled = {"reason": "CRM-12"}
        assert browser.post(url(batch, "send-again/"), filled).status_code == 302
        assert Write.objects.latest("pk").reason == "CRM-12"

    @pytest.mark.usefixtures("small_parts")
    def test_one_part_goes_alone_and_the_held_ones_stay(
        self, unknown: Any, browser: Browser, sandbox: Sandbox
    ) -> None:
        batch = unknown(csv=CSV)
        write = Write.objects.get(pk=batch.write_id)
        assert states(write) == ["unknown", "held"]
        browser.post(url(batch, "send-again/"))
        again = Operation.objects.latest("pk")
        assert again.rows_sent == batch.operation.rows_sent == 2
        assert again.batch.csv() == batch.csv()
        work_off()
        assert states(write) == ["unknown", "held"]
        batches = list(write.batches.select_related("operation"))
        assert turns.stopped_at(write, batches) == [batch]
        assert len(records(sandbox, "fault_timeout_after__c")) == 2

    def test_a_changed_connection_needs_a_review(
        self, unknown: Any, browser: Browser, sandbox: Sandbox, project: Project
    ) -> None:
        batch = unknown("reset_before")
        Project.objects.filter(pk=project.pk).update(
            write_url="http://other.invalid/v1"
        )
        answer = browser.post(url(batch, "send-again/"), LOOKED, follow=True)
        assert "the connection was changed since" in answer.text
        draft = Write.objects.latest("pk")
        assert draft.is_draft
        assert fresh(batch).needs_person
        # What is sent from its review decides about the first one all the same.
        said = {"repeats": batch.write_id, "repeat_reason": "Not there."}
        browser.post(f"/writes/{draft.pk}/send/", said)
        assert not fresh(batch).needs_person

    def test_a_draft_to_review_sends_nothing_once_somebody_decided(
        self, unknown: Any, browser: Browser, sandbox: Sandbox, project: Project
    ) -> None:
        batch = unknown("reset_before")
        Project.objects.filter(pk=project.pk).update(
            write_url="http://other.invalid/v1"
        )
        browser.post(url(batch, "send-again/"), LOOKED)
        draft = Write.objects.latest("pk")
        browser.post(url(batch, "written/"), {"record_id": "003A"})
        said = {"repeats": batch.write_id, "repeat_reason": "Not there."}
        answer = browser.post(f"/writes/{draft.pk}/send/", said)
        assert answer.status_code == 422
        assert "was decided about meanwhile" in answer.text
        assert draft.batches.count() == 0

    def test_a_file_that_is_gone_is_told(
        self, unknown: Any, browser: Browser, sandbox: Sandbox
    ) -> None:
        batch = unknown(csv=CSV)
        batch.write.path_of("as_sent").unlink()
        assert browser.get(url(batch)).status_code == 200
        answer = browser.post(url(batch, "send-again/"))
        assert answer.status_code == 422
        assert "The stored file is gone" in answer.text
        assert fresh(batch).needs_person
        assert len(received(sandbox)) == 1

    def test_without_a_key_nothing_is_sent_and_no_draft_is_left(
        self, unknown: Any, browser: Browser, project: Project
    ) -> None:
        batch = unknown(csv=CSV)
        project.api_keys.update(revoked_at=timezone.now())
        answer = browser.post(url(batch, "send-again/"))
        assert answer.status_code == 422
        assert "has no active API key" in answer.text
        assert fresh(batch).needs_person
        assert not Write.objects.drafts()

    def test_a_file_that_is_fetched_from_here_is_reviewed_first(
        self,
        unknown: Any,
        browser: Browser,
        settings: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        settings.PUBLIC_URL = "https://console.example.com"
        batch = unknown(csv=CSV)
        body = '{"groupRef": "demo-group-id", "recordsURL": null}'
        Batch.objects.filter(pk=batch.pk).update(body=body)
        monkeypatch.setattr(file_jobs, "SMALL", 10)
        answer = browser.post(url(batch, "send-again/"))
        draft = Write.objects.latest("pk")
        assert answer["Location"] == draft.get_absolute_url()
        assert draft.is_draft
        assert draft.jobs.get().state == "waiting"
        assert fresh(batch).needs_person


def states_of_writes() -> list[str]:
    return list(Write.objects.order_by("state").values_list("state", flat=True))


def test_the_page_of_the_operation_leads_here(unknown: Any, browser: Browser) -> None:
    batch = unknown()
    page = browser.get(f"/operations/{batch.operation_id}/").text
    assert url(batch) in page
    # The way past this page is closed while nobody has looked.
    assert not re.search(r"/writes/\d+/again/", page)
    assert url(batch) in browser.get("/").text
    assert url(batch) in browser.get("/operations/").text
