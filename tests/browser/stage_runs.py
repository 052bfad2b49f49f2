"""Runs for the tests that look at pages, in states that pass too fast or are rare.

Imported by tests/browser/stage.py once Django is set up. What a request came back with
is told to the console's own functions; those that go all the way go to the sandbox.
"""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from ampersand import BatchResult, OutcomeUnknown, Problem, Refused, RowResult
from console.models import Integration
from operations.models import Operation
from tests.conftest import actor
from tests.writes.making import make_draft
from writes.actions import pause
from writes.actions.confirm import confirm
from writes.models import Batch, Call, Write
from writes.worker import record_call

State = Operation.State
LACKS = "Required fields are missing: [LastName]"


def people(count: int, *, of: str, lacking: int = 0) -> bytes:
    """Return a file of contacts, the first `lacking` of which have no last name."""
    lines = ["LastName,FirstName,Email"]
    lines += [
        f"{'' if n < lacking else f'{of} {n}'},First {n},p{n}@example.com"
        for n in range(count)
    ]
    return "\n".join([*lines, ""]).encode()


def ids(count: int) -> bytes:
    """Return a file of record ids."""
    return "\n".join(["Id", *(f"003SB{n:010}" for n in range(count)), ""]).encode()


def runs(user: User) -> dict[str, str]:
    """Return the addresses of runs by what they show."""
    today = Integration.objects.get(project__name="Demo today")
    key = {"primary_key": "Id"}

    def draft(name: str, count: int = 450, *, lacking: int = 0) -> Write:
        csv = people(count, of=name, lacking=lacking)
        return make_draft(today, user, action="create", csv=csv)

    deletes = make_draft(today, user, action="delete", csv=ids(60), **key)
    wrong = make_draft(
        today,
        user,
        action="delete",
        csv=b"Id,Birthdate\n003SB0000000001,2001-12-31\n,\n",
        faulty=True,
        **key,
    )
    made = {
        "review": draft("review").get_absolute_url(),
        "review delete": deletes.get_absolute_url(),
        "findings": f"{wrong.get_absolute_url()}file/",
        "succeeded": confirm(draft("whole", 120), actor(user)).get_absolute_url(),
        "failures": confirm(
            draft("faulty", 250, lacking=12), actor(user)
        ).get_absolute_url(),
    }
    for name in ("under way", "unknown", "refused", "paused"):
        made[name] = _held(draft(name), user, name).get_absolute_url()
    unknown = Call.objects.filter(state=Call.State.UNKNOWN).latest("pk")
    made["request unknown"] = f"/writes/{unknown.batch.write_id}/requests/2/"
    made["request failures"] = f"/writes/{unknown.batch.write_id}/requests/1/"
    return {f"run {name}": address for name, address in made.items()}


def _held(write: Write, user: User, name: str) -> Operation:
    """Confirm a run and have its first requests fare as `name` says.

    In one transaction, so that no worker sees it before.
    """
    with transaction.atomic():
        operation = confirm(write, actor(user))
        batch = Batch.objects.get(operation=operation)
        now = timezone.now()
        operation.change(
            only_from=(State.WAITING,),
            state=State.IN_PROGRESS,
            sent_at=now - timedelta(minutes=2),
            answered_at=now,
            due_at=None,
        )
        Batch.objects.filter(pk=batch.pk).update(calls_due_at=now + timedelta(days=1))
        first, second, third = Call.objects.filter(batch=batch)[:3]
        record_call.record(_sending(first), _answer(first, failing=3))
        if name == "unknown":
            error = OutcomeUnknown("No answer came within 120 seconds")
            record_call.record(_sending(second), error)
        elif name == "refused":
            problem = Problem(status=401, detail="The API key is not valid.")
            record_call.record(_sending(second), Refused(problem))
        elif name == "paused":
            pause.pause(write, actor(user))
        else:
            record_call.record(_sending(second), _answer(second))
            _sending(third)
    return operation


def _sending(call: Call) -> Call:
    now = timezone.now()
    call.state, call.sent_at, call.due_at = 2, now, now + timedelta(days=1)
    call.attempts = 1
    call.save()
    return call


def _answer(call: Call, *, failing: int = 0) -> BatchResult:
    rows: list[Any] = [
        RowResult(state="failed", reason=LACKS)
        if n < failing
        else RowResult(state="succeeded", record_id=f"003SB{call.first_row + n:010}AAA")
        for n in range(call.row_count)
    ]
    return BatchResult(
        operation_id=f"0a055ea1-f152-43e7-9504-{call.pk:012}",
        status_code=422 if failing else 200,
        rows=tuple(rows),
        trust="position",
        reasons=(LACKS,) if failing else (),
        told=(call.row_count - failing, failing),
        request_id=None,
        raw='{"operationId":"…"}',
    )
