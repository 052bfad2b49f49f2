"""Sending notices: to a webhook, or as e-mail; what is not taken is tried again.

Nothing is sent within a transaction. A worker that dies between sending and noting it
leaves the notice due, so that it is sent once more, with the same id.
"""

import logging
import smtplib
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from django.contrib.auth.models import User
from django.core import mail
from django.db.models import F

from ampersand.posting import PostFailed
from console.access.roles import Role, role_in
from console.connections import webhooks
from console.health import pulse
from console.models import Webhook
from console.runtime import db_clock
from writes.display.notice import message, subject, text
from writes.models import Notice
from writes.models.notice import OLDEST

log = logging.getLogger(__name__)

SECONDS = 10.0
# A worker of this queue has other work, too.
LONGEST = 20.0
# After so many seconds it is tried again; the last one counts from then on.
PAUSES = (60, 300, 900, 3600, 7200)
# So long a webhook is let be that did not take a notice, twice as long each time.
SHORTEST_REST = timedelta(seconds=30)
LONGEST_REST = timedelta(minutes=15)


class NotTaken(Exception):
    """It was not taken; the text says why.

    `is_final` where trying again is no use, `is_alone` where others may be taken.
    """

    def __init__(
        self, why: str, *, is_final: bool = False, is_alone: bool = False
    ) -> None:
        super().__init__(why)
        self.is_final = is_final
        self.is_alone = is_final or is_alone


def post(notice_ids: Sequence[int]) -> None:
    """Post notices of one webhook in their order, until it does not take one."""
    webhook_ids = set()
    for notice in _in_time(notice_ids, person=None):
        webhook = cast(Webhook, notice.webhook)
        webhook_ids.add(webhook.pk)
        if not _try(notice, _to_webhook):
            _rest(webhook)
            return
    # It may be told at once of what comes next.
    Webhook.objects.filter(pk__in=webhook_ids).update(try_at=None)


def send_mail(notice_ids: Sequence[int]) -> None:
    """Send notices as e-mail, until the server does not take one."""
    for notice in _in_time(notice_ids, webhook=None):
        if not _try(notice, _as_mail):
            return


def _in_time(notice_ids: Sequence[int], **of: Any) -> Iterator[Notice]:
    """Yield those that are due, as long as there is time: the others come again.

    None while the database may be a restored back-up: the clock drops what was told.
    """
    until = time.monotonic() + LONGEST
    found = Notice.objects.filter(pk__in=notice_ids, due_at__isnull=False, **of)
    names = ("webhook", "person", "write__integration__project")
    for notice in found.select_related(*names).order_by("pk"):
        if time.monotonic() < until and pulse.is_trusted(db_clock.now()):
            yield notice


def _try(notice: Notice, send: Callable[[Notice, datetime], None]) -> bool:
    """Send a notice if nobody else does; tell whether the next may be tried."""
    now = db_clock.now()
    mine = Notice.objects.filter(
        pk=notice.pk, due_at__isnull=False, attempts=notice.attempts
    )
    if not mine.update(attempts=F("attempts") + 1):
        return True
    claimed = Notice.objects.filter(pk=notice.pk, attempts=notice.attempts + 1)
    if now - notice.at > OLDEST:
        claimed.update(due_at=None, problem=notice.problem or "It came too late.")
        return True
    try:
        send(notice, now)
    except NotTaken as error:
        log.info("Notice %s was not taken: %s", notice.uid, error)
        pause = PAUSES[min(notice.attempts, len(PAUSES) - 1)]
        due_at = None if error.is_final else now + timedelta(seconds=pause)
        claimed.update(due_at=due_at, problem=str(error)[:200])
        return error.is_alone
    claimed.update(due_at=None, sent_at=now, problem="")
    return True


def _to_webhook(notice: Notice, now: datetime) -> None:
    webhook = cast(Webhook, notice.webhook)
    try:
        said = message(notice)
        webhooks.tell(webhook, said, notice.uid, now=now, seconds=SECONDS)
    except PostFailed as error:
        Webhook.objects.filter(pk=webhook.pk).update(
            failures=F("failures") + 1, problem=str(error)[:200]
        )
        raise NotTaken(str(error)) from None
    Webhook.objects.filter(pk=webhook.pk).update(told_at=now, failures=0, problem="")


def _rest(webhook: Webhook) -> None:
    """Let a webhook be that did not take a notice: others wait with it."""
    fresh = Webhook.objects.defer("address", "secret").filter(pk=webhook.pk).first()
    failures = fresh.failures if fresh else 1
    rest = min(SHORTEST_REST * 2 ** min(failures - 1, 10), LONGEST_REST)
    hook = Webhook.objects.filter(pk=webhook.pk)
    hook.update(try_at=db_clock.now() + rest)


def _as_mail(notice: Notice, now: datetime) -> None:
    person = cast(User, notice.person)
    if not _may_know(person, notice):
        raise NotTaken("Its person may not see this any more.", is_final=True)
    letter = mail.EmailMessage(
        subject=subject(notice),
        body=text(notice),
        to=[person.email],
        headers={"Message-ID": f"<{notice.uid}@write-console>"},
    )
    try:
        letter.send()
    except smtplib.SMTPRecipientsRefused as error:
        # What begins with 4 may be taken later, as where a server puts off strangers.
        is_final = all(code >= 500 for code, _ in error.recipients.values())
        why = "The mail server refused the address."
        raise NotTaken(why, is_final=is_final, is_alone=True) from None
    except (OSError, smtplib.SMTPException, ValueError) as error:
        why = f"The mail server did not take it ({type(error).__name__})."
        raise NotTaken(why) from None


def _may_know(person: User, notice: Notice) -> bool:
    """Tell whether a person has an address, and a role where it happened, by now."""
    role = role_in(person, notice.write.project.environment)
    return bool(person.is_active and person.email and role >= Role.VIEWER)
