"""Who approves or refuses, what that does, and who reads of it."""

import re
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test import Client as Browser

from console.access.roles import Role
from console.actor import SYSTEM
from console.models import (
    ApiKey,
    ApprovalRule,
    AuditEvent,
    Grant,
    Integration,
    MailWish,
)
from console.runtime import db_clock
from files.findings import Finding
from files.remote.looking import RemoteFile
from operations.display.timeline import timeline as operation_timeline
from operations.models import Operation
from sandbox.app import Sandbox
from tests.conftest import actor, browser_of, make_user
from tests.operations.plans import by_rule, plan_of
from tests.writes.approval.helpers import (
    CSV,
    actions,
    edit,
    fresh,
    nothing_is_queued,
)
from tests.writes.making import check_draft, make_draft, received, states, work_off
from tests.writes.pages import Page
from writes.actions import approve, derive
from writes.actions import confirm as confirming
from writes.actions.approve import MayNotDecide, NothingToDecide
from writes.actions.fetch import fetch
from writes.display.timeline import timeline
from writes.evidence.pack import Pack, asked_by
from writes.models import Approval, Notice, Write
from writes.views import approval as approval_pages
from writes.worker import send_notices

State = Approval.State

pytestmark = pytest.mark.django_db


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


@by_rule
def test_who_looks_for_approvals_reads_no_other_write(
    asked: Approval, bert: User
) -> None:
    waiting = Approval.objects.for_approver(bert, db_clock.now())
    assert list(waiting) == [asked]
    plan = plan_of(waiting.select_related("write__integration__project")[:9])
    assert plan.startswith("SEARCH writes_approval ")
    assert "SCAN" not in plan


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


def test_what_was_sent_meanwhile_is_not_sent_by_an_approval(
    asked: Approval, draft: Write, olga: User, bert: User
) -> None:
    twin = make_draft(draft.integration, olga, csv=CSV, primary_key="external_id__c")
    approve.approve(approve.ask(twin, actor(olga)), actor(bert))
    with pytest.raises(NothingToDecide):
        approve.approve(asked, actor(bert))
    assert fresh(asked).state == State.VOID
    assert Operation.objects.count() == 1


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


def test_of_two_clicks_of_one_person_one_is_told(
    asked: Approval,
    olga: User,
    bert: User,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.SENDS_MAIL = True
    User.objects.filter(pk=olga.pk).update(email="olga@example.com")
    MailWish.objects.create(person=olga)
    really, clicks = approve.confirm, ["second"]

    def clicked_twice(*args: Any, **values: Any) -> Operation:
        if clicks.pop(0) == "second":
            clicks.append("first")
            approve.approve(asked, actor(bert))
        return really(*args, **values)

    monkeypatch.setattr(approve, "confirm", clicked_twice)
    clicked = approve.approve(asked, actor(bert))
    assert Operation.objects.get() == clicked
    assert Notice.objects.filter(event=Notice.Event.APPROVED).count() == 1


def meanwhile_before(
    monkeypatch: pytest.MonkeyPatch, where: Any, name: str, act: Callable[[], object]
) -> None:
    """Have `act` done by somebody else just before a function of a module returns."""
    really, todo = getattr(where, name), [act]

    def function(*args: Any, **values: Any) -> Any:
        answer = really(*args, **values)
        while todo:
            todo.pop()()
        return answer

    monkeypatch.setattr(where, name, function)


def test_who_comes_second_is_told_what_the_first_did(
    asked: Approval, bert: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    zoe = make_user("zoe", Role.OPERATOR)
    meanwhile_before(
        monkeypatch, approve, "_fresh", lambda: approve.approve(asked, actor(zoe))
    )
    with pytest.raises(NothingToDecide, match="zoe approved it, and it was queued"):
        approve.approve(asked, actor(bert))


def test_a_page_that_was_overtaken_does_not_say_that_nothing_was_sent(
    asked: Approval, bert: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    zoe = make_user("zoe", Role.OPERATOR)
    meanwhile_before(
        monkeypatch,
        approval_pages,
        "find_approval",
        lambda: approve.approve(asked, actor(zoe)),
    )
    page = browser_of(bert).get(asked.get_absolute_url())
    assert "zoe approved it, and it was queued." in page.text
    assert "Nothing was sent" not in page.text


@pytest.mark.parametrize("meanwhile", ["stricter rule", "no role", "no requester"])
def test_what_changes_while_a_large_file_is_planned_still_counts(
    asked: Approval,
    olga: User,
    bert: User,
    monkeypatch: pytest.MonkeyPatch,
    meanwhile: str,
) -> None:
    def change() -> None:
        if meanwhile == "stricter rule":
            ApprovalRule.objects.create(
                environment="sandbox", action="upsert", approved_by="admin"
            )
        elif meanwhile == "no role":
            Grant.objects.filter(user=bert).delete()
        else:
            User.objects.filter(pk=olga.pk).update(is_active=False)

    meanwhile_before(monkeypatch, confirming, "plan", change)
    with pytest.raises((MayNotDecide, NothingToDecide)):
        approve.approve(asked, actor(bert))
    assert nothing_is_queued()
    assert fresh(asked).is_waiting


def test_nothing_ends_without_its_line_in_the_audit_trail(
    asked: Approval, olga: User, bert: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    Grant.objects.filter(user=olga).delete()

    def disk_is_full(**values: Any) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(AuditEvent, "record", disk_is_full)
    with pytest.raises(OSError, match="No space"):
        approve.approve(asked, actor(bert))
    assert fresh(asked).is_waiting


def told_approvers(page: Any) -> list[str]:
    found = re.search(r'<p id="approvers">(.*?)</p>', page.text, re.DOTALL)
    assert found
    return re.findall(r"<strong>(.*?)</strong>", found[1])


def test_the_draft_names_who_may_approve_what_waits(
    draft: Write, rule: ApprovalRule, olga: User, bert: User, browser: Browser
) -> None:
    url = f"/writes/{draft.pk}/"
    ada, mara = make_user("ada", Role.ADMIN), make_user("mara", Role.ADMIN)
    approve.ask(draft, actor(ada))
    for reader in (browser, browser_of(ada), browser_of(mara)):
        assert told_approvers(reader.get(url)) == ["bert", "mara"]
    # It still waits, and still for another person.
    rule.delete()
    assert told_approvers(browser.get(url)) == ["bert", "mara"]


def test_a_milder_rule_names_nobody_who_may_not_approve(
    draft: Write, rule: ApprovalRule, olga: User, bert: User, browser: Browser
) -> None:
    make_user("ada", Role.ADMIN)
    ApprovalRule.objects.update(approved_by="admin")
    approve.ask(draft, actor(olga))
    ApprovalRule.objects.update(approved_by="operator")
    assert told_approvers(browser.get(f"/writes/{draft.pk}/")) == ["ada"]


def test_what_an_admin_decides_is_no_operators_to_read(
    draft: Write, rule: ApprovalRule, olga: User, bert: User, browser: Browser
) -> None:
    ApprovalRule.objects.update(approved_by="admin")
    ada = browser_of(make_user("ada", Role.ADMIN))
    asked = approve.ask(draft, actor(olga), reason="T-1")
    url = asked.get_absolute_url()
    page = browser_of(bert).get(url)
    assert page.status_code == 200
    assert "T-1" in page.text
    assert "may-not" in Page(page).ids
    assert "Name 2" not in page.text
    for below in ("rows/", "rows/2/"):
        answer = browser_of(bert).get(f"{url}{below}")
        assert answer.status_code == 403
        assert "Name 2" not in answer.text
    for reader in (ada, browser):
        assert "Name 2" in reader.get(url).text
        assert reader.get(f"{url}rows/").status_code == 200


def test_who_approves_is_warned_of_a_draft_that_is_older_than_a_restored_back_up(
    draft: Write, rule: ApprovalRule, olga: User, bert: User
) -> None:
    his = browser_of(bert)
    asked = approve.ask(draft, actor(olga))
    assert "restored" not in Page(his.get(asked.get_absolute_url())).ids
    AuditEvent.record(action="database.restored", subject="Restored", actor=SYSTEM)
    assert "restored" in Page(his.get(asked.get_absolute_url())).ids


def test_who_made_the_draft_of_an_address_does_not_approve_the_file_fetched_from_it(
    integration: Integration, rule: ApprovalRule, olga: User
) -> None:
    looked = RemoteFile(
        status=200,
        findings=[Finding("blocks", "no-key", "The key is missing.")],
        final_url="https://example.com/x.csv",
        looked_at=db_clock.now(),
    )
    draft = make_draft(
        integration,
        olga,
        url="https://example.com/x.csv",
        primary_key="external_id__c",
        is_ready=False,
        remote_file=looked.as_json(),
    )
    fetched = fetch(draft, actor(make_user("ada", Role.ADMIN)))
    assert olga not in approve.may_approve(fetched)
