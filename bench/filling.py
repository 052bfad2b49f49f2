"""A console's database as it looks after so many operations.

Operations are told by their age: 0 is the newest, one began every five minutes. What
an operation is depends on its age alone, so that the newest page shows the same
however many there are below it. The older ones are copies of the newest thousand. The
oldest twentieth is of a customer, a project, a person … that have had nothing since:
whoever asks for those must not walk through all that came later.
"""

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from copying import (
    add_terms,
    add_value,
    copy_newest,
    last_rows,
    lengthen_log,
    make_former,
    tidy,
    without_indexes,
)
from django.contrib.auth.models import User
from django.utils import timezone

from console.environments import Environment
from console.models import Grant, Group, Integration, Project
from console.models.grant import give
from operations.models import Failure, LogEntry, Operation, OperationTransition
from operations.outcome.error_kinds import counted
from writes.models import Batch, Write

PROJECTS = 5
GROUPS = 20
EVERY = timedelta(minutes=5)
# All but the times repeats, so that most can be copied inside the database.
REPEATS = 1_000
# Entries of most logs.
ENTRIES = 10
# One in so many is of those that have had nothing since.
FORMER = 20
# Some rows of these failed; their logs have 1,000 entries, and a million.
LONG_AGE, LONGEST_AGE = 175, 275
LONG_LOG, LONGEST_LOG = 1_000, 1_000_000
# Of those that failed, each has one of so many errors.
ERRORS = 40

State = Operation.State
# Of a hundred operations that ended; 1 % stay unknown for ever.
ENDED = (
    *(State.SUCCEEDED,) * 70,
    *(State.PARTLY_FAILED,) * 11,
    *(State.FAILED,) * 8,
    *(State.COMPLETED,) * 4,
    *(State.REJECTED,) * 4,
    *(State.CANCELLED,) * 2,
    State.UNKNOWN,
)
SENT = (State.IN_PROGRESS, *Operation.ENDED)


def fill(count: int, *, longest_log: int = 0) -> None:
    """Put `count` operations with their writes and logs into an empty database.

    One of them gets a log of `longest_log` entries, if that is more than it has.
    """
    user = User.objects.create_user("operator")
    give(user, dict.fromkeys(Environment.values, Grant.Role.ADMIN))
    integrations = [
        _integration(number, "production" if number else "sandbox")
        for number in range(PROJECTS)
    ]
    now = timezone.now()
    operations = [
        _operation(count - age, age, integrations, user, now)
        for age in reversed(range(REPEATS))
    ]
    Operation.objects.bulk_create(operations)
    Write.objects.bulk_create(map(_write, operations))
    Batch.objects.bulk_create(map(_batch, operations))
    LogEntry.objects.bulk_create(_entries(count, operations), batch_size=REPEATS)
    Failure.objects.bulk_create(map(_failure, filter(_has_failed, operations)))
    OperationTransition.objects.bulk_create(_transitions(operations))
    former, last = _integration(PROJECTS, "test"), last_rows()
    with without_indexes():
        for block in range(1, count // REPEATS):
            copy_newest(count, REPEATS, block, block * REPEATS * EVERY, last)
        make_former(former, count // FORMER)
        add_terms()
        lengthen_log(count - LONGEST_AGE, LONG_LOG, longest_log)
    add_value()
    tidy()


def state_at(age: int) -> Operation.State:
    """Return the state of the operation of this age; only the newest still run."""
    if age < 20 and age % 2 == 0:
        return State.IN_PROGRESS
    # 37 and 100 have no common divisor: each hundred holds all, well mixed.
    return ENDED[age * 37 % 100]


def _integration(number: int, environment: str) -> Integration:
    project = Project.objects.create(
        name=f"Project {number}",
        remote_id=f"project-{number}",
        environment=environment,
    )
    integration = Integration.objects.create(
        project=project, name="salesforce", remote_id="salesforce"
    )
    Group.objects.bulk_create(
        Group(integration=integration, group_ref=f"group-{n}", name=f"Customer {n}")
        for n in range(GROUPS)
    )
    return integration


def _operation(
    pk: int, age: int, integrations: list[Integration], user: User, now: datetime
) -> Operation:
    state, began = state_at(age), now - age * EVERY
    integration = integrations[age % PROJECTS]
    is_known = state in SENT
    failed = age % 50 if state == State.PARTLY_FAILED else 0
    remote = {"id": f"remote-{pk}", "status": "success", "actionType": "write"}
    return Operation(
        pk=pk,
        project_id=integration.project_id,
        environment=integration.project.environment,
        integration=integration,
        action="upsert",
        source="url",
        write_number=pk,
        object_name=("account", "contact", "opportunity")[age % 3],
        group_ref=f"group-{age % GROUPS}",
        started_by=user,
        started_by_name=user.username,
        state=state,
        remote_id=f"remote-{pk}" if is_known else "",
        record_id=f"003{pk:015}",
        request_id=f"req-{pk}",
        purpose=f"Ticket OPS-{pk}",
        remote_status="success" if is_known else "",
        answer={"operation": remote, "write": {"operationId": f"remote-{pk}"}},
        rows_sent=1_000,
        rows_succeeded=1_000 - failed if state in Operation.ENDED else None,
        rows_failed=failed if state in Operation.ENDED else None,
        reason="" if state == State.SUCCEEDED else "Some rows were not written.",
        created_at=began,
        sent_at=None if state == State.CANCELLED else began,
        answered_at=began if is_known else None,
        ended_at=began + EVERY if state in Operation.ENDED else None,
        due_at=now + timedelta(hours=1) if state == State.IN_PROGRESS else None,
        asked_count=4 if is_known else 0,
        asked_at=began if is_known else None,
    )


def _write(operation: Operation) -> Write:
    return Write(
        pk=operation.pk,
        token=uuid.UUID(int=operation.pk),
        state=Write.State.CONFIRMED,
        source=Write.Source.URL,
        action=Write.Action.UPSERT,
        integration_id=operation.integration_id,
        object_name=operation.object_name,
        group_ref=operation.group_ref,
        primary_key="external_id__c",
        url="https://files.example.com/rows.csv",
        file_name=f"accounts_march_{operation.pk}x.csv",
        started_by_id=operation.started_by_id,
        started_by_name=operation.started_by_name,
        created_at=operation.created_at,
        confirmed_at=operation.created_at,
    )


def _batch(operation: Operation) -> Batch:
    return Batch(
        write_id=operation.pk,
        operation_id=operation.pk,
        method="PUT",
        url="https://write.withampersand.com/v1/projects/p/integrations/i/objects/o",
        body='{"groupRef": "g", "recordsURL": "https://files.example.com/rows.csv"}',
        masked_key="…-KEY",
        sha256="0" * 64,
        size=80,
    )


def _entries(count: int, operations: list[Operation]) -> Iterator[LogEntry]:
    for operation in operations:
        age = count - operation.pk
        length = LONG_LOG if age in (LONG_AGE, LONGEST_AGE) else ENTRIES
        if operation.state in SENT:
            yield from (_entry(operation, n) for n in range(1, length + 1))


def _entry(operation: Operation, number: int) -> LogEntry:
    text = "Job is still in progress. Please try again later."
    raw: dict[str, Any] = {"severity": "INFO", "message": {"msg": text}}
    tells = number == 4 and operation.state == State.PARTLY_FAILED
    if tells:
        text = "Some records are not processed successfully."
        error = "REQUIRED_FIELD_MISSING:Required fields are missing:Name --"
        keys = [f"key-{n}" for n in range(operation.rows_failed or 0)]
        raw = {"severity": "ERROR", "message": {"failedCreates": {error: keys}}}
    return LogEntry(
        operation=operation,
        sequence=number,
        timestamp=operation.created_at,
        severity=raw["severity"],
        text=text,
        raw=raw,
        fingerprint=f"{number:064}",
        tells_outcome=tells,
    )


def _transitions(operations: list[Operation]) -> Iterator[OperationTransition]:
    for operation in operations:
        ways = ["", "waiting", "sending", "in_progress", operation.state]
        if operation.state not in SENT:
            ways = ["", "waiting", operation.state]
            if operation.state != State.CANCELLED:
                ways.insert(2, "sending")
        pairs = zip(ways, ways[1:], strict=False)
        for number, (before, after) in enumerate(pairs, start=1):
            if before != after:
                yield OperationTransition(
                    operation=operation,
                    number=number,
                    from_state=before,
                    to_state=after,
                    at=operation.created_at,
                )


def _has_failed(operation: Operation) -> bool:
    return operation.state in Operation.ENDED_BADLY


def error_of(number: int) -> str:
    """Return the text of the error that an operation of this number has, if any."""
    column = f"Field_{'abcdefghij'[number % 10]}_{number % ERRORS}__c"
    return f"REQUIRED_FIELD_MISSING:Required fields are missing:{column} --"


def _failure(operation: Operation) -> Failure:
    [failure] = counted({error_of(operation.pk): operation.rows_failed or 1_000})
    failure.operation = operation
    return failure
