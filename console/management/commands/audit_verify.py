"""Prove that no event of the audit trail was changed or removed."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from console.audit_seal import keys
from console.health import audit_head
from console.health.audit_head import Head, UnreadableHead
from console.models import AuditEvent

# What nobody can prove who has no copy elsewhere.
LIMITS = (
    "This proves that nobody without a key of AUDIT_KEYS or FIELD_KEYS changed an "
    "event, took one out, or cut off one that was there when a head was noted. It "
    "proves nothing against who has a key, and nothing of what was cut off before it "
    "was noted. Who can write to DATA_DIR can take the note away as well: the log "
    "holds every head that was noted."
)


class Command(BaseCommand):
    """`manage.py audit_verify`: walk the sealed chain, then look for its noted head."""

    help = (
        "Check the seals of the audit trail, and that it still holds the head that was "
        "noted last; exit 1 where it does not."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--restored",
            action="store_true",
            help="the database is a restored back-up: note its head in place of the "
            "lost one, and keep that as an event",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print how many events there are and the head, or what does not hold."""
        # Before the walk: what is added meanwhile is not missing.
        before, problem = _noted()
        _check_chain()
        if before and not before.is_held:
            problem = _lost(before)
        if problem and not options["restored"]:
            raise CommandError(problem)
        if problem:
            _replace_head(before)
        head = audit_head.newest()
        self.stdout.write(f"{AuditEvent.objects.count():,} events, unbroken.")
        if head:
            audit_head.note(head)
            self.stdout.write(f"Last event: {head.number}, hash {head.hash}")
        self.stdout.write(
            f"The head noted before was {before}."
            if before
            else "No head was noted before: what was cut off until now does not show. "
            "Compare with the log."
        )
        self.stdout.write(LIMITS)


def _noted() -> tuple[Head | None, str]:
    """Return the head that was noted last, and what is wrong with the note."""
    try:
        return audit_head.noted(), ""
    except UnreadableHead as error:
        return None, (
            f"{error} So it cannot be told whether events were cut off at the end. "
            "Compare with the heads in the log; audit_verify --restored then notes the "
            "present one."
        )


def _check_chain() -> None:
    broken = AuditEvent.objects.first_broken()
    if broken is None:
        return
    where = f"row {broken.pk}, {broken.at:%Y-%m-%d %H:%M:%S} UTC, “{broken}”"
    if broken.key_id not in keys():
        raise CommandError(
            f"The chain breaks at {where}: none of the keys in AUDIT_KEYS and "
            f"FIELD_KEYS sealed it (it names key {broken.key_id or 'none'}). If a key "
            "was taken out, add it at the end of AUDIT_KEYS; otherwise somebody wrote "
            "this row who has no key."
        )
    raise CommandError(
        f"The chain breaks at {where}: it was changed, or the row before it was "
        "changed or removed."
    )


def _lost(before: Head) -> str:
    """Say that the trail lost the head that was noted."""
    now = audit_head.newest()
    ends = f"Now it ends with {now}." if now else "Now it is empty."
    return (
        f"Events are missing. The trail ended with {before} when its head was noted, "
        f"and does not hold that any more. {ends} Either events were deleted, or this "
        "database is a back-up that was made before: a restored back-up ends earlier, "
        "and that is no attack. If you restored one, run audit_verify --restored; if "
        "nobody did, keep the database, DATA_DIR/audit-head and the log as they are."
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
