"""What a rule is about goes out only once another person approved exactly that."""

import ast
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.test import Client as Browser

from console import freeze
from console.access.roles import Role
from console.health import pulse
from console.models import (
    ApiKey,
    ApprovalRule,
    AuditEvent,
    EnvironmentControl,
    Grant,
    Integration,
    MailWish,
    Pulse,
)
from console.runtime import db_clock
from files.mending.recipes import Recipe
from operations.display.timeline import timeline as operation_timeline
from operations.models import Operation
from sandbox.app import Sandbox
from tests.conftest import actor, make_project, make_user
from tests.writes.making import (
    check_draft,
    confirm,
    make_draft,
    press_send,
    received,
    states,
    work_off,
)
from tests.writes.pages import Page
from writes import dispatch
from writes.actions import (
    approve,
    begin_job,
    derive,
    edit_cells,
    resend,
    retention,
)
from writes.actions.approve import MayNotDecide, NothingToDecide
from writes.actions.confirm import AlreadyDecided
from writes.actions.duplicates import RepeatFound
from writes.actions.hold_restored import hold_restored
from writes.actions.need_approval import ApprovalNeeded, rows_of, rules_for
from writes.display.timeline import timeline
from writes.evidence.pack import Pack, asked_by
from writes.models import Approval, Notice, Write
from writes.models.approval import EXPIRES_AFTER
from writes.recipe import recipe_as_json
from writes.worker import send_notices
from writes.worker.index_rows import rows_of as indexed_rows

ROOT = Path(__file__).resolve().parents[2]
CSV = b"external_id__c,LastName\nk-1,Name 1\nk-2,Name 2\nk-3,Name 3\n"
State = Approval.State

pytestmark = pytest.mark.django_db


@pytest.fixture
def rule(db: None) -> ApprovalRule:
    """Everything in the sandbox environment needs another operator."""
    return ApprovalRule.objects.create(environment="sandbox")


@pytest.fixture
def bert(db: None) -> User:
    """Another operator."""
    return make_user("bert", Role.OPERATOR)


@pytest.fixture
def draft(sandbox: Sandbox, integration: Integration, olga: User) -> Write:
    return make_draft(integration, olga, csv=CSV, primary_key="external_id__c")


@pytest.fixture
def asked(rule: ApprovalRule, draft: Write, olga: User, bert: User) -> Approval:
    """What Olga asked approval for."""
    return approve.ask(draft, actor(olga), reason="T-1")


def fresh(approval: Approval) -> Approval:
    return Approval.objects.get(pk=approval.pk)


def nothing_is_queued() -> bool:
    return not Operation.objects.exists() and not Write.objects.filter(
        state=Write.State.CONFIRMED
    )


def actions(*prefixes: str) -> list[str]:
    found = AuditEvent.objects.order_by("pk").values_list("action", flat=True)
    return [action for action in found if action.startswith(prefixes)]


# --- Which writes -------------------------------------------------------------------


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


# --- Every way by which something can be sent ---------------------------------------


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


def test_sending_an_unknown_outcome_again_becomes_a_draft_to_ask_about(
    unknown: Callable[..., Any], olga: User, bert: User
) -> None:
    batch = unknown("timeout_after")
    ApprovalRule.objects.create(environment="sandbox")
    with pytest.raises(resend.NeedsReview) as found:
        resend.send_again(batch, actor(olga), reason="Gone", repeat_reason="Gone")
    again = found.value.draft
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
    ApprovalRule.objects.create(environment="sandbox")
    with pytest.raises(resend.NeedsReview) as found:
        resend.send_again(batch, actor(olga), reason="Gone", repeat_reason="Gone")
    said = {"repeat_reason": "Gone", "repeats": batch.write_id}
    asked = approve.ask(found.value.draft, actor(olga), **said)
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


# --- Asking and deciding ------------------------------------------------------------


def test_once_approved_it_is_queued_in_the_name_of_who_asked(
    asked: Approval, draft: Write, olga: User, bert: User, sandbox: Sandbox
) -> None:
    assert nothing_is_queued()
    operation = approve.approve(asked, actor(bert), note="Looks right")
    asked = fresh(asked)
    assert (asked.state, asked.decided_by, asked.note) == (
        State.APPROVED,
        bert,
        "Looks right",
    )
    assert operation.started_by == olga
    assert operation.purpose == "T-1"
    work_off()
    assert states(draft) == ["succeeded"]
    assert len(received(sandbox)) == 1
    assert actions("approval", "write.confirmed") == [
        *("approval.asked", "approval.approved", "write.confirmed")
    ]
    event = AuditEvent.objects.get(action="write.confirmed")
    assert (event.actor, event.detail["requested_by"]) == (bert, "olga")


def test_neither_who_asked_nor_who_changed_it_decides(
    asked: Approval, draft: Write, olga: User, bert: User
) -> None:
    mara = make_user("mara", Role.ADMIN)
    with pytest.raises(MayNotDecide):
        approve.approve(asked, actor(olga))
    approve.withdraw(draft, actor(olga))
    draft.refresh_from_db()
    edit(draft, bert)
    draft.refresh_from_db()
    # An admin asks about what Olga made and Bert changed.
    again = approve.ask(draft, actor(mara))
    for person in (olga, bert, mara):
        with pytest.raises(MayNotDecide):
            approve.approve(again, actor(person))
        with pytest.raises(MayNotDecide):
            approve.refuse(again, actor(person), note="No")
        assert not Approval.objects.for_approver(person, db_clock.now())
    assert nothing_is_queued()
    approve.approve(again, actor(make_user("zoe", Role.OPERATOR)))
    assert not nothing_is_queued()


def test_who_changed_the_whole_file_does_not_decide_about_its_first_rows(
    rule: ApprovalRule, draft: Write, olga: User, bert: User
) -> None:
    edit(draft, bert)
    draft.refresh_from_db()
    trial = derive.try_first(draft, actor(olga), 1)
    check_draft(trial)
    asked = approve.ask(trial, actor(olga))
    with pytest.raises(MayNotDecide):
        approve.approve(asked, actor(bert))


@pytest.mark.parametrize("values", [{"name": "olga"}, {"name": ""}, {}])
def test_the_database_takes_no_decision_of_who_asked(
    asked: Approval, olga: User, bert: User, values: dict[str, str]
) -> None:
    by = {"decided_by": olga, "decided_by_name": "bert"}
    if values:
        by = {"decided_by": bert, "decided_by_name": values["name"]}
    with pytest.raises(IntegrityError), transaction.atomic():
        Approval.objects.filter(pk=asked.pk).update(
            state="approved", ended_at=db_clock.now(), **by
        )


def test_the_database_takes_one_approval_of_a_write(asked: Approval) -> None:
    asked.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        asked.save(force_insert=True)


def test_asking_twice_is_asking_once_and_other_words_take_the_first_back(
    asked: Approval, draft: Write, olga: User
) -> None:
    assert approve.ask(draft, actor(olga), reason="T-1") == asked
    other = approve.ask(draft, actor(olga), reason="T-2")
    assert other != asked
    assert fresh(asked).state == State.WITHDRAWN
    assert other.is_waiting


def test_a_refusal_keeps_the_draft_and_says_why(
    asked: Approval, draft: Write, olga: User, bert: User
) -> None:
    approve.refuse(asked, actor(bert), note="Wrong customer")
    asked = fresh(asked)
    assert (asked.state, asked.note) == (State.REFUSED, "Wrong customer")
    draft.refresh_from_db()
    assert draft.is_draft
    assert nothing_is_queued()
    assert approve.ask(draft, actor(olga), reason="T-1").is_waiting


def test_the_second_of_two_decisions_changes_nothing(
    asked: Approval, bert: User
) -> None:
    zoe = make_user("zoe", Role.OPERATOR)
    approve.approve(asked, actor(bert))
    for decide in (approve.approve, approve.refuse):
        with pytest.raises(NothingToDecide):
            decide(asked, actor(zoe), note="No")
    assert fresh(asked).decided_by == bert
    assert Operation.objects.count() == 1


def test_a_refusal_just_before_approving_wins(
    asked: Approval, bert: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    zoe = make_user("zoe", Role.OPERATOR)
    really = approve.confirm

    def refused_meanwhile(*args: Any, **values: Any) -> Operation:
        Approval.objects.waiting().end("refused", actor=actor(zoe), note="No")
        return really(*args, **values)

    monkeypatch.setattr(approve, "confirm", refused_meanwhile)
    with pytest.raises(NothingToDecide):
        approve.approve(asked, actor(bert))
    assert nothing_is_queued()


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


def test_what_was_sent_meanwhile_is_not_sent_by_an_approval(
    asked: Approval, draft: Write, olga: User, bert: User
) -> None:
    twin = make_draft(draft.integration, olga, csv=CSV, primary_key="external_id__c")
    approve.approve(approve.ask(twin, actor(olga)), actor(bert))
    with pytest.raises(NothingToDecide):
        approve.approve(asked, actor(bert))
    assert fresh(asked).state == State.VOID
    assert Operation.objects.count() == 1


# --- What makes it void -------------------------------------------------------------


def edit(draft: Write, by: User) -> None:
    """Change a cell in the grid."""
    edits = [edit_cells.Edit(place=1, was="Name 1", text=f"By {by}")]
    with indexed_rows(draft) as rows:
        reading = rows.index.reading
    assert edit_cells.edit_cells(draft, 2, edits, reading=reading, actor=actor(by))


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


# --- What happens meanwhile ---------------------------------------------------------


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


# --- Who is told --------------------------------------------------------------------


def test_who_may_approve_and_who_asked_are_told(
    draft: Write, rule: ApprovalRule, olga: User, bert: User, settings: Any
) -> None:
    settings.SENDS_MAIL = True
    settings.CONSOLE_URL = "https://console.example.com"
    vera = make_user("vera", Role.VIEWER)
    for person in (olga, bert, vera):
        User.objects.filter(pk=person.pk).update(email=f"{person}@example.com")
        MailWish.objects.create(person=person)
    asked = approve.ask(draft, actor(olga))
    send_notices.send_mail(list(Notice.objects.values_list("pk", flat=True)))
    assert [letter.to for letter in mail.outbox] == [["bert@example.com"]]
    assert asked.get_absolute_url() in mail.outbox[0].body
    approve.refuse(asked, actor(bert), note="canary-note")
    due = Notice.objects.filter(sent_at=None)
    send_notices.send_mail(list(due.values_list("pk", flat=True)))
    assert [letter.to for letter in mail.outbox[1:]] == [["olga@example.com"]]
    assert Notice.objects.count() == 2
    assert "canary-note" not in mail.outbox[1].body


# --- Where it is told ---------------------------------------------------------------


def test_timelines_and_the_evidence_name_who_approved_and_why(
    asked: Approval, draft: Write, olga: User, bert: User
) -> None:
    operation = approve.approve(asked, actor(bert), note="canary-note")
    for events in (operation_timeline(operation), timeline(draft)):
        said = [event for event in events if event.why == "canary-note"]
        assert len(said) == 1
        assert "bert" in said[0].text
    admin = make_user("ada", Role.ADMIN)
    draft.refresh_from_db()
    pack = Pack(draft, asked_by(admin))
    content = b"".join(pack.stream())
    assert content
    told = pack.facts()["approvals"]
    assert [(each["requested_by"], each["decided_by"]) for each in told] == [
        ("olga", "bert")
    ]
    assert (told[0]["note"], told[0]["digest"]) == ("canary-note", asked.digest)


# --- Pages --------------------------------------------------------------------------


def browser_of(user: User) -> Browser:
    browser = Browser()
    browser.force_login(user)
    return browser


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


def test_home_shows_what_waits_for_the_reader(
    asked: Approval, browser: Browser, bert: User
) -> None:
    assert "approvals" not in Page(browser.get("/")).ids
    page = browser_of(bert).get("/")
    assert asked.get_absolute_url() in page.text
    for person in (make_user("vera", Role.VIEWER), make_user("tess", test=Role.ADMIN)):
        assert "approvals" not in Page(browser_of(person).get("/")).ids


def test_who_approves_sees_rows_findings_and_reason_only_while_it_waits(
    asked: Approval, draft: Write, bert: User
) -> None:
    his = browser_of(bert)
    page = his.get(asked.get_absolute_url())
    for text in ("Name 2", "T-1", asked.digest, "k-3"):
        assert text in page.text
    assert "findings" in Page(page).ids
    # The draft itself stays with who made it.
    assert his.get(f"/writes/{draft.pk}/").status_code == 404
    assert his.post(f"/writes/{draft.pk}/discard/").status_code == 404
    answer = his.post(f"{asked.get_absolute_url()}refuse/")
    assert answer.status_code == 422
    answer = his.post(f"{asked.get_absolute_url()}refuse/", {"note": "Not today"})
    assert answer.status_code == 302
    page = his.get(asked.get_absolute_url())
    assert "Not today" in page.text
    assert "Name 2" not in page.text


def test_by_the_button_it_is_approved_by_others_alone(
    asked: Approval, browser: Browser, bert: User
) -> None:
    url = f"{asked.get_absolute_url()}approve/"
    assert browser.post(url, {"note": "Mine"}).status_code == 403
    assert nothing_is_queued()
    answer = browser_of(bert).post(url, {"note": "Fine"})
    assert answer.status_code == 302
    assert answer["Location"] == Operation.objects.get().get_absolute_url()
    assert fresh(asked).note == "Fine"
    # The second click leads to what became of it.
    again = browser_of(bert).post(url)
    assert again["Location"] == asked.get_absolute_url()
    assert Operation.objects.count() == 1


def test_in_production_who_approves_types_the_name_of_the_project(
    asked: Approval, integration: Integration, rule: ApprovalRule, bert: User
) -> None:
    integration.project.__class__.objects.update(environment="production")
    Approval.objects.all().delete()
    ApprovalRule.objects.update(environment="production")
    ApiKey.objects.update(environment="production")
    write = Write.objects.get()
    asked = approve.ask(write, actor(write.started_by))
    url = f"{asked.get_absolute_url()}approve/"
    assert browser_of(bert).post(url, {"note": "x"}).status_code == 422
    assert nothing_is_queued()
    answer = browser_of(bert).post(url, {"note": "x", "name": "demo"})
    assert answer.status_code == 302
    assert not nothing_is_queued()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_two_who_decide_at_the_same_moment_one_does(
    asked: Approval, bert: User
) -> None:
    zoe = make_user("zoe", Role.OPERATOR)
    together = threading.Barrier(2)
    met: list[str] = []

    def decide(how: Callable[..., object], person: User) -> None:
        together.wait()
        try:
            how(asked, actor(person), note="At once")
            met.append(how.__name__)
        except NothingToDecide:
            met.append("")
        finally:
            connection.close()

    ways = ((approve.approve, bert), (approve.refuse, zoe))
    threads = [threading.Thread(target=decide, args=way) for way in ways]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = next(name for name in met if name)
    assert sorted(met) == ["", done]
    assert Operation.objects.count() == (done == "approve")


def test_checking_the_same_file_again_keeps_it(asked: Approval, bert: User) -> None:
    """The same bytes are the same, whoever looked."""
    write = Write.objects.get()
    begin_job.begin(write, "check", size=0)
    approve.approve(asked, actor(bert))
    assert not nothing_is_queued()
