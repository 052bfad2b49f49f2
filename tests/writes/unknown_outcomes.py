"""What the tests share that are about an outcome which nobody knows."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from ampersand import WriteResult
from console.models import AuditEvent, Project
from operations.models import Operation
from sandbox.app import Sandbox
from tests.audit_watch import Watch
from tests.writes.making import (
    confirm,
    fault_integration,
    make_draft,
    received,
    records,
    work_off,
)
from writes.models import Batch

State = Operation.State

CSV = b"external_id__c,Name\nk-1,One\nk-2,Two\nk-3,Three\n"
SINGLE_FAULTS = ["timeout_after", "reset_before", "truncated", "500"]


def left_unknown(
    sandbox: Sandbox,
    project: Project,
    user: User,
    fault: str = "timeout_after",
    **values: Any,
) -> Batch:
    """Send something to the object that has `fault`, and return what stays unknown."""
    name = f"fault_{fault}__c"
    integration = fault_integration(project, fault)
    common: dict[str, Any] = {"record": {"Name": "Berg"}, "object_name": name}
    if values.get("action") == "update":
        confirm(make_draft(integration, user, **common), user)
        work_off()
        unknown = Operation.objects.filter(state=State.UNKNOWN)
        unknown.update(resolved_at=timezone.now())
        # Some faults let nothing be created.
        found = records(sandbox, name)
        values["record_id"] = str(found[0]["Id"]) if found else "003xx0000000001AAA"
    if "csv" in values:
        values.setdefault("primary_key", "external_id__c")
    write = make_draft(integration, user, **{**common, **values})
    confirm(write, user)
    work_off()
    # Of several parts the others are held back.
    batch = write.batches.select_related("operation").get(number=1)
    assert batch.operation.state == State.UNKNOWN, batch.operation.reason
    return batch


def url(batch: Batch, action: str = "") -> str:
    return f"/operations/{batch.operation_id}/reconcile/{action}"


def fresh(batch: Batch) -> Operation:
    return Operation.objects.get(pk=batch.operation_id)


def begun(sandbox: Sandbox) -> str:
    """Return the id of the last operation that the sandbox began."""
    return str(received(sandbox)[-1]["operationId"])


def result(**values: Any) -> WriteResult:
    """Return what the client makes of an answer that says that it was taken."""
    empty = {"record_id": None, "operation_id": None, "data": None, "request_id": None}
    told = {"errors": (), "warnings": (), "status_code": 200}
    told["is_accepted"] = "operation_id" in values
    return WriteResult(**{**empty, **told, "raw": "", **values})


def audited(action: str) -> AuditEvent:
    return AuditEvent.objects.get(action=action)


def just_before(
    monkeypatch: pytest.MonkeyPatch,
    module: ModuleType,
    name: str,
    happens: Callable[[], object],
) -> None:
    """Let something happen once, just before the next call of a function."""
    really = getattr(module, name)

    def called(*args: Any) -> Any:
        monkeypatch.setattr(module, name, really)
        with Watch.off():
            happens()
        return really(*args)

    monkeypatch.setattr(module, name, called)
