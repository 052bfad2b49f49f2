"""Sending once more what nobody knows the outcome of."""

from typing import Any

import pytest
from django.test import Client as Browser

from console.models import EnvironmentControl, Project
from operations.models import Operation
from sandbox.app import Sandbox
from tests.answers import Shown, levels
from tests.conftest import move_projects
from tests.test_crawl import check_page
from tests.texts import numbers, words
from tests.writes.making import (
    press_send,
    received,
    records,
    states,
    work_off,
)
from tests.writes.unknown_outcomes import (
    CSV,
    SINGLE_FAULTS,
    audited,
    fresh,
    just_before,
    url,
)
from writes.actions import begin_job, resend
from writes.models import Batch, Write
from writes.models.batch import stopped_at

State = Operation.State

pytestmark = pytest.mark.django_db


LOOKED = {"looked": "on", "reason": "Not there, looked by e-mail."}


class TestSendAgain:
    def test_a_create_needs_a_look_and_a_reason(
        self, unknown: Any, browser: Browser, sandbox: Sandbox
    ) -> None:
        batch = unknown("reset_before")
        for filled in ({}, {"looked": "on"}, {"reason": "Because."}):
            answer = browser.post(url(batch, "send-again/"), filled)
            assert answer.status_code == 422
            check_page(answer)
            assert filled.get("reason", "") in answer.text
        assert fresh(batch).needs_person
        assert Operation.objects.count() == 1

    @pytest.mark.parametrize(
        ("fault", "values", "filled"),
        [
            *((fault, {}, LOOKED) for fault in SINGLE_FAULTS),
            ("timeout_after", {"action": "update"}, {}),
            ("timeout_after", {"csv": CSV}, {}),
            (
                "timeout_after",
                {"url": "https://a.example/x", "primary_key": "id"},
                LOOKED,
            ),
        ],
    )
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
        assert "olga" in words(first.resolution)
        assert numbers(first.resolution)[0] == again.pk
        assert audited("operation.sent_again").detail["again"] == again.pk
        work_off()
        one, two = received(sandbox)[-2:]
        assert one["bodySha256"] == two["bodySha256"]
        assert one["path"] == two["path"]
        page = browser.get(f"/operations/{first.pk}/").text
        assert first.resolution in page

    def test_twice_sends_once(
        self, unknown: Any, browser: Browser, sandbox: Sandbox
    ) -> None:
        batch = unknown()
        browser.post(url(batch, "send-again/"), LOOKED)
        answer = browser.post(url(batch, "send-again/"), LOOKED, follow=True)
        assert levels(answer)[-1] == "warning"
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

        def another_sends_it() -> None:
            browser.post(url(batch, "send-again/"))

        just_before(monkeypatch, resend, "_need_same", another_sends_it)
        answer = browser.post(url(batch, "send-again/"), follow=True)
        assert levels(answer)[-1] == "warning"
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

        def an_answer_comes() -> None:
            fresh(batch).change(only_from=("unknown",), state=State.SUCCEEDED)

        just_before(monkeypatch, resend, "_need_same", an_answer_comes)
        answer = browser.post(url(batch, "send-again/"), LOOKED, follow=True)
        assert levels(answer) == ["warning"]
        assert "state-succeeded" in answer.text
        work_off()
        assert len(received(sandbox)) == 1

    def test_production_needs_the_projects_name(
        self, unknown: Any, browser: Browser, project: Project
    ) -> None:
        batch = unknown(csv=CSV)
        move_projects(environment="production")
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
        assert stopped_at(write, batches) == [batch]
        assert len(records(sandbox, "fault_timeout_after__c")) == 2

    def test_a_changed_connection_needs_a_review(
        self, unknown: Any, browser: Browser, sandbox: Sandbox, project: Project
    ) -> None:
        batch = unknown("reset_before")
        move_projects(write_url="https://other.invalid/v1")
        answer = browser.post(url(batch, "send-again/"), LOOKED, follow=True)
        assert levels(answer) == ["warning"]
        draft = Write.objects.latest("pk")
        assert draft.is_draft
        assert fresh(batch).needs_person
        # What is sent from its review decides about the first one all the same.
        said = {"repeats": batch.write_id, "reason": "Not there."}
        press_send(browser, draft, said)
        assert not fresh(batch).needs_person

    def test_a_draft_to_review_sends_nothing_once_somebody_decided(
        self, unknown: Any, browser: Browser, sandbox: Sandbox, project: Project
    ) -> None:
        batch = unknown("reset_before")
        move_projects(write_url="https://other.invalid/v1")
        browser.post(url(batch, "send-again/"), LOOKED)
        draft = Write.objects.latest("pk")
        browser.post(url(batch, "written/"), {"record_id": "003A"})
        said = {"repeats": batch.write_id, "reason": "Not there."}
        answer = press_send(browser, draft, said)
        assert answer.status_code == 422
        assert "problem" in Shown(answer).ids
        assert draft.batches.count() == 0

    def test_a_file_that_is_gone_is_told(
        self, unknown: Any, browser: Browser, sandbox: Sandbox
    ) -> None:
        batch = unknown(csv=CSV)
        batch.write.path_of("as_sent").unlink()
        assert browser.get(url(batch)).status_code == 200
        answer = browser.post(url(batch, "send-again/"))
        assert answer.status_code == 422
        assert "form-errors" in Shown(answer).data
        assert fresh(batch).needs_person
        assert len(received(sandbox)) == 1

    def test_without_a_key_nothing_is_sent_and_no_draft_is_left(
        self, unknown: Any, browser: Browser, project: Project
    ) -> None:
        batch = unknown(csv=CSV)
        project.api_keys.get().revoke()
        answer = browser.post(url(batch, "send-again/"))
        assert answer.status_code == 422
        assert "form-errors" in Shown(answer).data
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
        monkeypatch.setattr(begin_job, "SMALL", 10)
        answer = browser.post(url(batch, "send-again/"))
        draft = Write.objects.latest("pk")
        assert answer["Location"] == draft.get_absolute_url()
        assert draft.is_draft
        assert draft.jobs.get().state == "waiting"
        assert fresh(batch).needs_person


def states_of_writes() -> list[str]:
    return list(Write.objects.order_by("state").values_list("state", flat=True))
