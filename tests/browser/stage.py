"""Something of everything in one console, for the tests that look at pages.

Run as `python -m tests.browser.stage` with the environment of that console: writes go
through the console's own functions and its worker to its sandbox. Prints the addresses
of what it made, as JSON.
"""

import json
import sys
import uuid
from datetime import datetime, timedelta
from typing import Any

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.test import RequestFactory  # noqa: E402
from django.utils import timezone  # noqa: E402

from ampersand import SecretStr  # noqa: E402
from console.models import (  # noqa: E402
    ApiKey,
    Group,
    Integration,
    Project,
    WriteObject,
)
from console.roles import Role  # noqa: E402
from operations.models import LogEntry, Operation  # noqa: E402
from tests.browser.conftest import PASSWORD  # noqa: E402
from tests.conftest import make_user  # noqa: E402
from tests.writes.making import make_draft  # noqa: E402
from writes import sending  # noqa: E402
from writes.models import Write  # noqa: E402

ROWS = "external_id__c,Name,StageName,CloseDate,Amount\n"
LONG = "Berufsunfähigkeitsversicherungsgesellschaft Süd-West, Geschäftsbereich 17"


def csv(count: int) -> bytes:
    """Return a CSV of opportunities; one row in five lacks what is required."""
    lines = [
        f'opp-{n:04},"{LONG if n % 3 == 0 else "Renewal"} {n}",'
        f"{'' if n % 5 == 0 else 'Prospecting'},2024-05-{n % 28 + 1:02},{n * 1250}.50\n"
        for n in range(1, count + 1)
    ]
    return (ROWS + "".join(lines)).encode()


def main() -> dict[str, str]:
    """Make everything and return its addresses by name."""
    user = User.objects.get(username="operator")
    for name, role in (("vera", Role.VIEWER), ("olga", Role.OPERATOR)):
        person = make_user(name, role)
        person.set_password(PASSWORD)
        person.save()
    demo = Integration.objects.get(project__name="Demo", remote_id="salesforce")
    live = production()
    made = {f"sent {name}": sent(write, user) for name, write in writes(demo, user)}
    made |= drafts(demo, live, user)
    made |= states(live, user)
    made["project"] = demo.project.get_absolute_url()
    made["empty project"] = empty_project().get_absolute_url()
    made["group"] = f"/connections/groups/{demo.groups.first().pk}/edit/"
    made["integration"] = f"/connections/integrations/{demo.pk}/edit/"
    return made


def production() -> Integration:
    """Return the integration of a project whose pages must say Production."""
    project = Project.objects.create(
        name="Live customers EMEA", remote_id="live", environment="production"
    )
    value = SecretStr("NEVER-USED-0000")
    ApiKey.objects.create(project=project, label="Main", value=value)
    integration = Integration.objects.create(
        project=project, name="salesforce", remote_id="salesforce"
    )
    WriteObject.objects.create(integration=integration, name="contact")
    Group.objects.create(
        integration=integration, group_ref="acme-0017", name="ACME Industries GmbH"
    )
    return integration


def empty_project() -> Project:
    """Return a project to which nothing was added."""
    return Project.objects.create(name="New", remote_id="new", environment="test")


def writes(demo: Integration, user: User) -> list[tuple[str, Write]]:
    """Return what is sent for real, with the name of what becomes of it."""
    contact = {"FirstName": "Mara", "LastName": "Berg", "Email": "mara@example.com"}
    key = {"primary_key": "external_id__c", "object_name": "opportunity"}
    return [
        ("succeeded", make_draft(demo, user, record=contact)),
        ("partly failed", make_draft(demo, user, csv=csv(40), **key)),
        (
            "upserted",
            make_draft(demo, user, csv=ROWS.encode() + csv(4)[len(ROWS) :], **key),
        ),
        ("failed", make_draft(demo, user, csv=b"external_id__c,Nome\na,b\n", **key)),
        *(
            (name, make_draft(demo, user, object_name=f"fault_{name}__c"))
            for name in ("401", "500")
        ),
        *(
            (
                name,
                make_draft(
                    demo,
                    user,
                    csv=b"external_id__c,Name\na,b\n",
                    object_name=f"fault_{name}__c",
                    primary_key="external_id__c",
                ),
            )
            for name in ("never_ends", "bulk_completed")
        ),
    ]


def sent(write: Write, user: User) -> str:
    """Confirm a draft as its page does, and return the address of the operation."""
    request = RequestFactory().post(write.get_absolute_url())
    request.user = user
    request.correlation_id = str(uuid.uuid4())  # type: ignore[attr-defined]
    return sending.confirm(write, request).get_absolute_url()


def drafts(demo: Integration, live: Integration, user: User) -> dict[str, str]:
    """Return the addresses of drafts that wait for Review, one of each kind."""
    key: dict[str, Any] = {
        "primary_key": "external_id__c",
        "object_name": "opportunity",
    }
    crlf = csv(400).replace(b"\n", b"\r\n")
    made = {
        "review record": make_draft(demo, user, record={"LastName": "Holm"}),
        "review update": make_draft(
            live, user, action="update", record_id="0035f00000AbCdEAAV"
        ),
        "review csv": make_draft(demo, user, csv=crlf, **key),
        "review url": make_draft(
            demo, user, url="https://files.example.com/opportunities.csv?part=1", **key
        ),
    }
    return {name: write.get_absolute_url() for name, write in made.items()}


def states(live: Integration, user: User) -> dict[str, str]:
    """Return addresses of operations in states that pass too fast to be looked at."""
    now = timezone.now()
    common: dict[str, Any] = {
        "project": live.project,
        "integration": live,
        "object_name": "contact",
        "group_ref": "acme-0017",
        "started_by": user,
        "started_by_name": user.username,
    }
    made = {
        name: Operation.objects.create(**common, **{"action": "create", **values})
        for name, values in one_of_each(now).items()
    }
    LogEntry.objects.bulk_create(
        LogEntry(
            operation=made["live partly failed"],
            sequence=number,
            timestamp=now + timedelta(seconds=number),
            severity="ERROR" if number % 7 == 0 else "INFO",
            text=f"Line {number} of a long log. {LONG}",
            raw={"message": {"msg": f"Line {number}", "customer": LONG}},
            fingerprint=f"line-{number}",
        )
        for number in range(1, 131)
    )
    many = [
        Operation(**common, state="cancelled", action="create", ended_at=now)
        for _ in range(60)
    ]
    Operation.objects.bulk_create(many)
    return {f"state {name}": one.get_absolute_url() for name, one in made.items()}


def one_of_each(now: datetime) -> dict[str, dict[str, Any]]:
    """Return what tells apart operations in states that pass fast or never come."""
    far = now + timedelta(days=1)
    return {
        "cancelled": {"state": "cancelled", "ended_at": now},
        "waiting": {
            "state": "waiting",
            "due_at": far,
            "attempts": 2,
            "reason": "the address of the server could not be found",
        },
        "sending": {"state": "sending", "sent_at": now, "due_at": far},
        "live unknown": {
            "state": "unknown",
            "sent_at": now,
            "reason": "No answer came within 60 seconds.",
        },
        "live partly failed": {
            "action": "upsert",
            "state": "partly_failed",
            "rows_sent": 12_431,
            "rows_succeeded": 11_990,
            "rows_failed": 441,
            "remote_id": "9b7c2e7e-3f0c-4a53-9f0e-6f5a4c3e2d1b",
            "remote_status": "partial",
            "sent_at": now,
            "answered_at": now,
            "ended_at": now,
        },
    }


if __name__ == "__main__":
    json.dump(main(), sys.stdout)
