"""What needs the approval of another person, and how it is asked for."""

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from console.models import ApprovalRule, Integration
from operations.models import Operation
from sandbox.app import Sandbox
from tests.conftest import actor, browser_of, make_project
from tests.writes.approval.helpers import CSV, fresh, nothing_is_queued
from tests.writes.making import (
    check_draft,
    confirm,
    make_draft,
    press_send,
    states,
    work_off,
)
from tests.writes.pages import Page
from writes.actions import approve, derive, resend
from writes.actions.approve import NothingToDecide
from writes.actions.confirm import AlreadyDecided
from writes.actions.duplicates import RepeatFound
from writes.actions.need_approval import ApprovalNeeded, rows_of, rules_for
from writes.models import Approval, Batch, Write

ROOT = Path(__file__).resolve().parents[3]
State = Approval.State

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("rule", "write", "is_about"),
    [
        ({}, {}, True),
        ({"action": "delete"}, {"action": "upsert"}, False),
        ({"action": "upsert"}, {"action": "upsert"}, True),
        # An upsert creates or updates.
        ({"action": "create"}, {"action": "upsert"}, True),
        ({"action": "update"}, {"action": "by_id"}, True),
        ({"action": "upsert"}, {"action": "by_key"}, True),
        ({"action": "upsert"}, {"action": "create"}, False),
        ({"object_name": "contact"}, {}, True),
        ({"object_name": "contact"}, {"object_name": "Contact"}, True),
        ({"object_name": "lead"}, {}, False),
        ({"more_than": 2}, {"row_count": 3}, True),
        ({"more_than": 3}, {"row_count": 3}, False),
        # Nobody counted them.
        ({"more_than": 3}, {"row_count": None}, True),
        ({"more_than": 3}, {"row_count": 1, "source": "url"}, True),
        ({"environment": "production"}, {}, False),
        ({"action": "upsert", "more_than": 9}, {"row_count": 3}, False),
    ],
)
def test_a_rule_is_about_what_fits_all_that_it_says(
    integration: Integration,
    rule: dict[str, Any],
    write: dict[str, Any],
    is_about: bool,
) -> None:
    ApprovalRule.objects.create(**{"environment": "sandbox", **rule})
    values = {"source": "csv", "action": "upsert", "object_name": "contact"}
    values |= {"row_count": 3, **write}
    unsaved = Write(integration=integration, pk=0, **values)
    assert bool(rules_for(unsaved)) == is_about


def test_the_first_rows_on_trial_and_the_rest_count_together(
    draft: Write, olga: User
) -> None:
    ApprovalRule.objects.create(environment="sandbox", more_than=2)
    trial = derive.try_first(draft, actor(olga), 1)
    check_draft(trial)
    check_draft(draft)
    assert (trial.row_count, draft.row_count) == (1, 2)
    assert rows_of(trial) == rows_of(draft) == 3
    for write in (trial, draft):
        with pytest.raises(ApprovalNeeded):
            confirm(write, olga)


def test_what_a_rule_is_about_is_not_queued_by_itself(
    rule: ApprovalRule, draft: Write, olga: User, browser: Browser
) -> None:
    with pytest.raises(ApprovalNeeded):
        confirm(draft, olga)
    answer = press_send(browser, draft)
    assert answer.status_code == 422
    assert nothing_is_queued()
    assert draft.is_draft


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"action": "update", "record_id": "003xx0000000001AAA"},
        {"csv": CSV, "primary_key": "external_id__c"},
        {"csv": CSV, "primary_key": "external_id__c", "delivery": "parts"},
        {"url": "https://example.com/x.csv", "primary_key": "id"},
    ],
)
def test_no_kind_of_write_goes_without_and_each_goes_with(
    sandbox: Sandbox,
    integration: Integration,
    rule: ApprovalRule,
    olga: User,
    bert: User,
    values: dict[str, Any],
) -> None:
    write = make_draft(integration, olga, **values)
    with pytest.raises(ApprovalNeeded):
        confirm(write, olga)
    assert nothing_is_queued()
    operation = approve.approve(approve.ask(write, actor(olga)), actor(bert))
    assert operation.batch.write == write
    assert operation.state == Operation.State.WAITING


@pytest.mark.parametrize(
    ("values", "csv"),
    [
        ({"action": "create"}, b"LastName\nBerg\nTal\n"),
        ({"action": "delete", "primary_key": "Id"}, b"Id\n003xx0000000001AAA\n"),
    ],
)
def test_neither_does_a_run(
    sandbox: Sandbox, olga: User, bert: User, values: dict[str, str], csv: bytes
) -> None:
    project = make_project("Today", remote_id="demo-c", generation="C")
    ApprovalRule.objects.create(environment="sandbox", action=values["action"])
    write = make_draft(project.integrations.get(), olga, csv=csv, **values)
    assert write.is_run
    with pytest.raises(ApprovalNeeded):
        confirm(write, olga)
    approve.approve(approve.ask(write, actor(olga)), actor(bert))
    assert states(write) == ["waiting"]


def test_failed_rows_that_are_sent_again_need_approval_of_their_own(
    sandbox: Sandbox, integration: Integration, olga: User
) -> None:
    csv = CSV.replace(b"Name 2", b"")
    write = make_draft(integration, olga, csv=csv, primary_key="external_id__c")
    confirm(write, olga)
    work_off()
    write.refresh_from_db()
    ApprovalRule.objects.create(environment="sandbox")
    retry = derive.retry_failed(write, actor(olga))
    check_draft(retry)
    assert (retry.is_ready, retry.row_count) == (True, 1)
    with pytest.raises(ApprovalNeeded):
        confirm(retry, olga)


def sent_again(batch: Batch, olga: User) -> Write:
    """Send an unknown outcome again under a rule; return the draft that it becomes."""
    ApprovalRule.objects.create(environment="sandbox")
    with pytest.raises(resend.NeedsReview) as found:
        resend.send_again(batch, actor(olga), reason="Gone", repeat_reason="Gone")
    return found.value.draft


def test_sending_an_unknown_outcome_again_becomes_a_draft_to_ask_about(
    unknown: Callable[..., Any], olga: User, bert: User
) -> None:
    batch = unknown("timeout_after")
    again = sent_again(batch, olga)
    assert again.is_draft
    assert Operation.objects.count() == 1
    with pytest.raises(RepeatFound):
        approve.ask(again, actor(olga))
    said = {"repeat_reason": "Gone", "repeats": batch.write_id}
    asked = approve.ask(again, actor(olga), **said)
    approve.approve(asked, actor(bert))
    batch.operation.refresh_from_db()
    assert not batch.operation.needs_person
    again.refresh_from_db()
    assert again.repeats_id == batch.write_id


def test_who_asks_about_what_was_resolved_is_told_so(
    unknown: Callable[..., Any], olga: User, bert: User
) -> None:
    batch = unknown("timeout_after")
    again = sent_again(batch, olga)
    said = {"repeat_reason": "Gone", "repeats": batch.write_id}
    asked = approve.ask(again, actor(olga), **said)
    assert batch.operation.resolve("Found by mara.")
    with pytest.raises(NothingToDecide):
        approve.approve(asked, actor(bert))
    assert fresh(asked).state == State.VOID
    with pytest.raises(AlreadyDecided):
        approve.ask(Write.objects.get(pk=asked.write_id), actor(olga), **said)


def test_one_place_queues_and_three_lead_there() -> None:
    """Whoever adds a way to send has to come through the rule."""
    makes, calls = set(), set()
    for path in (*ROOT.glob("writes/**/*.py"), *ROOT.glob("operations/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            said = ast.unparse(node.func)
            name = str(path.relative_to(ROOT))
            if said in ("Batch.objects.create", "Batch.objects.bulk_create", "Batch"):
                makes.add(name)
            if said == "confirm" or "confirm" in map(ast.unparse, node.args):
                calls.add(name)
    assert makes == {"writes/actions/confirm.py"}
    assert calls == {
        "writes/views/review.py",
        "writes/actions/resend.py",
        "writes/actions/approve.py",
    }


def test_who_changes_a_draft_is_always_named() -> None:
    """Else somebody could approve what they changed."""
    for path in ROOT.glob("writes/**/*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(
                ".revise"
            ):
                names = {keyword.arg for keyword in node.keywords}
                assert "by" in names, (path, node.lineno)


def test_asking_twice_is_asking_once_and_other_words_take_the_first_back(
    asked: Approval, draft: Write, olga: User
) -> None:
    assert approve.ask(draft, actor(olga), reason="T-1") == asked
    other = approve.ask(draft, actor(olga), reason="T-2")
    assert other != asked
    assert fresh(asked).state == State.WITHDRAWN
    assert other.is_waiting


def test_what_was_sent_before_needs_its_reason_when_it_is_asked(
    rule: ApprovalRule, draft: Write, olga: User, bert: User
) -> None:
    approve.approve(approve.ask(draft, actor(olga)), actor(bert))
    twin = make_draft(draft.integration, olga, csv=CSV, primary_key="external_id__c")
    with pytest.raises(RepeatFound):
        approve.ask(twin, actor(olga))
    said = {"repeat_reason": "Restored", "repeats": draft.pk}
    approve.approve(approve.ask(twin, actor(olga), **said), actor(bert))
    twin.refresh_from_db()
    assert (twin.repeats, twin.repeat_reason) == (draft, "Restored")


def test_the_review_asks_for_approval_in_the_place_of_sending(
    rule: ApprovalRule, draft: Write, bert: User, browser: Browser
) -> None:
    page = browser.get(f"/writes/{draft.pk}/")
    assert {"needs-approval", "approvers"} <= Page(page).ids
    assert "bert" in page.text
    form = {"reviewed": page.context["reviewed"], "reason": "T-1"}
    answer = browser.post(f"/writes/{draft.pk}/ask-approval/", form)
    assert answer.status_code == 302
    assert Approval.objects.get().reason == "T-1"
    page = browser.get(f"/writes/{draft.pk}/")
    assert "waits-for-approval" in Page(page).ids
    assert "confirm" not in Page(page).ids
    assert browser.post(f"/writes/{draft.pk}/withdraw/").status_code == 302
    assert Approval.objects.get().state == State.WITHDRAWN


def test_asking_needs_what_sending_needs(
    rule: ApprovalRule, draft: Write, browser: Browser
) -> None:
    url = f"/writes/{draft.pk}/ask-approval/"
    assert browser.post(url).status_code == 422
    assert browser.post(url, {"reviewed": "another"}).status_code == 422
    assert not Approval.objects.exists()


def test_without_a_rule_nobody_can_ask(draft: Write, browser: Browser) -> None:
    page = browser.get(f"/writes/{draft.pk}/")
    assert "needs-approval" not in Page(page).ids
    form = {"reviewed": page.context["reviewed"]}
    answer = browser.post(f"/writes/{draft.pk}/ask-approval/", form)
    assert answer.status_code == 422
    assert not Approval.objects.exists()
    assert nothing_is_queued()


def test_who_asks_about_what_was_approved_meanwhile_is_led_to_it(
    rule: ApprovalRule, draft: Write, bert: User, browser: Browser
) -> None:
    page = browser.get(f"/writes/{draft.pk}/")
    form = {"reviewed": page.context["reviewed"], "reason": "T-1"}
    url = f"/writes/{draft.pk}/ask-approval/"
    browser.post(url, form)
    operation = approve.approve(Approval.objects.get(), actor(bert))
    # From another tab, where the review is open still.
    answer = browser.post(url, form, follow=True)
    assert answer.redirect_chain == [(operation.get_absolute_url(), 302)]
    assert "Nothing was sent" not in answer.text
    assert Approval.objects.count() == 1


def test_a_run_whose_file_is_gone_is_told_so_and_not_sent(
    sandbox: Sandbox, rule: ApprovalRule, olga: User, bert: User, browser: Browser
) -> None:
    project = make_project("Today", remote_id="demo-c", generation="C")
    integration = project.integrations.get()
    write = make_draft(integration, olga, csv=b"LastName\nBerg\n", action="create")
    form = {"reviewed": browser.get(f"/writes/{write.pk}/").context["reviewed"]}
    asked = approve.ask(write, actor(olga))
    write.path_of("as_sent").unlink()
    his, url = browser_of(bert), asked.get_absolute_url()
    answers = [
        (browser.get(f"/writes/{write.pk}/"), 200),
        (browser.post(f"/writes/{write.pk}/ask-approval/", form), 422),
        (browser.post(f"/writes/{write.pk}/send/", form), 422),
        (his.get(url), 200),
        (his.post(f"{url}approve/"), 422),
    ]
    for answer, status in answers:
        assert answer.status_code == status
        assert "problem" in Page(answer).ids
    assert nothing_is_queued()
