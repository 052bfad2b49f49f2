"""What a person finds out about a write whose outcome nobody knows."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone
from django.utils.html import escape

from console.access.roles import Role
from console.models import Project
from operations.display.sentence import again_risk
from operations.models import Operation
from sandbox.app import Sandbox
from tests.answers import Shown
from tests.conftest import stored_operation
from tests.test_crawl import check_page
from tests.texts import words
from tests.writes.making import (
    received,
    work_off,
)
from tests.writes.unknown_outcomes import (
    CSV,
    SINGLE_FAULTS,
    audited,
    begun,
    fresh,
    result,
    url,
)
from writes.models import Write
from writes.worker import record_answer

State = Operation.State

pytestmark = pytest.mark.django_db


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
        assert answer.context["risk"] == again_risk(batch.operation)
        assert escape(answer.context["risk"]) in answer.text
        assert "link-heading" not in Shown(answer).ids

    @pytest.mark.parametrize("fault", SINGLE_FAULTS)
    def test_tells_where_to_look_for_the_rows_of_a_file(
        self, unknown: Any, browser: Browser, fault: str
    ) -> None:
        batch = unknown(fault, csv=CSV)
        answer = browser.get(url(batch))
        check_page(answer)
        soql = f"FROM fault_{fault}__c WHERE external_id__c IN (&#x27;k-1&#x27;, "
        assert soql in answer.text
        assert not answer.context["could_duplicate"]
        assert "external_id__c" in answer.context["risk"]
        assert answer.context["risk"] != again_risk(batch.operation)
        assert escape(answer.context["risk"]) in answer.text
        assert "written-heading" not in Shown(answer).ids

    def test_an_address_may_hold_rows_without_a_key(
        self, unknown: Any, browser: Browser
    ) -> None:
        batch = unknown(url="https://example.com/x.csv", primary_key="external_id__c")
        answer = browser.get(url(batch))
        check_page(answer)
        assert answer.context["could_duplicate"]
        assert escape(answer.context["risk"]) in answer.text
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
            filled |= {"looked": "on", "reason": "x"}
            for action in self.ACTIONS:
                answer = browser.post(url(batch, action), filled, follow=True)
                assert answer.status_code == 200
                assert fresh(batch).state == State.REJECTED
            assert len(received(sandbox)) == before


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
        assert {"olga", "003A"} <= set(words(found.reason))
        assert found.resolved_at
        detail = audited("operation.found_written").detail
        assert detail == {"operation": found.pk, "record_id": "003A"}
        assert len(received(sandbox)) == 1
        assert found.reason in browser.get(f"/operations/{found.pk}/").text

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
        looked_at = "No such contact."
        filled = {"looked_at": looked_at}
        assert browser.post(url(batch, "not-written/"), filled).status_code == 302
        found = fresh(batch)
        assert found.state == State.NOT_WRITTEN
        assert (found.rows_succeeded, found.rows_failed) == (0, 1)
        assert found.rows_unknown == 0
        detail = audited("operation.found_not_written").detail
        assert detail == {"operation": found.pk, "looked_at": looked_at}
        assert "olga" in words(found.reason)
        assert looked_at in found.reason
        page = browser.get(f"/operations/{found.pk}/").text
        assert "state-not_written" in page
        assert found.reason in page
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
        record_answer._store_result(fresh(batch), result(record_id="003A"))
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
        record_answer._store_result(fresh(batch), result(operation_id=remote_id))
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
        record_answer._store_answer(
            fresh(batch), state=State.UNKNOWN, reason="No answer."
        )
        assert fresh(batch).state == State.NOT_WRITTEN


def test_the_page_of_the_operation_leads_here(unknown: Any, browser: Browser) -> None:
    batch = unknown()
    page = browser.get(f"/operations/{batch.operation_id}/").text
    assert url(batch) in page
    # The way past this page is closed while nobody has looked.
    assert not re.search(r"/writes/\d+/again/", page)
    assert url(batch) in browser.get("/").text
    assert url(batch) in browser.get("/operations/").text
