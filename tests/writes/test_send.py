"""What is asked before a draft is sent: reasons, the project's name, why once more."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import Q
from django.test import Client as Browser

from console.access.roles import Role
from console.models import AuditEvent, EnvironmentControl, Integration, Project
from operations.display.sentence import again_risk
from operations.models import Operation
from tests.answers import codes
from tests.conftest import make_user, move_projects
from tests.test_crawl import check_page
from tests.writes.making import confirm, make_draft, press_send
from tests.writes.pages import Page
from writes.models import Write

CSV = b"external_id__c,LastName\nk-1,Berg\nk-2,Tal\n"
LONG = "x" * 201

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(integration: Integration, olga: User) -> Write:
    """A draft of Olga's."""
    return make_draft(integration, olga)


@pytest.fixture
def live(project: Project) -> Project:
    """The project, in production."""
    Project.objects.update(name="Live customers EMEA")
    move_projects(environment="production")
    project.refresh_from_db()
    return project


def needs_reason(environment: str) -> None:
    EnvironmentControl.objects.of(environment).change(
        Q(needs_reason=False), needs_reason=True
    )


def errors(answer: Any) -> dict[str, list[str]]:
    """Return what the page says at its fields."""
    found: dict[str, list[str]] = answer.context["form"].errors
    return found


class TestReason:
    def test_it_is_kept_with_the_write_the_operation_and_the_audit_event(
        self, draft: Write, browser: Browser
    ) -> None:
        answer = press_send(browser, draft, {"reason": " CASE-1207 "})
        operation = Operation.objects.get()
        assert answer["Location"] == operation.get_absolute_url()
        draft.refresh_from_db()
        assert draft.reason == operation.purpose == "CASE-1207"
        event = AuditEvent.objects.get(action="write.confirmed")
        assert event.detail["reason"] == "CASE-1207"

    def test_it_is_shown_with_the_operation_and_found_in_the_list(
        self, draft: Write, browser: Browser
    ) -> None:
        press_send(browser, draft, {"reason": "<b>CASE-1207</b>"})
        operation = Operation.objects.get()
        shown = browser.get(operation.get_absolute_url()).content.decode()
        assert "&lt;b&gt;CASE-1207&lt;/b&gt;" in shown
        assert "<b>CASE-1207" not in shown
        found = browser.get("/operations/?text=case-1207").context["operations"]
        assert found == [operation]
        assert browser.get("/operations/?text=case-9").context["operations"] == []

    def test_every_part_of_a_file_has_it_and_its_page_shows_it(
        self, integration: Integration, olga: User, browser: Browser, small_parts: int
    ) -> None:
        draft = make_draft(
            integration, olga, csv=CSV * 3, primary_key="LastName", faulty=True
        )
        draft = make_draft(
            integration,
            olga,
            csv=b"external_id__c,LastName\n"
            + b"".join(b"k-%d,Tal\n" % n for n in range(9)),
            primary_key="external_id__c",
        )
        reason = "Migration 7"
        answer = press_send(browser, draft, {"reason": reason})
        assert answer["Location"] == draft.get_absolute_url()
        purposes = set(Operation.objects.values_list("purpose", flat=True))
        assert purposes == {reason}
        assert reason in browser.get(draft.get_absolute_url()).content.decode()

    def test_it_may_be_left_out_where_nobody_asks_for_it(
        self, draft: Write, browser: Browser
    ) -> None:
        needs_reason("production")
        press_send(browser, draft, {"reason": ""})
        assert Operation.objects.get().purpose == ""

    def test_it_is_required_where_the_environment_says_so(
        self, draft: Write, browser: Browser
    ) -> None:
        needs_reason("sandbox")
        answer = press_send(browser, draft, {"reason": "  "})
        assert answer.status_code == 422
        assert codes(answer.context["form"]) == {"reason": ["required"]}
        assert "Sandbox" in errors(answer)["reason"][0]
        assert 'role="alert"' in answer.content.decode()
        check_page(answer)
        assert not Operation.objects.exists()
        press_send(browser, draft, {"reason": "CASE-1"})
        assert Operation.objects.get().purpose == "CASE-1"

    def test_one_that_is_too_long_is_refused_at_the_field_and_not_lost(
        self, draft: Write, browser: Browser
    ) -> None:
        answer = press_send(browser, draft, {"reason": LONG})
        assert answer.status_code == 422
        assert "reason" in errors(answer)
        assert Page(answer).submits["reason"] == [LONG]
        assert not Operation.objects.exists()


class TestProduction:
    @pytest.mark.parametrize(
        "typed",
        ["Live customers EMEA", "  live CUSTOMERS emea ", "LIVE CUSTOMERS EMEA"],
    )
    def test_the_name_of_the_project_is_typed(
        self, typed: str, live: Project, draft: Write, browser: Browser
    ) -> None:
        press_send(browser, draft, {"name": typed})
        assert Operation.objects.count() == 1

    @pytest.mark.parametrize(
        "typed", ["", "yes", "Live customers", "Live customers EME"]
    )
    def test_anything_else_sends_nothing_and_loses_nothing(
        self, typed: str, live: Project, draft: Write, browser: Browser
    ) -> None:
        values = {"name": typed, "reason": "CASE-1207"}
        answer = press_send(browser, draft, values)
        assert answer.status_code == 422
        code = "other-name" if typed else "required"
        assert codes(answer.context["form"]) == {"name": [code]}
        assert live.name in errors(answer)["name"][0]
        page = Page(answer)
        assert page.submits["reason"] == ["CASE-1207"]
        assert page.submits["name"] == [typed]
        check_page(answer)
        draft.refresh_from_db()
        assert draft.is_draft
        assert not Operation.objects.exists()

    @pytest.mark.parametrize("environment", ["sandbox", "test"])
    def test_nobody_types_it_elsewhere(
        self, environment: str, draft: Write, browser: Browser
    ) -> None:
        move_projects(environment=environment)
        page = Page(browser.get(f"/writes/{draft.pk}/"))
        assert "name" not in page.submits
        press_send(browser, draft)
        assert Operation.objects.count() == 1

    def test_a_second_click_finds_the_operation_whatever_it_says(
        self, live: Project, draft: Write, browser: Browser
    ) -> None:
        press_send(browser, draft, {"name": live.name})
        answer = press_send(browser, draft, {"name": "typo"})
        assert answer["Location"] == Operation.objects.get().get_absolute_url()


class TestRepeat:
    @pytest.fixture
    def earlier(self, integration: Integration) -> Write:
        """What Tim sent before, with the content of Olga's draft."""
        tim = make_user("tim", Role.OPERATOR)
        write = make_draft(integration, tim)
        confirm(write, tim, reason="CASE-7")
        return write

    def test_the_page_says_who_sent_it_when_and_what_became_of_it(
        self, earlier: Write, draft: Write, browser: Browser
    ) -> None:
        answer = press_send(browser, draft, {"reason": "CASE-8"})
        assert answer.status_code == 409
        check_page(answer)
        content = answer.content.decode()
        for words in (
            f'href="{earlier.get_absolute_url()}"',
            "tim",
            earlier.count_label,
            "CASE-7",
            "state-waiting",
        ):
            assert words in content
        page = Page(answer)
        assert {"earlier-heading", "again-heading"} <= page.ids
        assert page.submits["reason"] == ["CASE-8"]
        assert page.submits["repeats"] == [str(earlier.pk)]
        assert "repeat_reason" not in page.submits
        draft.refresh_from_db()
        assert draft.is_draft
        assert Operation.objects.count() == 1

    def test_the_review_says_so_before_anybody_presses_send(
        self, earlier: Write, draft: Write, browser: Browser
    ) -> None:
        answer = browser.get(f"/writes/{draft.pk}/")
        assert "sent-before" in Page(answer).ids
        assert f'href="{earlier.get_absolute_url()}"' in answer.text
        earlier.batches.get().operation.cancel(by="tim")
        assert "sent-before" not in Page(browser.get(f"/writes/{draft.pk}/")).ids

    def test_the_review_asks_why_once_and_nothing_stops_it_then(
        self, earlier: Write, draft: Write, browser: Browser
    ) -> None:
        answer = browser.get(f"/writes/{draft.pk}/")
        assert answer.context["form"].fields["reason"].required
        form = {**Page(answer).form(), "reason": "They deleted it"}
        answer = press_send(browser, draft, form)
        draft.refresh_from_db()
        operation = draft.batches.get().operation
        assert answer["Location"] == operation.get_absolute_url()
        assert (draft.repeats, draft.repeat_reason) == (earlier, "They deleted it")
        assert operation.purpose == draft.reason == "They deleted it"
        page = browser.get(answer["Location"]).text
        assert f'href="{earlier.get_absolute_url()}"' in page

    def test_an_earlier_one_that_nobody_could_see_in_time_stops_it(
        self, draft: Write, browser: Browser, integration: Integration, olga: User
    ) -> None:
        form = {**Page(browser.get(f"/writes/{draft.pk}/")).form(), "reason": "CASE-8"}
        confirm(make_draft(integration, olga), olga)
        answer = press_send(browser, draft, form)
        assert answer.status_code == 409
        assert Page(answer).submits["reason"] == ["CASE-8"]
        assert Operation.objects.count() == 1

    @pytest.mark.parametrize("source", ["csv", "url"])
    def test_only_of_rows_that_nobody_looked_at_a_key_may_be_missing(
        self, source: str, integration: Integration, olga: User, browser: Browser
    ) -> None:
        key = {"primary_key": "external_id__c"}
        content: Any = {"csv": CSV} if source == "csv" else {"url": "https://e.com/x"}
        first, second = (
            make_draft(integration, olga, **content, **key) for _ in range(2)
        )
        operation = confirm(first, olga)
        page = press_send(browser, second)
        for text in (page.text, again_risk(operation)):
            assert ("without a key" in text) == (source == "url")

    def test_going_on_takes_a_reason(
        self, earlier: Write, draft: Write, browser: Browser
    ) -> None:
        answer = press_send(browser, draft, {"reason": "CASE-8"})
        form = {**Page(answer).form(), "reason": ""}
        answer = press_send(browser, draft, form)
        assert answer.status_code == 422
        assert codes(answer.context["form"]) == {"reason": ["required"]}
        assert "earlier-heading" in Page(answer).ids
        check_page(answer)
        why = "They deleted it"
        form = {**Page(answer).form(), "reason": why}
        answer = press_send(browser, draft, form)
        draft.refresh_from_db()
        assert answer["Location"] == draft.batches.get().operation.get_absolute_url()
        assert draft.reason == why
        assert (draft.repeats, draft.repeat_reason) == (earlier, why)
        shown = browser.get(answer["Location"]).content.decode()
        assert why in shown
        assert f'href="{earlier.get_absolute_url()}"' in shown

    def test_what_somebody_else_sent_meanwhile_stops_once_more(
        self, earlier: Write, draft: Write, browser: Browser, integration: Integration
    ) -> None:
        form = Page(press_send(browser, draft)).form()
        una = make_user("una", Role.OPERATOR)
        between = make_draft(integration, una)
        why = "They deleted it"
        confirm(between, una, repeat_reason=why)
        form["reason"] = [why]
        answer = press_send(browser, draft, form)
        assert answer.status_code == 409
        page = Page(answer)
        assert page.submits["repeats"] == [str(between.pk)]
        assert page.submits["reason"] == [why]
        assert "una" in answer.content.decode()
        answer = press_send(browser, draft, page.form())
        assert answer.status_code == 302

    def test_in_production_the_name_stays_typed(
        self, live: Project, earlier: Write, draft: Write, browser: Browser
    ) -> None:
        answer = press_send(browser, draft, {"name": live.name})
        assert answer.status_code == 409
        form = {**Page(answer).form(), "reason": "Lost"}
        assert form["name"] == [live.name]
        assert press_send(browser, draft, form).status_code == 302

    def test_if_the_earlier_one_came_to_nothing_meanwhile_it_is_no_repeat(
        self, earlier: Write, draft: Write, browser: Browser
    ) -> None:
        form = Page(press_send(browser, draft)).form()
        earlier.batches.get().operation.cancel(by="tim")
        answer = press_send(browser, draft, form)
        assert answer.status_code == 422
        assert "earlier-heading" not in Page(answer).ids
        assert "sent-before" not in Page(answer).ids
        assert press_send(browser, draft).status_code == 302
        draft.refresh_from_db()
        assert draft.repeats is None

    def test_a_file_that_went_in_parts_is_told_by_all_of_them(
        self,
        integration: Integration,
        olga: User,
        browser: Browser,
        small_parts: int,
    ) -> None:
        rows = b"".join(b"k-%d,Tal\n" % n for n in range(9))
        text = {"csv": b"external_id__c,LastName\n" + rows}
        drafts = [
            make_draft(integration, olga, **text, primary_key="external_id__c")
            for _ in range(2)
        ]
        confirm(drafts[0], olga)
        answer = press_send(browser, drafts[1])
        assert answer.status_code == 409
        progress = answer.context["progress"]
        assert (progress.ended, progress.parts) == (0, drafts[0].batches.count())
        assert progress.parts > 1
        for words in (drafts[0].count_label, "contacts.csv", "olga"):
            assert words in answer.text

    @pytest.mark.parametrize("repeats", ["", "0", "-1", "x", "9" * 30, "1"])
    def test_a_made_up_earlier_one_does_not_get_past(
        self, repeats: str, earlier: Write, draft: Write, browser: Browser
    ) -> None:
        EnvironmentControl.objects.all().delete()
        form = {
            "repeats": repeats if repeats != "1" else str(draft.pk),
            "reason": "x",
        }
        answer = press_send(browser, draft, form)
        assert answer.status_code in (409, 422)
        assert Operation.objects.count() == 1


def test_an_admin_confirms_for_somebody_else_and_is_named_on_the_stop_page(
    integration: Integration,
    olga: User,
    sign_in: Callable[..., Browser],
    browser: Browser,
) -> None:
    ada = sign_in(Role.ADMIN, "ada")
    first, second = make_draft(integration, olga), make_draft(integration, olga)
    press_send(ada, first)
    answer = press_send(browser, second)
    assert "<dd>ada</dd>" in answer.content.decode()
