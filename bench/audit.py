"""The audit trail with a million events: how long it is verified, in how much memory.

On SQLite a hundred thousand. Its pages are measured by `history.py`.
"""

import sys
import time
from datetime import timedelta

import running
from figures import figure, finish
from memory import forget_peak, peak, resident

COUNTS = {"postgresql": 1_000_000, "sqlite": 100_000}
BLOCK = 5_000
USERS = 40
ACTIONS = ("write.confirmed", "write.drafted", "user.signed_in", "file.downloaded")
RARE = 150


def main() -> None:
    """Fill, and walk all of it."""
    with running.settings():
        from django.core.management import call_command
        from django.db import connection

        count = COUNTS[connection.vendor]
        prefix = f"audit_{connection.vendor}"
        count = int(sys.argv[1]) if sys.argv[1:2] and sys.argv[1].isdigit() else count
        call_command("migrate", verbosity=0)
        began = time.perf_counter()
        fill(count)
        figure(f"{prefix}_filling", time.perf_counter() - began, "s")
        walk(prefix, count)
    finish()


def fill(count: int) -> None:
    """Add sealed events in blocks; they lie two minutes apart, the last is of now."""
    from copying import tidy
    from django.utils import timezone

    from console.audit_seal import sign
    from console.models import AuditEvent

    now, previous, block = timezone.now(), "", []
    for n in range(count):
        is_rare = n % RARE == 0
        event = AuditEvent(
            at=now - (count - n) * timedelta(minutes=2),
            actor_name=f"user-{n % USERS}",
            action="key.revoked" if is_rare else ACTIONS[n % len(ACTIONS)],
            subject=f"Upsert 1,000 rows for customer {n % 5000}",
            subject_url=f"/operations/{n // 3}/",
            project_name=f"Project {n % 7}",
            environment="sandbox" if is_rare else "production",
            address=f"203.0.113.{n % 50}",
            correlation_id=f"{n // 2:032x}",
            detail={"write": n // 3, "operation": n // 3, "reason": "TICKET-1"},
        )
        sign(event, previous)
        previous = event.hash
        block.append(event)
        if len(block) == BLOCK:
            AuditEvent.objects.bulk_create(block)
            block = []
    AuditEvent.objects.bulk_create(block)
    tidy()


def walk(prefix: str, count: int) -> None:
    """Verify all of it in bounded memory."""
    from console.health import audit_chain

    forget_peak()
    before = resident()
    began = time.perf_counter()
    walked = audit_chain.walk()
    figure(f"{prefix}_verify", time.perf_counter() - began, "s")
    # The sign-in of the measurement itself is an event, too.
    figure(f"{prefix}_verified", walked.count - count, "events more", at_most=5)
    figure(f"{prefix}_verify_memory", peak() - before, "MiB", at_most=64)


if __name__ == "__main__":
    main()
