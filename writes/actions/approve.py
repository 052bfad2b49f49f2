"""One person asks for approval of a draft, and another one approves or refuses.

    waiting ──approve──▶ approved     and the write is confirmed in the same moment
            ──refuse───▶ refused
            ──withdraw─▶ withdrawn    also where the draft is discarded or asked anew
            ──▶ expired               by the clock
            ──▶ void                  the draft, or what it leads to, was changed

Each is one conditional UPDATE, so that of two people at once only the first decides.
"""

from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from ampersand import RequestInvalid
from console.access.roles import Role, role_in
from console.actor import Actor
from console.health import pulse
from console.models import EnvironmentControl
from console.runtime import db_clock
from operations.models import Operation
from writes.actions import tell_approval
from writes.actions.confirm import AlreadyDecided, confirm, plan
from writes.actions.duplicates import RepeatFound, earlier_of
from writes.actions.need_approval import (
    Decision,
    NotApproved,
    digest_of,
    least_role,
    rules_for,
)
from writes.models import Approval, Notice, Write
from writes.models.approval import EXPIRES_AFTER

State = Approval.State
CHANGED = "What would be sent now is not what was asked about: something was changed."


class MayNotDecide(Exception):
    """This person may not decide about this approval; the text tells why."""


class NothingToDecide(Exception):
    """It waits no more; the text tells what became of it."""


def ask(
    write: Write,
    actor: Actor,
    *,
    reason: str = "",
    repeat_reason: str = "",
    repeats: int | None = None,
    stop_after: int | None = None,
) -> Approval:
    """Ask that another person approves of sending `write`; nothing is queued.

    What is said is what `confirm` takes, and counts once it is approved. Asking twice
    is asking once; asking with other words takes the first back. Raises as `confirm`
    does, and `RequestInvalid` where no rule wants an approval.
    """
    rules = rules_for(write)
    if not write.is_draft:
        raise RequestInvalid("This is no longer a draft.")
    if not rules:
        raise RequestInvalid("It needs no approval any more. Review it, then send it.")
    digest = digest_of(write, plan(write))
    _need_no_repeat(write, repeat_reason, repeats)
    said = {
        "reason": reason,
        "repeat_reason": repeat_reason,
        "repeats_id": repeats if repeat_reason else None,
        "stop_after": stop_after or None,
    }
    role = least_role(rules)
    with transaction.atomic():
        # The row is locked by this; and a draft that somebody asks about stays.
        if not write.change(only_from=Write.State.DRAFT, only_edition=write.edition):
            raise RequestInvalid("It was changed meanwhile. Review it again.")
        now = db_clock.now()
        same = Approval.objects.open(now).filter(
            write=write, digest=digest, requested_by=actor.user, **said
        )
        if found := same.first():
            return found
        write.approvals.end("withdrawn", "It was asked for anew.", actor=actor)
        approval = write.approvals.create(
            edition=write.edition,
            digest=digest,
            rules=[str(rule) for rule in rules],
            least_role=role.word,
            requested_by=actor.user,
            requested_by_name=actor.name,
            requested_at=now,
            expires_at=now + EXPIRES_AFTER,
            **said,
        )
        approval.audit("asked", actor, reason=reason or repeat_reason)
        approvers = may_approve(write, actor.user)
        tell_approval.tell(approval, Notice.Event.APPROVAL, approvers)
    return approval


def _need_no_repeat(write: Write, reason: str, known: int | None) -> None:
    """Raise as `confirm` would: who approves cannot say why it is sent once more."""
    if write.resends is not None and not write.resends.needs_person:
        raise AlreadyDecided(write.resends)
    earlier = earlier_of(write, timezone.now())
    if earlier and not (reason and known in (None, earlier.pk)):
        raise RepeatFound(earlier)


def approve(approval: Approval, actor: Actor, *, note: str = "") -> Operation:
    """Approve, which confirms the write as its requester asked; return its operation.

    The draft, the rules, both people and the request are looked at as they are now.
    Raises `MayNotDecide`, `NothingToDecide`, and as `confirm` does; nothing is queued
    then.
    """
    approval = _fresh(approval)
    _need_waiting(approval)
    need_may_decide(approval, actor.user)
    if why := _why_not_as_asked(approval):
        raise _void(approval, actor, why)
    if not pulse.is_trusted(db_clock.now()):
        raise NothingToDecide(
            "Nothing was sent: the clock does not run, or has not looked yet whether "
            "this database is a restored backup. Try again in a minute."
        )
    decision = Decision(approval, note)
    try:
        with transaction.atomic():
            operation = confirm(
                approval.write, actor, decision=decision, **approval.said()
            )
            approval.refresh_from_db()
            if (approval.state, approval.decided_by_id) != (
                State.APPROVED,
                actor.user and actor.user.pk,
            ):
                raise NothingToDecide(became(approval))
            # Planning a large file takes a while: things may be otherwise by now.
            now = _fresh(approval)
            need_may_decide(now, actor.user)
            if why := _why_not_as_asked(now):
                raise NothingToDecide(f"Nothing was sent: {why}")
    except NotApproved:
        raise _void(approval, actor, CHANGED) from None
    except RepeatFound as found:
        why = f"The same content was sent meanwhile, as write {found.earlier.pk}."
        raise _void(approval, actor, why) from None
    except AlreadyDecided as error:
        raise _void(approval, actor, str(error)) from None
    return operation


def _void(approval: Approval, actor: Actor, why: str) -> NothingToDecide:
    """End what cannot be approved as it was asked; return what to raise.

    Unless somebody was first: then it is told what they did.
    """
    now = db_clock.now()
    with transaction.atomic():
        _lock(approval.write_id)
        if (
            Approval.objects.open(now)
            .filter(pk=approval.pk)
            .end("void", why, actor=actor)
        ):
            _keep_draft(approval, now)
    return NothingToDecide(became(_fresh(approval)))


def refuse(approval: Approval, actor: Actor, *, note: str) -> None:
    """Refuse, with a note for the requester; the draft stays a draft.

    Raises `MayNotDecide` and `NothingToDecide`.
    """
    approval = _fresh(approval)
    _need_waiting(approval)
    need_may_decide(approval, actor.user)
    with transaction.atomic():
        _lock(approval.write_id)
        mine = Approval.objects.open(db_clock.now()).filter(pk=approval.pk)
        if not mine.end("refused", actor=actor, note=note):
            raise NothingToDecide(became(_fresh(approval)))
        _keep_draft(approval, db_clock.now())
        tell_approval.tell(approval, Notice.Event.REFUSED)


def withdraw(write: Write, actor: Actor) -> None:
    """Take back what was asked about a draft. Raises `NothingToDecide`."""
    with transaction.atomic():
        _lock(write.pk)
        if not write.approvals.end("withdrawn", actor=actor):
            raise NothingToDecide("Nothing was changed: it waits for no approval.")


def end_overdue(now: datetime) -> int:
    """End what nobody can approve any more; return how many those were."""
    waiting = Approval.objects.waiting()
    expired = waiting.filter(expires_at__lte=now)
    ended = 0
    for approval in list(expired.select_related("write")):
        with transaction.atomic():
            _lock(approval.write_id)
            if Approval.objects.filter(pk=approval.pk).end("expired"):
                ended += 1
                _keep_draft(approval, now)
                tell_approval.tell(approval, Notice.Event.EXPIRED)
    changed = waiting.exclude(
        write__state=Write.State.DRAFT, write__edition=F("edition")
    )
    return ended + changed.end("void", "The draft was changed.")


def _lock(write: int) -> None:
    """Wait for whoever else decides about this write.

    Confirming locks the write before the approval: in another order two would wait for
    each other, and the database would end one of them.
    """
    Write.objects.select_for_update().values_list("pk").get(pk=write)


def _keep_draft(approval: Approval, now: datetime) -> None:
    """Leave the requester a day to come back to the draft, before it is swept."""
    drafts = Write.objects.filter(state=Write.State.DRAFT, pk=approval.write_id)
    drafts.update(changed_at=now)


def end_restored(reason: str) -> int:
    """Make void what waits in a database that may be a restored back-up.

    It may have been approved and sent after the back-up was made. Returns how many.
    """
    return Approval.objects.end("void", reason)


# --- Who may ------------------------------------------------------------------------


def need_may_decide(approval: Approval, person: User | None) -> None:
    """Raise `MayNotDecide` unless `person` may approve or refuse it as things are."""
    write = approval.write
    environment = write.project.environment
    # As it is now: roles stay with the object of who asked for the page.
    person = person and User.objects.filter(pk=person.pk, is_active=True).first()
    least = _least_role_of(approval)
    if person is None or role_in(person, environment) < least:
        place = EnvironmentControl.objects.of(environment)
        raise MayNotDecide(f"This needs the {least.word} role in {place}.")
    if person.pk == approval.requested_by_id or (
        person.get_username() == approval.requested_by_name
    ):
        raise MayNotDecide("You asked for it: another person decides.")
    if person.pk == write.started_by_id or (
        write.authors.filter(person=person).exists()
    ):
        raise MayNotDecide("You made or changed this draft: another person decides.")


def _least_role_of(approval: Approval) -> Role:
    """Return the role that who decides needs: of the rules then and now the higher."""
    then = Role[approval.least_role.upper()]
    return max(least_role(rules_for(approval.write)), then)


def approvers_of(approval: Approval) -> list[User]:
    """Return the people who could approve of what waits."""
    least = _least_role_of(approval)
    return may_approve(approval.write, approval.requested_by, least=least)


def may_approve(
    write: Write, requester: User | None = None, *, least: Role | None = None
) -> list[User]:
    """Return the people who could approve of `write` if `requester` asked for it.

    They need the role of its rules, or `least`.
    """
    least = least or least_role(rules_for(write))
    environment = write.project.environment
    granted = Q(grants__environment=environment, grants__role__in=_from(least))
    found = User.objects.filter(Q(is_superuser=True) | granted, is_active=True)
    authors = {*write.authors.values_list("person", flat=True), write.started_by_id}
    mine = {*authors, requester and requester.pk}
    return [
        person
        for person in found.distinct().order_by("username")
        if person.pk not in mine
    ]


def _from(least: Role) -> Iterable[str]:
    return [role.word for role in Role if role >= least]


def _why_not_as_asked(approval: Approval) -> str:
    """Say why what was asked could not be sent by who asked now, "" where it could."""
    asked = approval.requested_by
    environment = approval.project.environment
    if not (asked and asked.is_active and role_in(asked, environment) >= Role.OPERATOR):
        return f"{approval.requested_by_name} may not write there any more."
    control = EnvironmentControl.objects.of(environment)
    if control.needs_reason and not approval.reason:
        return f"{control} requires a reason or ticket by now, and none was given."
    return ""


# --- Where it stands ----------------------------------------------------------------


def _fresh(approval: Approval) -> Approval:
    """Return it as it is now, with its write and people: others change them, too."""
    names = ("write__integration__project", "write__resends", "requested_by")
    return Approval.objects.select_related(*names).get(pk=approval.pk)


def _need_waiting(approval: Approval) -> None:
    if not Approval.objects.open(db_clock.now()).filter(pk=approval.pk).exists():
        # As it is now: somebody may have decided since it was read.
        raise NothingToDecide(became(_fresh(approval)))


def became(approval: Approval) -> str:
    """Say what became of it, for who comes late."""
    by = approval.decided_by_name
    if approval.state == State.APPROVED:
        return f"{by} approved it, and it was queued."
    if approval.write.state == Write.State.CONFIRMED:
        # Approved when it was asked again, or no rule wanted an approval any more.
        said = f"{by} refused it." if approval.state == State.REFUSED else ""
        return f"{said} It was queued without this approval.".strip()
    match approval.state:
        case State.REFUSED:
            return f"Nothing was sent: {by} refused it."
        case State.WITHDRAWN:
            return "Nothing was sent: it was withdrawn."
        case State.VOID:
            return f"Nothing was sent. {approval.why}"
        case State.WAITING if approval.expires_at > db_clock.now():
            return "Nothing was sent: the draft was changed after it was asked about."
    return "Nothing was sent: it expired. Whoever asked can ask again."
