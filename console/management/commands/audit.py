"""`manage.py audit`: prove that the audit trail is whole, or guard it anew."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction

from console import audit_guard
from console.health import audit_chain, audit_head
from console.health.audit_head import Head, UnreadableHead
from console.models import AuditEvent

# What nobody can prove who has no copy elsewhere.
LIMITS = (
    "This proves that nobody without a key of AUDIT_KEYS or FIELD_KEYS changed an "
    "event, took one out, or cut off one that was there when a head was noted. It "
    "proves nothing against who has a key, and nothing of what was cut off before it "
    "was noted. Who can write to DATA_DIR can take the note away as well, or put an "
    "older one in its place: the log holds every head that was noted."
)


class Command(BaseCommand):
    """`audit verify` looks at everything; `audit guard` puts the triggers back."""

    help = "Verify the audit trail, or put the triggers back that guard it."

    def add_arguments(self, parser: CommandParser) -> None:
        parts = parser.add_subparsers(dest="part", required=True)
        add_verify_arguments(parts.add_parser("verify", help=VERIFY_HELP))
        parts.add_parser("guard", help="put missing triggers back; kept as an event")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do one of the two."""
        if options["part"] == "guard":
            self.stdout.write(_guard())
            return
        verify(self.stdout, restored=options["restored"], clock=options["clock"])


VERIFY_HELP = (
    "Check the seals and times of the audit trail, its triggers, and that it still "
    "holds the head that was noted last; exit 1 where something is wrong."
)


def add_verify_arguments(parser: Any) -> None:
    """Add what `verify` takes, by either of its names."""
    parser.add_argument(
        "--restored",
        action="store_true",
        help="the database is a restored back-up: note its head in place of the lost "
        "one, and keep that as an event",
    )
    parser.add_argument(
        "--clock",
        type=int,
        metavar="EVENT",
        help="it is known why the clock was set back at this event: keep that as an "
        "event, and take its time as it is",
    )


def verify(stdout: Any, *, restored: bool, clock: int | None) -> None:
    """Print how many events there are and the head. Raises `CommandError`."""
    # Before the walk: what is added meanwhile is not missing.
    before, head_problem = _noted()
    walked = audit_chain.walk()
    broken = walked.broken
    if broken and (broken.kind, broken.event) == ("clock set back", clock):
        _accept_clock(broken)
        walked = audit_chain.walk()
    problems = [walked.broken.text] if walked.broken else []
    if before and not before.is_held:
        head_problem = _lost(before)
    if head_problem and (problems or not restored):
        problems.append(head_problem)
    if lost := audit_guard.missing(connection):
        problems.append(_unguarded(lost))
    if problems:
        raise CommandError("\n\n".join(problems))
    if head_problem:
        _replace_head(before)
    _say(stdout, walked.count + bool(head_problem), before)


def _say(stdout: Any, count: int, before: Head | None) -> None:
    stdout.write(f"{count:,} events, unbroken.")
    if head := audit_head.newest():
        audit_head.note(head)
        stdout.write(f"Last event: {head.number}, hash {head.hash}")
    stdout.write(
        f"The head noted before was {before}."
        if before
        else "No head was noted before: what was cut off until now does not show. "
        "Compare with the log."
    )
    stdout.write(LIMITS)


def _noted() -> tuple[Head | None, str]:
    """Return the head that was noted last, and what is wrong with the note."""
    try:
        return audit_head.noted(), ""
    except UnreadableHead as error:
        return None, (
            f"Changed head: {error} So it cannot be told whether events were cut off "
            "at the end. Compare with the heads in the log; audit verify --restored "
            "then notes the present one."
        )


def _lost(before: Head) -> str:
    """Say that the trail lost the head that was noted."""
    now = audit_head.newest()
    if now is None:
        what = "All events are missing: the audit trail is empty."
    elif AuditEvent.objects.filter(pk=before.number).exists():
        what = f"Another audit trail stands here: it has another event {before.number}."
    elif now.number < before.number:
        what = f"The end of the audit trail was cut off behind {now}."
    else:
        what = f"Events are missing, and others came since: it ends with {now}."
    return (
        f"{what} It ended with {before} when its head was noted. Either events were "
        "deleted or replaced, or this database is a back-up that was made before: a "
        "restored back-up ends earlier, and that is no attack. If you restored one, "
        "run audit verify --restored; if nobody did, keep the database, "
        "DATA_DIR/audit-head and the log as they are."
    )


def _unguarded(lost: list[str]) -> str:
    return (
        f"Missing triggers: {', '.join(lost)}. Somebody took them away, or the table "
        "is not the one that was made: the database does not refuse changes. Find out "
        "who did it, then run audit guard."
    )


def _accept_clock(broken: audit_chain.Break) -> None:
    AuditEvent.record(
        action=audit_chain.CLOCK_ACCEPTED,
        subject=f"Clock set back at event {broken.event}",
        detail={"event": broken.event},
    )


def _replace_head(before: Head | None) -> None:
    now = audit_head.newest()
    AuditEvent.record(
        action="audit.head_replaced",
        subject="Audit trail of a restored back-up",
        detail={
            "noted": before.as_json() if before else None,
            "ended_with": now.number if now else None,
        },
    )


def _guard() -> str:
    lost = audit_guard.missing(connection)
    if not lost:
        return "All triggers are there: nothing was changed."
    with transaction.atomic():
        audit_guard.install(connection)
        AuditEvent.record(
            action="audit.guarded",
            subject="Triggers of the audit trail, which were missing",
            detail={"missing": lost},
        )
    return f"Put back: {', '.join(lost)}."
