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
from django.core.files.base import ContentFile  # noqa: E402
from django.db import transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from ampersand import SecretStr  # noqa: E402
from console import freeze  # noqa: E402
from console.access.roles import Role  # noqa: E402
from console.actor import Actor  # noqa: E402
from console.models import (  # noqa: E402
    ApiKey,
    EnvironmentControl,
    FirstPassword,
    Group,
    Integration,
    Project,
    WriteObject,
)
from operations.models import Gate, LogEntry, Operation  # noqa: E402
from tests.browser.conftest import PASSWORD  # noqa: E402
from tests.browser.stage_approvals import approvals  # noqa: E402
from tests.browser.stage_runs import runs  # noqa: E402
from tests.conftest import actor, make_user, stored_operation  # noqa: E402
from tests.writes.making import check_draft, make_draft  # noqa: E402
from writes.actions import pause  # noqa: E402
from writes.actions.confirm import confirm  # noqa: E402
from writes.actions.save_draft import save_draft  # noqa: E402
from writes.models import FileJob, Write  # noqa: E402
from writes.storage import stored  # noqa: E402
from writes.worker import check_file  # noqa: E402

ROWS = "external_id__c,Name,StageName,CloseDate,Amount\n"
CONTACT = {"FirstName": "Mara", "LastName": "Berg", "Email": "mara@example.com"}
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
    people()
    demo = Integration.objects.get(project__name="Demo", remote_id="salesforce")
    live = production()
    made = {f"sent {name}": sent(write, user) for name, write in writes(demo, user)}
    made |= drafts(demo, live, user)
    made |= files(demo, user)
    made |= approvals(demo, live, user)
    made |= parts(demo, user)
    made |= states(live, user)
    silent(live)
    made |= unknown_outcomes(live, user)
    made |= frozen(user)
    made |= runs(user)
    made["project"] = demo.project.get_absolute_url()
    made["empty project"] = empty_project().get_absolute_url()
    made["fields"] = field_list(demo).get_absolute_url()
    made["group"] = (
        f"/connections/groups/{demo.groups.get(group_ref='demo-group-id').pk}/edit/"
    )
    made["integration"] = f"/connections/integrations/{demo.pk}/edit/"
    return made


def people() -> None:
    """Make people with other roles than the demo's user."""
    made = [
        make_user("vera", Role.VIEWER),
        make_user("olga", Role.OPERATOR),
        # May write in the sandbox, look at production, and has no role in test.
        make_user("eve", sandbox=Role.OPERATOR, production=Role.VIEWER),
        make_user("tess", test=Role.VIEWER),
    ]
    for person in made:
        person.set_password(PASSWORD)
        person.save()
    # They chose it.
    FirstPassword.objects.all().delete()
    # More than one page of them.
    for number in range(60):
        name = f"person-{number:02}"
        email = f"{name}@{'a-long-name-of-a-company-' * (number % 3)}.example.com"
        User.objects.create(username=name, email=email, is_active=number % 5 > 0)


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


def field_list(demo: Integration) -> WriteObject:
    """Return an object with a list of its fields."""
    row = WriteObject.objects.get(integration=demo, name="account")
    row.fields = [
        {"name": "Name", "label": "Account Name", "length": 255, "is_required": True},
        {"name": "tier__c", "type": "picklist", "values": ["Gold", "Silver"]},
        {"name": "Total__c", "is_creatable": False, "is_updateable": False},
    ]
    row.fields_from = WriteObject.FieldsFrom.DESCRIBE
    row.fields_at = timezone.now()
    row.save()
    return row


def empty_project() -> Project:
    """Return a project to which nothing was added."""
    return Project.objects.create(name="New", remote_id="new", environment="test")


def writes(demo: Integration, user: User) -> list[tuple[str, Write]]:
    """Return what is sent for real, with the name of what becomes of it."""
    key: dict[str, Any] = {"primary_key": "external_id__c"}
    key["object_name"] = "opportunity"
    return [
        ("succeeded", make_draft(demo, user, record=CONTACT)),
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
    return confirm(write, actor(user)).get_absolute_url()


def drafts(demo: Integration, live: Integration, user: User) -> dict[str, str]:
    """Return the addresses of drafts that wait for Review, one of each kind."""
    key: dict[str, Any] = {
        "primary_key": "external_id__c",
        "object_name": "opportunity",
    }
    crlf = csv(400).replace(b"\n", b"\r\n")
    made = {
        "review record": make_draft(demo, user, record={"LastName": "Holm"}),
        "review repeat": make_draft(demo, user, record=CONTACT),
        "review update": make_draft(
            live, user, action="update", record_id="0035f00000AbCdEAAV"
        ),
        "review csv": make_draft(demo, user, csv=crlf, **key),
        "review url": make_draft(
            demo, user, url="https://files.example.com/opportunities.csv?part=1", **key
        ),
    }
    return {name: write.get_absolute_url() for name, write in made.items()}


def files(demo: Integration, user: User) -> dict[str, str]:
    """Return the addresses of files that wait for their operator, in each state."""
    dirty = [*csv(40).decode().splitlines(), "opp-0001,Twice,New,12/31/2024,1.5", ""]
    dirty += ["opp-9999,Short", ",No key,New,2024-05-01,1"]
    semicolons = csv(9).decode().replace(",", ";").replace("Süd", "Süd – ")
    broken = {
        "findings": "\n".join(dirty).encode(),
        "doubts": semicolons.encode("cp1252"),
        "refusal": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
        "waiting": csv(2),
        "mended": csv(12),
    }
    made = {name: file_draft(demo, user, text) for name, text in broken.items()}
    made["mended"].recipe_json = {
        "columns": {"Amount": {"name": ""}, "Name": {"name": "Name", "trim": True}},
        "constants": [["Type", "New Business"]],
        "left_out": [[3, 5]],
        "cells": [[2, "StageName", "Closed Won"]],
    }
    made["mended"].save()
    for name, write in made.items():
        if name != "waiting":
            check_draft(write)
    FileJob.objects.create(
        write=made["waiting"],
        kind=FileJob.Kind.CHECK,
        edition=made["waiting"].edition,
        state=FileJob.State.RUNNING,
        step="Checking",
        total_bytes=40_000_000,
        done_bytes=27_000_000,
        done_rows=16_213,
        due_at=timezone.now() + timedelta(days=1),
    )
    return {
        f"file {name}": f"{write.get_absolute_url()}file/"
        for name, write in made.items()
    }


def file_draft(demo: Integration, user: User, content: bytes) -> Write:
    """Return the draft of an uploaded file at which nobody has looked yet."""
    return save_draft(
        token=uuid.uuid4(),
        actor=actor(user),
        integration=demo,
        source="csv",
        action="upsert",
        object_name="opportunity",
        primary_key="external_id__c",
        group_ref="demo-group-id",
        group_name="Demo customer",
        file_name=f"{LONG}.csv",
        original=stored(ContentFile(content), "original"),
        is_ready=False,
    )


def parts(demo: Integration, user: User) -> dict[str, str]:
    """Return the addresses of what goes in parts: ended, stopped, on its way …"""
    # As if 2,000 bytes were all that one request takes: the same with fewer rows.
    check_file.LARGEST_CSV = 2_000  # type: ignore[attr-defined]
    key: dict[str, Any] = {"primary_key": "external_id__c"}
    names = {
        "ended": "opportunity",
        "stopped": "fault_401__c",
        "moving": "fault_never_ends__c",
        "paused": "fault_never_ends__c",
        "parallel": "fault_never_ends__c",
        "review": "opportunity",
    }
    made = {}
    for name, object_name in names.items():
        rows = b"external_id__c,Name\n" + b"".join(
            b"%b-%04d,%b\n" % (name.encode(), number, b"x" * 40)
            for number in range(100)
        )
        text = csv(60) if name == "ended" else rows
        write = make_draft(demo, user, csv=text, object_name=object_name, **key)
        if name == "parallel":
            write.revise(is_parallel=True)
        if name != "review":
            sent(write, user)
        if name == "paused":
            pause.pause(write, actor(user))
        made[f"parts {name}"] = write.get_absolute_url()
    return made


def silent(live: Integration) -> None:
    """Have the Ampersand of a project not answer since some minutes."""
    now = timezone.now()
    Gate.objects.create(
        project=live.project,
        opened_at=now - timedelta(minutes=7),
        try_at=now + timedelta(minutes=4),
        open_seconds=240,
        last_failure="The host name could not be found.",
    )


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
        name: stored_operation(**common, **{"action": "create", **values})
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
        Operation(
            **common,
            environment=live.project.environment,
            state="cancelled",
            action="create",
            ended_at=now,
        )
        for _ in range(60)
    ]
    Operation.objects.bulk_create(many)
    return {f"state {name}": one.get_absolute_url() for name, one in made.items()}


def unknown_outcomes(live: Integration, user: User) -> dict[str, str]:
    """Return the addresses of what nobody knows about yet, sent some hours ago."""
    key: dict[str, Any] = {"primary_key": "external_id__c"}
    record = {"LastName": "Berg", "Email": "mara@example.com", "external_id__c": "m-1"}
    made = {
        "create": make_draft(live, user, record=record),
        "file": make_draft(live, user, csv=csv(8), **key),
        "address": make_draft(live, user, url="https://files.example.com/x", **key),
    }
    cut = '{"operationId":"0a055ea1-f152-43e7-9504-8575810c7323","res'
    single = '{"result":{"success":true,"recordId":"003xx000004TmiQAAS","da'
    addresses = {}
    for name, write in made.items():
        # No worker sees it before it is as it shall be.
        with transaction.atomic():
            sent(write, user)
            operations = Operation.objects.filter(batch__write=write)
            operations.update(
                state="unknown",
                sent_at=timezone.now() - timedelta(hours=3),
                due_at=None,
                reason="The answer was cut off.",
                remote_status="200",
                answer={"status": 200, "body": single if name == "create" else cut},
            )
        page = f"{operations.get().get_absolute_url()}reconcile/"
        addresses[f"reconcile {name}"] = page
    return addresses


def frozen(user: User) -> dict[str, str]:
    """Return the address of what waits in an environment that is frozen."""
    project = Project.objects.create(
        name="Rehearsal", remote_id="rehearsal", environment="test"
    )
    waiting = stored_operation(
        project=project,
        action="upsert",
        object_name="opportunity",
        started_by=user,
        started_by_name=user.username,
        purpose="CASE-1207, before the launch",
        state="waiting",
        due_at=timezone.now(),
    )
    control = EnvironmentControl.objects.of("test")
    why = f"The price list of {LONG} was wrong: nothing goes out until it is fixed"
    freeze.freeze(control, Actor(name="olga"), reason=why)
    return {"state frozen": waiting.get_absolute_url()}


def one_of_each(now: datetime) -> dict[str, dict[str, Any]]:
    """Return what tells apart operations in states that pass fast or never come."""
    far = now + timedelta(days=1)
    return {
        "cancelled": {"state": "cancelled", "ended_at": now},
        "waiting": {
            "state": "waiting",
            "due_at": far,
            "attempts": 2,
            "reason": "The host name could not be found.",
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
