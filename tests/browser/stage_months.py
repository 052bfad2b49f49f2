"""Three months of writes into production, for those who look back at them.

Run as `python -m tests.browser.stage_months` with the environment of a console that has
not been started yet: each write goes through the console's own functions and workers to
a sandbox in this process, as if it were that day. Prints what an auditor looks for, as
JSON.
"""

import json
import math
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, tzinfo
from typing import Any
from unittest.mock import patch

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.utils import timezone  # noqa: E402

from console.access.roles import Role  # noqa: E402
from console.actor import Actor  # noqa: E402
from console.models import FirstPassword, Group, Integration  # noqa: E402
from operations.models import Operation  # noqa: E402
from operations.worker.count_days import count_marked  # noqa: E402
from tests.browser.conftest import PASSWORD  # noqa: E402
from tests.conftest import make_project, make_user, sandboxed  # noqa: E402
from tests.writes.making import make_draft, work_off  # noqa: E402
from writes.actions.confirm import confirm  # noqa: E402

HEAD = "external_id__c,Name,StageName,CloseDate,Amount\n"
NORTHWIND, FABRIKAM = "demo-group-id", "sample-org-id"
NAMES = {NORTHWIND: "Northwind Traders", FABRIKAM: "Fabrikam GmbH"}
# What is looked for: it failed twice, and was written in the end.
KEY = "NW-000417"
LOST = {"LastName": "Lindqvist", "Email": "lindqvist@example.com"}


def main() -> dict[str, Any]:
    """Make all of it, the oldest first, and say what is to be found."""
    this_month = timezone.localtime().replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )
    last_month = _month_before(this_month)
    before = _month_before(last_month)
    with _as_of(before + timedelta(days=1)):
        live = _production()
        omar = _people()
    with sandboxed(clock=lambda: timezone.now().timestamp()):
        for day, hour, minute, customer, action, content in _writes():
            month = {-2: before, -1: last_month, 0: this_month}[day[0]]
            moment = month + timedelta(days=day[1] - 1, hours=hour, minutes=minute)
            # What is of this month may not lie ahead.
            moment = max(month, min(moment, timezone.now() - timedelta(minutes=2)))
            with _as_of(moment):
                _send(live, omar, customer, action, content)
    count_marked(seconds=math.inf)
    wanted = Operation.objects.filter(
        group_ref=NORTHWIND, action="upsert", rows_failed__gt=0
    ).filter(created_at__gte=last_month, created_at__lt=this_month)
    return {
        "failed": sorted(wanted.values_list("pk", flat=True)),
        "key": KEY,
        "month": last_month.strftime("%Y-%m"),
        "unknown": Operation.objects.get(state="unknown").pk,
    }


def _month_before(month: datetime) -> datetime:
    """Return the first moment of the month before, where the clocks stand then."""
    day = (month - timedelta(days=1)).date().replace(day=1)
    return timezone.make_aware(datetime(day.year, day.month, 1))  # noqa: DTZ001


@contextmanager
def _as_of(moment: datetime) -> Iterator[None]:
    """Have it be `moment` now, and time go on from there."""
    shift = moment - timezone.now()

    class Then(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) + shift

    # What `timezone.now` asks; models hold that function itself as a default.
    with patch.object(timezone, "datetime", Then):
        yield


def _production() -> Integration:
    project = make_project(
        "Live CRM",
        environment="production",
        write_url="https://sandbox.invalid/v1",
    )
    live: Integration = project.integrations.get()
    live.groups.all().delete()
    for group_ref, name in NAMES.items():
        Group.objects.create(integration=live, group_ref=group_ref, name=name)
    return live


def _people() -> User:
    """Return who wrote; the auditor may look at production, and do nothing else."""
    omar = make_user("omar", production=Role.OPERATOR)
    auditor = make_user("auditor", production=Role.VIEWER)
    auditor.set_password(PASSWORD)
    auditor.save()
    FirstPassword.objects.all().delete()
    return omar


def _writes() -> Iterator[tuple[tuple[int, int], int, int, str, str, Any]]:
    """Yield month and day, hour, minute, customer, action and content of each."""
    yield (-2, 9), 10, 12, NORTHWIND, "upsert", _csv("NW", 401, 30, failing={405, 417})
    yield (-2, 20), 15, 40, FABRIKAM, "upsert", _csv("FB", 1, 25, failing={7})
    yield (-1, 3), 9, 5, NORTHWIND, "upsert", _csv("NW", 401, 12)
    yield (-1, 5), 11, 31, NORTHWIND, "create", {"LastName": "Berg", "Phone": "7"}
    # Those that are there already may lack what is required: their update succeeds.
    failing = {417, *range(440, 460, 3)}
    yield (-1, 12), 14, 3, NORTHWIND, "upsert", _csv("NW", 401, 130, failing=failing)
    yield (-1, 13), 8, 55, FABRIKAM, "upsert", _csv("FB", 1, 60, failing={7, 33, 34})
    yield (-1, 19), 16, 20, NORTHWIND, "upsert", _csv("NW", 700, 40, failing={702, 733})
    yield (-1, 20), 10, 0, FABRIKAM, "create", {"LastName": "Holm"}
    yield (-1, 27), 16, 45, FABRIKAM, "create", LOST
    yield (0, 1), 9, 0, NORTHWIND, "upsert", _csv("NW", 401, 150, failing={549})
    yield (0, 1), 9, 30, FABRIKAM, "upsert", _csv("FB", 90, 20)


def _csv(name: str, first: int, count: int, *, failing: set[int] = frozenset()) -> str:  # type: ignore[assignment]
    """Return a file of opportunities; those of `failing` lack what is required."""
    return HEAD + "".join(
        f"{name}-{n:06},Renewal {n},{'' if n in failing else 'Prospecting'},"
        f"2026-12-{n % 28 + 1:02},{n * 125}.50\n"
        for n in range(first, first + count)
    )


def _send(
    live: Integration, user: User, customer: str, action: str, content: Any
) -> None:
    """Confirm a write as its page does, and have it end."""
    operation = _confirmed(live, user, customer, action, content)
    if content == LOST:
        return _lose(operation)
    work_off()
    Operation.objects.update(due_at=None)
    return work_off()


def _confirmed(
    live: Integration, user: User, customer: str, action: str, content: Any
) -> Operation:
    values: dict[str, Any] = {"group_ref": customer, "group_name": NAMES[customer]}
    if isinstance(content, str):
        values |= {"object_name": "opportunity", "primary_key": "external_id__c"}
        values |= {"csv": content.encode()}
    else:
        values |= {"record": content}
    write = make_draft(live, user, action=action, **values)
    by = Actor(user, user.username, "203.0.113.17", uuid.uuid4().hex)
    return confirm(write, by, reason=f"CASE-{1200 + write.pk}")


def _lose(operation: Operation) -> None:
    """Have the answer never come, and nobody look into it."""
    now = timezone.now()
    operation.change(only_from=("waiting",), state="sending", sent_at=now)
    operation.change(
        only_from=("sending",),
        state="unknown",
        reason="No answer came within 60 seconds.",
        due_at=None,
        ended_at=now,
    )


if __name__ == "__main__":
    json.dump(main(), sys.stdout)
