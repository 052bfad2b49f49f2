"""The audit trail with a million events: each filter, its plan, the walk, its memory.

On SQLite a hundred thousand. Prints the median of each way to ask; a plan with a
sequential scan of the trail falls short.
"""

import statistics
import sys
import time
from datetime import timedelta

import running
from figures import figure, finish
from memory import forget_peak, peak, resident

COUNTS = {"postgresql": 1_000_000, "sqlite": 100_000}
TIMES = 5
BLOCK = 5_000
USERS = 40
ACTIONS = ("write.confirmed", "write.drafted", "user.signed_in", "file.downloaded")
RARE = 10_000

QUERIES = {
    "all": "",
    "old_page": "before={middle}",
    "action_frequent": "action=write.confirmed",
    "action_rare": "action=key.revoked",
    "actions_several": "action=key.revoked&action=user.signed_in",
    "action_none": "action=user.deleted",
    "user": "user=USER-7",
    "user_none": "user=nobody",
    "environment": "environment=production",
    "environment_rare": "environment=sandbox",
    "project": "project=project 3",
    "project_none": "project=none",
    "address": "address=203.0.113.7",
    "address_none": "address=198.51.100.1",
    "request": "request={request}",
    "write": "write={write}",
    "operation": "operation={write}",
    "write_none": "write=999999999",
    "month": "from={first}&to={last}",
    "old_month_of_user": "from={first}&to={last}&user=user-7",
    "user_and_action": "user=user-7&action=key.revoked",
    "text": "text=customer 12",
    "text_none": "text=nowhere",
    "text_of_user": "text=nowhere&user=user-7",
}


def main() -> None:
    """Fill, ask each way, walk all of it."""
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
        ask(prefix, count)
        walk(prefix, count)
    finish()


def fill(count: int) -> None:
    """Add sealed events in blocks; they lie two minutes apart, the last is of now."""
    from django.db import connection
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
    with connection.cursor() as cursor:
        is_postgres = connection.vendor == "postgresql"
        cursor.execute("VACUUM ANALYZE" if is_postgres else "ANALYZE")


def ask(prefix: str, count: int) -> None:
    """Draw the page with each filter, and look at the plans behind it."""
    from django.contrib.auth.models import User
    from django.db import connection
    from django.http import QueryDict
    from django.test import Client
    from django.utils import timezone

    from operations.views.audit import audit_events

    root = User.objects.create_superuser("root")
    browser = Client()
    browser.force_login(root)
    first = timezone.now() - count / 2 * timedelta(minutes=2)
    values = {
        "middle": count // 2,
        "request": f"{count // 4:032x}",
        "write": count // 5,
        "first": f"{first:%Y-%m-%d}",
        "last": f"{first + timedelta(days=30):%Y-%m-%d}",
    }
    for name, form in QUERIES.items():
        query = form.format(**values)
        seconds = []
        for _ in range(TIMES):
            began = time.perf_counter()
            response = browser.get(f"/audit/?{query}")
            seconds.append(time.perf_counter() - began)
            assert response.status_code == 200, query  # nosec B101 # noqa: S101 - of a measurement
        median = statistics.median(seconds) * 1000
        figure(f"{prefix}_page_{name}", median, "ms", at_most=250)
        chosen, events = audit_events(QueryDict(query), root)
        rest = chosen.within(events)
        plans = [
            rest[:51].explain(),
            rest.values("pk", "subject")[:20_001].explain(),
            events.values("pk")[:10_001].explain(),
        ]
        scan = "Seq Scan on console_auditevent"
        scans = (
            sum(scan in plan for plan in plans) if connection.vendor != "sqlite" else 0
        )
        figure(f"{prefix}_scans_{name}", scans, "plans", exactly=0)
        if scans or "-v" in sys.argv:
            print("\n".join(plans), flush=True)
    event = f"/audit/{count // 2}/"
    began = time.perf_counter()
    assert browser.get(event).status_code == 200  # nosec B101 # noqa: S101 - of a measurement
    figure(f"{prefix}_event", (time.perf_counter() - began) * 1000, "ms", at_most=250)


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
