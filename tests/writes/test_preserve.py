"""Legal hold and pin keep files and logs from retention; the list warns of the rest."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.test import Client as Browser
from django.utils import timezone

from console.access.roles import Role
from console.models import AuditEvent, Integration
from operations.models import LogEntry, Operation
from sandbox.app import Sandbox
from tests.answers import levels
from tests.conftest import actor, make_user
from tests.writes.making import make_draft, settled
from writes.actions.preserve import preserve, release
from writes.actions.retention import sweep
from writes.evidence.log_lines import lines, log_of
from writes.models import Preservation, SweptLog, Write
from writes.models.preservation import WARNED, kept_until

KEY = "external_id__c"
DATA = b"external_id__c,LastName\r\nk-1,Berg\r\nk-2,\r\n"
HOLD, PIN = Preservation.Kind.HOLD, Preservation.Kind.PIN
DAYS = 30

pytestmark = pytest.mark.django_db


def later(**parts: float) -> datetime:
    return timezone.now() + timedelta(**parts)


@pytest.fixture
def sent(sandbox: Sandbox, integration: Integration, olga: User) -> Write:
    return settled(make_draft(integration, olga, csv=DATA, primary_key=KEY), olga)


@pytest.fixture
def anna(sign_in: Callable[..., Browser]) -> Browser:
    """An admin's browser."""
    return sign_in(Role.ADMIN, "anna")


@pytest.mark.parametrize("kind", [HOLD, PIN])
def test_what_is_kept_stays_until_it_is_released(
    kind: Any, sent: Write, olga: User
) -> None:
    assert preserve(sent, kind, actor(olga), reason="Case 7")
    assert not preserve(sent, kind, actor(olga), reason="Case 8")
    assert sweep(later(days=DAYS * 20)) == 0
    assert kept_until(sent) is None
    assert release(sent, kind, actor(olga))
    assert not release(sent, kind, actor(olga))
    # Retention is as ever from now on.
    assert sweep(later(days=DAYS, minutes=-1)) == 0
    assert sweep(later(days=DAYS, minutes=1)) == 1


def test_hold_and_pin_each_keep_it_alone(sent: Write, olga: User) -> None:
    preserve(sent, HOLD, actor(olga), reason="Case 7")
    preserve(sent, PIN, actor(olga))
    release(sent, HOLD, actor(olga))
    assert sweep(later(days=DAYS * 2)) == 0
    release(sent, PIN, actor(olga))
    assert sweep(later(days=DAYS * 2)) == 1


def test_what_is_released_after_its_time_is_warned_of_first(
    sent: Write, olga: User, browser: Browser
) -> None:
    Write.objects.update(confirmed_at=later(days=-400))
    sent.refresh_from_db()
    preserve(sent, HOLD, actor(olga), reason="Case 7")
    release(sent, HOLD, actor(olga))
    assert sweep(timezone.now()) == 0
    (going,) = browser.get("/writes/retention/").context["going"]
    assert going["write"] == sent
    assert going["until"] > later(days=WARNED.days, minutes=-5)
    assert sweep(later(days=WARNED.days, minutes=1)) == 1


def test_the_list_warns_a_week_ahead_and_not_of_what_is_kept(
    sent: Write, olga: User, browser: Browser
) -> None:
    def going() -> list[Write]:
        context = browser.get("/writes/retention/").context
        return [each["write"] for each in context["going"]]

    assert going() == []
    Write.objects.update(confirmed_at=later(days=WARNED.days - DAYS, minutes=-1))
    assert going() == [sent]
    preserve(sent, PIN, actor(olga))
    assert going() == []
    context = browser.get("/writes/retention/").context
    assert [each.write for each in context["pins"]] == [sent]
    assert context["holds"] == []


def test_an_admin_holds_with_a_reason_and_an_operator_pins(
    sent: Write, browser: Browser, anna: Browser
) -> None:
    page = f"/writes/{sent.pk}/"
    assert browser.post(f"{page}hold/", {"reason": "Case 7"}).status_code == 403
    assert levels(anna.post(f"{page}hold/", follow=True)) == ["error"]
    assert not sent.preservations.exists()
    answer = anna.post(f"{page}hold/", {"reason": "Case 7"}, follow=True)
    assert levels(answer) == ["success"]
    assert b'id="on-hold"' in answer.content
    assert levels(browser.post(f"{page}pin/", follow=True)) == ["success"]
    assert browser.post(f"{page}hold/release/").status_code == 403
    assert levels(browser.post(f"{page}unpin/", follow=True)) == ["success"]
    assert levels(anna.post(f"{page}hold/release/", follow=True)) == ["success"]
    told = AuditEvent.objects.filter(detail__write=sent.pk).order_by("pk")
    events = [(event.action, event.actor_name) for event in told]
    assert events[-4:] == [
        ("write.held", "anna"),
        ("write.pinned", "olga"),
        ("write.unpinned", "olga"),
        ("write.hold_released", "anna"),
    ]
    assert told.get(action="write.held").detail["reason"] == "Case 7"


@pytest.mark.parametrize("source", ["csv", "record"])
def test_a_draft_is_kept_as_well(
    source: str, integration: Integration, olga: User, browser: Browser
) -> None:
    csv = {"csv": DATA, "primary_key": KEY} if source == "csv" else {}
    draft = make_draft(integration, olga, **csv)
    answer = browser.post(f"/writes/{draft.pk}/pin/", follow=True)
    assert levels(answer) == ["success"]
    assert b'id="pinned"' in answer.content
    sweep(later(days=DAYS * 2))
    draft.refresh_from_db()
    assert (draft.is_draft, draft.files_deleted_at) == (True, None)
    browser.post(f"/writes/{draft.pk}/discard/")
    sweep(later(days=DAYS * 2))
    draft.refresh_from_db()
    assert draft.files_deleted_at is None
    browser.post(f"/writes/{draft.pk}/unpin/")
    sweep(later(days=WARNED.days, minutes=-5))
    draft.refresh_from_db()
    assert draft.files_deleted_at is None
    sweep(later(days=WARNED.days, minutes=5))
    draft.refresh_from_db()
    assert draft.values_deleted_at


def test_the_draft_of_another_is_in_the_list_of_nobody_else(
    integration: Integration, olga: User, sign_in: Callable[..., Browser]
) -> None:
    draft = make_draft(integration, olga)
    preserve(draft, PIN, actor(olga))
    paul = sign_in(Role.OPERATOR, "paul")
    assert paul.get("/writes/retention/").context["pins"] == []
    anna = sign_in(Role.ADMIN, "anna")
    assert len(anna.get("/writes/retention/").context["pins"]) == 1


def test_nobody_reads_of_holds_where_they_have_no_role(
    sent: Write, olga: User, sign_in: Callable[..., Browser]
) -> None:
    preserve(sent, HOLD, actor(olga), reason="Case 7")
    Write.objects.update(confirmed_at=later(days=-29))
    vera = sign_in(Role.VIEWER, "vera", sandbox=Role.NONE)
    context = vera.get("/writes/retention/").context
    assert (context["holds"], context["going"]) == ([], [])


def test_the_database_takes_one_hold_at_a_time_and_none_without_a_reason(
    sent: Write,
) -> None:
    def held(**values: Any) -> None:
        with transaction.atomic():
            Preservation.objects.create(write=sent, kind="hold", **values)

    with pytest.raises(IntegrityError):
        held()
    held(reason="Case 7")
    with pytest.raises(IntegrityError):
        held(reason="Case 8")


# --- Logs ----------------------------------------------------------------------------


def test_logs_are_kept_for_good_where_their_days_are_none(
    sent: Write, olga: User, settings: Any
) -> None:
    settings.KEEP_LOGS_DAYS = dict.fromkeys(settings.KEEP_LOGS_DAYS, 0)
    sweep(later(days=4_000))
    assert LogEntry.objects.exists()


def test_logs_go_after_their_days_and_after_the_files(
    sent: Write, settings: Any, browser: Browser
) -> None:
    settings.KEEP_LOGS_DAYS = {**settings.KEEP_LOGS_DAYS, "sandbox": 10}
    operation = sent.batches.get().operation
    content = b"".join(lines(log_of(operation)))
    count = LogEntry.objects.count()
    # The files are still there: rows can be joined to the log anew.
    sweep(later(days=DAYS - 1))
    assert LogEntry.objects.count() == count > 0
    sweep(later(days=DAYS + 1))
    assert not LogEntry.objects.exists()
    swept = SweptLog.objects.get()
    assert (swept.operation, swept.entries) == (operation, count)
    assert swept.sha256 == hashlib.sha256(content).hexdigest()
    event = AuditEvent.objects.get(action="log.deleted")
    assert event.detail["sha256"] == swept.sha256
    answer = browser.get(f"/operations/{operation.pk}/")
    assert b'id="swept-log"' in answer.content


def test_logs_of_what_is_held_stay(sent: Write, olga: User, settings: Any) -> None:
    settings.KEEP_LOGS_DAYS = {**settings.KEEP_LOGS_DAYS, "sandbox": 60}
    sweep(later(days=DAYS + 1))
    preserve(sent, HOLD, actor(olga), reason="Case 7")
    count = LogEntry.objects.count()
    sweep(later(days=4_000))
    assert LogEntry.objects.count() == count > 0
    release(sent, HOLD, actor(olga))
    sweep(later(days=4_000))
    assert not LogEntry.objects.exists()


def test_a_viewer_sees_no_buttons(sent: Write, integration: Integration) -> None:
    viewer = Browser()
    viewer.force_login(make_user("vera", Role.VIEWER))
    page = viewer.get(f"/operations/{sent.batches.get().operation_id}/").content
    assert b'id="evidence-pack"' in page
    assert b'id="pin"' not in page
    assert b'id="hold"' not in page


def when(part: str, do: Callable[[], object]) -> Any:
    """Return what does something once, before the first statement with `part`."""
    done: list[str] = []

    def before(execute: Any, sql: str, *rest: Any) -> Any:
        if part in sql and not done:
            done.append(sql)
            do()
        return execute(sql, *rest)

    return connection.execute_wrapper(before)


def test_logs_stay_of_what_is_held_while_a_sweep_goes_on(
    sent: Write, integration: Integration, olga: User, settings: Any
) -> None:
    settings.KEEP_LOGS_DAYS = {**settings.KEEP_LOGS_DAYS, "sandbox": DAYS + 10}
    other = DATA.replace(b"k-", b"j-")
    later_sent = settled(
        make_draft(integration, olga, csv=other, primary_key=KEY), olga
    )
    sweep(later(days=DAYS + 1))

    def hold() -> None:
        preserve(later_sent, HOLD, actor(olga), reason="Case 7")

    with when('INSERT INTO "writes_sweptlog"', hold):
        sweep(later(days=DAYS * 20))
    assert later_sent.preservations.exists()
    (swept,) = SweptLog.objects.all()
    assert swept.operation.batch.write == sent
    kept = LogEntry.objects.filter(operation__batch__write=later_sent)
    assert kept.exists()


@pytest.mark.parametrize("how", ["pinned", "changed"])
def test_a_draft_stays_that_somebody_comes_back_to_while_a_sweep_goes_on(
    how: str, integration: Integration, olga: User
) -> None:
    drafts = [
        make_draft(integration, olga, csv=DATA, primary_key=KEY) for _ in range(2)
    ]
    Write.objects.update(changed_at=later(days=-3))

    def come_back() -> None:
        draft = Write.objects.get(pk=drafts[1].pk)
        if how == "pinned":
            assert preserve(draft, PIN, actor(olga))
        else:
            assert draft.revise(by=actor(olga), recipe_json={})

    with when('INSERT INTO "writes_writetransition"', come_back):
        assert sweep(timezone.now()) == 1
    gone, back = Write.objects.order_by("pk")
    assert (gone.state, bool(gone.files_deleted_at)) == ("discarded", True)
    assert (back.state, bool(back.files_deleted_at)) == ("draft", False)
    assert back.path_of("original").exists()


def test_what_a_hold_keeps_is_not_promised_where_the_logs_are_gone(
    sent: Write, browser: Browser, settings: Any
) -> None:
    def pinned() -> str:
        answer = browser.post(f"/writes/{sent.pk}/pin/", follow=True)
        (told,) = answer.context["messages"]
        Preservation.objects.all().delete()
        return str(told)

    settings.KEEP_LOGS_DAYS = {**settings.KEEP_LOGS_DAYS, "sandbox": DAYS + 10}
    sweep(later(days=DAYS + 1))
    assert "its logs are kept" in pinned()
    sweep(later(days=DAYS * 20))
    assert "its logs are kept" not in pinned()


def test_no_page_says_that_values_go_which_an_unknown_outcome_keeps(
    sent: Write, browser: Browser
) -> None:
    def shown() -> list[bool]:
        pages = (Operation.objects.get().get_absolute_url(), "/writes/retention/")
        return ["outcome is known" in browser.get(p).content.decode() for p in pages]

    Write.objects.update(confirmed_at=later(days=-DAYS * 2))
    assert shown() == [False, False]
    Operation.objects.update(state="unknown", sent_at=later(days=-DAYS * 2))
    assert sweep(timezone.now()) == 0
    assert shown() == [True, True]
    # Within its time the day counts, whatever is known of it.
    Write.objects.update(confirmed_at=later(days=2 - DAYS))
    assert shown() == [False, False]
