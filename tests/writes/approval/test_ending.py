"""What makes an approval void, and what happens while it waits."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import F

from console import freeze
from console.access.roles import Role
from console.health import pulse
from console.models import ApprovalRule, EnvironmentControl, Grant, Integration, Pulse
from console.runtime import db_clock
from files.mending.recipes import Recipe
from operations.display.timeline import timeline as operation_timeline
from operations.models import Operation
from sandbox.app import Sandbox
from tests.conftest import actor, browser_of, make_user
from tests.writes.approval.helpers import CSV, actions, edit, fresh, nothing_is_queued
from tests.writes.making import confirm, make_draft, received, states, work_off
from writes import dispatch
from writes.actions import approve, begin_job, derive, retention
from writes.actions.approve import MayNotDecide, NothingToDecide
from writes.actions.hold_restored import hold_restored
from writes.display.timeline import timeline
from writes.models import Approval, Write
from writes.models.approval import EXPIRES_AFTER
from writes.recipe import recipe_as_json

State = Approval.State

pytestmark = pytest.mark.django_db


def deliver(draft: Write, by: User) -> None:
    assert draft.revise(by=actor(by), delivery="parts")


def exclude(draft: Write, by: User) -> None:
    recipe = Recipe(only_first=2)
    assert draft.revise(by=actor(by), recipe_json=recipe_as_json(recipe))


def try_first(draft: Write, by: User) -> None:
    derive.try_first(draft, actor(by), 1)


@pytest.mark.parametrize("change", [edit, deliver, exclude, try_first])
def test_any_change_of_the_draft_makes_it_void(
    change: Callable[[Write, User], None],
    asked: Approval,
    draft: Write,
    olga: User,
    bert: User,
) -> None:
    draft.refresh_from_db()
    change(draft, olga)
    assert fresh(asked).state == State.VOID
    assert "approval.void" in actions("approval")
    with pytest.raises(NothingToDecide):
        approve.approve(asked, actor(bert))
    assert nothing_is_queued()


def move_project(draft: Write) -> None:
    draft.project.__class__.objects.update(remote_id="another")


def rename_integration(draft: Write) -> None:
    Integration.objects.update(remote_id="another")


def another_delivery(draft: Write) -> None:
    # Without a new edition, as no page does it.
    Write.objects.filter(pk=draft.pk).update(is_parallel=True)


def another_customer(draft: Write) -> None:
    Write.objects.filter(pk=draft.pk).update(group_ref="another")


@pytest.mark.parametrize(
    "change", [move_project, rename_integration, another_delivery, another_customer]
)
def test_another_destination_makes_it_void(
    change: Callable[[Write], None], asked: Approval, draft: Write, bert: User
) -> None:
    change(draft)
    with pytest.raises(NothingToDecide):
        approve.approve(asked, actor(bert))
    assert fresh(asked).state == State.VOID
    assert nothing_is_queued()


def test_other_bytes_are_not_sent(asked: Approval, draft: Write, bert: User) -> None:
    path = draft.path_of("as_sent")
    path.write_bytes(path.read_bytes().replace(b"Name 3", b"Name X"))
    with pytest.raises(Exception, match="not the one that was checked"):
        approve.approve(asked, actor(bert))
    assert nothing_is_queued()


def test_discarding_the_draft_takes_it_back(
    asked: Approval, draft: Write, olga: User, bert: User
) -> None:
    assert derive.discard(Write.objects.get(pk=draft.pk), actor=actor(olga))
    assert fresh(asked).state == State.WITHDRAWN
    with pytest.raises(NothingToDecide):
        approve.approve(asked, actor(bert))


def test_it_expires(asked: Approval, draft: Write, bert: User) -> None:
    past = db_clock.now() - timedelta(seconds=1)
    Approval.objects.update(requested_at=past - timedelta(days=1), expires_at=past)
    with pytest.raises(NothingToDecide):
        approve.approve(asked, actor(bert))
    with pytest.raises(NothingToDecide):
        approve.refuse(asked, actor(bert), note="Late")
    assert nothing_is_queued()
    assert not Approval.objects.for_approver(bert, db_clock.now())
    assert approve.end_overdue(db_clock.now()) == 1
    assert approve.end_overdue(db_clock.now()) == 0
    assert fresh(asked).state == State.EXPIRED
    draft.refresh_from_db()
    assert draft.is_draft


def test_a_draft_stays_for_a_day_after_nobody_decided(
    asked: Approval, draft: Write, olga: User
) -> None:
    later = db_clock.now() + EXPIRES_AFTER
    assert approve.end_overdue(later) == 1
    retention.sweep(later + timedelta(hours=1))
    draft.refresh_from_db()
    assert draft.is_draft
    assert approve.ask(draft, actor(olga)).is_waiting


def test_who_lost_the_role_does_not_approve(asked: Approval, bert: User) -> None:
    Grant.objects.filter(user=bert, environment="sandbox").update(role="viewer")
    with pytest.raises(MayNotDecide):
        approve.approve(asked, actor(bert))
    User.objects.filter(pk=bert.pk).update(is_active=False)
    with pytest.raises(MayNotDecide):
        approve.approve(asked, actor(bert))
    assert fresh(asked).is_waiting
    assert nothing_is_queued()


def test_what_was_approved_goes_on_when_its_approver_loses_the_role(
    asked: Approval, draft: Write, bert: User
) -> None:
    approve.approve(asked, actor(bert))
    Grant.objects.filter(user=bert).delete()
    work_off()
    assert states(draft) == ["succeeded"]


def test_it_is_void_when_who_asked_may_not_write_any_more(
    asked: Approval, olga: User, bert: User
) -> None:
    Grant.objects.filter(user=olga).delete()
    with pytest.raises(NothingToDecide):
        approve.approve(asked, actor(bert))
    assert fresh(asked).state == State.VOID
    assert nothing_is_queued()


def test_a_stricter_rule_counts_for_what_waits(asked: Approval, bert: User) -> None:
    ada = make_user("ada", Role.ADMIN)
    ApprovalRule.objects.create(
        environment="sandbox", action="upsert", approved_by="admin"
    )
    with pytest.raises(MayNotDecide):
        approve.approve(asked, actor(bert))
    approve.approve(asked, actor(ada))
    assert fresh(asked).decided_by == ada


def test_a_milder_rule_does_not(draft: Write, olga: User, bert: User) -> None:
    rule = ApprovalRule.objects.create(environment="sandbox", approved_by="admin")
    asked = approve.ask(draft, actor(olga))
    assert not Approval.objects.for_approver(bert, db_clock.now())
    ApprovalRule.objects.filter(pk=rule.pk).update(approved_by="operator")
    with pytest.raises(MayNotDecide):
        approve.approve(asked, actor(bert))


def test_without_a_rule_it_is_sent_without(
    asked: Approval, rule: ApprovalRule, draft: Write, olga: User, bert: User
) -> None:
    rule.delete()
    draft.refresh_from_db()
    confirm(draft, olga)
    assert fresh(asked).state == State.WITHDRAWN
    with pytest.raises(NothingToDecide):
        approve.approve(asked, actor(bert))
    assert Operation.objects.count() == 1


def test_a_new_rule_does_not_stop_the_parts_of_what_is_queued(
    sandbox: Sandbox, integration: Integration, olga: User, small_parts: int
) -> None:
    write = make_draft(
        integration, olga, csv=CSV, primary_key="external_id__c", delivery="parts"
    )
    confirm(write, olga)
    assert write.batches.count() > 1
    ApprovalRule.objects.create(environment="sandbox")
    work_off()
    assert set(states(write)) == {"succeeded"}


def test_while_frozen_it_is_approved_and_waits(
    asked: Approval, draft: Write, bert: User, sandbox: Sandbox
) -> None:
    control = EnvironmentControl.objects.of("sandbox")
    assert freeze.freeze(control, actor(bert), reason="Wrong file")
    approve.approve(asked, actor(bert))
    dispatch.enqueue_due_sends(db_clock.now())
    assert states(draft) == ["waiting"]
    assert received(sandbox) == []


def test_in_a_restored_database_nothing_waits_for_approval(
    asked: Approval, bert: User, settings: Any, tmp_path: Path
) -> None:
    settings.DATA_DIR = tmp_path
    pulse.beat(db_clock.now())
    pulse.beat(db_clock.now())
    hold_restored(db_clock.now())
    assert fresh(asked).is_waiting
    Pulse.objects.update(number=F("number") - 1)
    hold_restored(db_clock.now())
    assert fresh(asked).state == State.VOID
    with pytest.raises(NothingToDecide):
        approve.approve(asked, actor(bert))
    assert nothing_is_queued()


@pytest.mark.parametrize("restored", ["number", "at"])
def test_before_the_clock_looked_nothing_is_approved(
    asked: Approval, bert: User, settings: Any, tmp_path: Path, restored: str
) -> None:
    settings.DATA_DIR = tmp_path
    pulse.beat(db_clock.now())
    pulse.beat(db_clock.now())
    back = {"number": 1, "at": Pulse.GAP * 2}[restored]
    Pulse.objects.update(**{restored: F(restored) - back})
    with pytest.raises(NothingToDecide):
        approve.approve(asked, actor(bert))
    assert nothing_is_queued()
    assert fresh(asked).is_waiting


def test_checking_the_same_file_again_keeps_it(asked: Approval, bert: User) -> None:
    """The same bytes are the same, whoever looked."""
    write = Write.objects.get()
    begin_job.begin(write, "check", size=0)
    approve.approve(asked, actor(bert))
    assert not nothing_is_queued()


def test_a_draft_stays_for_a_day_after_its_approval_became_void(
    asked: Approval, draft: Write, olga: User, bert: User
) -> None:
    now = db_clock.now()
    Write.objects.update(changed_at=now - timedelta(hours=23))
    rename_integration(draft)
    with pytest.raises(NothingToDecide):
        approve.approve(asked, actor(bert))
    retention.sweep(now + timedelta(hours=2))
    draft = Write.objects.get(pk=draft.pk)
    assert draft.is_draft
    assert approve.ask(draft, actor(olga)).is_waiting


def test_without_the_reason_that_is_required_by_now_it_is_void(
    rule: ApprovalRule, draft: Write, olga: User, bert: User
) -> None:
    asked = approve.ask(draft, actor(olga))
    EnvironmentControl.objects.create(environment="sandbox", needs_reason=True)
    with pytest.raises(NothingToDecide, match="requires a reason"):
        approve.approve(asked, actor(bert))
    assert fresh(asked).state == State.VOID
    assert nothing_is_queued()
    draft.refresh_from_db()
    again = approve.ask(draft, actor(olga), reason="T-2")
    approve.approve(again, actor(bert))
    assert not nothing_is_queued()


def test_what_was_sent_without_is_nowhere_said_not_to_be_sent(
    asked: Approval, rule: ApprovalRule, draft: Write, olga: User, bert: User
) -> None:
    rule.delete()
    draft.refresh_from_db()
    operation = confirm(draft, olga)
    his, url = browser_of(bert), asked.get_absolute_url()
    answers = [his.get(url), his.post(f"{url}approve/", follow=True)]
    for answer in answers:
        assert "Nothing was sent" not in answer.text
        assert "It was queued without this approval" in answer.text
        assert draft.get_absolute_url() in answer.text
    for events in (timeline(draft), operation_timeline(operation)):
        assert not [event for event in events if "Nothing was sent" in event.text]


def test_a_refusal_does_not_deny_what_was_approved_later(
    asked: Approval, draft: Write, olga: User, bert: User
) -> None:
    approve.refuse(asked, actor(bert), note="Not today")
    page = browser_of(bert).get(asked.get_absolute_url())
    assert "Nothing was sent: bert refused it." in page.text
    draft.refresh_from_db()
    approve.approve(approve.ask(draft, actor(olga)), actor(bert))
    page = browser_of(bert).get(asked.get_absolute_url())
    assert "bert refused it. It was queued without this approval." in page.text
    assert "Nothing was sent" not in page.text
