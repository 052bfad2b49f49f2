"""Drafts for tests, and what the sandbox received of them."""

import io
import json
import uuid
from typing import Any
from wsgiref.util import setup_testing_defaults

from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.test import Client as Browser
from django.utils import timezone

from ampersand import RequestInvalid
from console.models import Integration, NoActiveKey, Project, WriteObject
from operations.models import Operation
from operations.worker.watch import watch
from sandbox.app import Sandbox
from tests.conftest import actor
from writes import requests
from writes.actions import begin_job, release_parts, settle
from writes.actions.confirm import confirm as confirm_write
from writes.actions.confirm import review_token
from writes.actions.save_draft import save_draft
from writes.models import FileJob, Write
from writes.storage import stored
from writes.worker import run_job, send

State = Operation.State


def make_draft(
    integration: Integration,
    user: User,
    *,
    object_name: str = "contact",
    action: str = "",
    record: dict[str, Any] | None = None,
    csv: bytes | None = None,
    url: str = "",
    faulty: bool = False,
    **values: Any,
) -> Write:
    """Return a draft of one record, of a CSV or of a URL.

    A CSV has been checked; one that cannot be sent as it is has to be called `faulty`.
    """
    target = {
        "integration": integration,
        "object_name": object_name,
        "group_ref": "demo-group-id",
        "group_name": "Demo customer",
    }
    token = uuid.uuid4()
    if csv is not None:
        values |= {
            "source": "csv",
            "action": action or "upsert",
            "file_name": "contacts.csv",
            "original": stored(ContentFile(csv), "original"),
            "is_ready": False,
        }
        write = save_draft(token=token, actor=actor(user), **(target | values))
        check_draft(write)
        assert write.is_ready != faulty, write.check_report
        return write
    if url:
        values |= {"source": "url", "action": "upsert", "url": url}
    else:
        fields = {"LastName": "Berg"} if record is None else record
        text = json.dumps(fields)
        values |= {"source": "record", "action": action or "create"}
        values["record"] = text
        values["row_count"] = 1
    return save_draft(token=token, actor=actor(user), **(target | values))


def check_draft(write: Write) -> None:
    """Have the file of a draft checked here and now, whatever its size and kind."""
    job = begin_job.begin(write, "check", size=0)
    run_job.run(job.pk)
    job.refresh_from_db()
    assert job.state == "done", job.problem
    write.refresh_from_db()


def have_jobs_done() -> None:
    """Do what a worker for files does with all that waits for it."""
    for job in FileJob.objects.filter(state=FileJob.State.WAITING):
        run_job.run(job.pk)


def confirm(write: Write, user: User, **said: Any) -> Operation:
    """Confirm a draft as `user`; return the operation of its first part.

    A test that sends the same content twice and is about something else gives a
    `repeat_reason`.
    """
    return confirm_write(write, actor(user), **said)


def press_send(
    browser: Browser, write: Write, said: dict[str, Any] | None = None, **options: Any
) -> Any:
    """Press Send on the review of a draft as it is now; `said` is typed beside it."""
    draft = Write.objects.get(pk=write.pk)
    try:
        reviewed = review_token(draft, requests.prepare_shown(draft))
    except (NoActiveKey, RequestInvalid, KeyError, FileNotFoundError):
        # Its page has nothing to show either.
        reviewed = ""
    form = {"reviewed": reviewed, **(said or {})}
    return browser.post(f"/writes/{draft.pk}/send/", form, **options)


def settled(write: Write, user: User) -> Write:
    """Send a draft, and have nothing more to learn of it: its rows are joined."""
    confirm(write, user)
    work_off()
    Operation.objects.update(due_at=None)
    work_off()
    write.refresh_from_db()
    return write


def work_off() -> None:
    """Do what workers and clock do until nothing moves: send, watch, join the rows."""
    for _ in range(100):
        waiting = list(Operation.objects.filter(state=State.WAITING))
        running = list(Operation.objects.filter(state=State.IN_PROGRESS))
        for operation in waiting:
            send.send(operation.pk)
        for operation in running:
            assert operation.due_at
            watch([operation.pk], operation.due_at)
        released = release_parts.release_held(timezone.now())
        begun = settle.join_told(timezone.now())
        for job in FileJob.objects.filter(state__in=FileJob.OPEN):
            run_job.run(job.pk)
        if not (waiting or running or released or begun):
            return
    raise AssertionError("It never comes to rest.")


def states(write: Write) -> list[str]:
    """Return the states of the operations of a write, part by part."""
    found = write.batches.order_by("number")
    return list(found.values_list("operation__state", flat=True))


def fault_integration(project: Project, fault: str) -> Integration:
    """Return the project's integration, with the object that has `fault`."""
    integration = project.integrations.get()
    name = f"fault_{fault}__c"
    WriteObject.objects.get_or_create(integration=integration, name=name)
    return integration


def get(sandbox: Sandbox, path: str) -> Any:
    """GET a path of the sandbox in-process and return its JSON."""
    environ: dict[str, Any] = {"wsgi.input": io.BytesIO()}
    path, _, environ["QUERY_STRING"] = path.partition("?")
    environ["PATH_INFO"] = path
    setup_testing_defaults(environ)
    body = b"".join(sandbox(environ, lambda *_: lambda _: None))
    return json.loads(body)


def plan_fault(sandbox: Sandbox, request: int, fault: str) -> None:
    """Have the write request that comes as the n-th from now meet a fault."""
    told = call_sandbox(sandbox, "/sandbox/plan", {"write": request, "fault": fault})
    assert told["fault"] == fault


def call_sandbox(sandbox: Sandbox, path: str, said: Any, *, key: str = "") -> Any:
    """POST something to the sandbox in-process, as another program; return its JSON."""
    body = json.dumps(said).encode()
    environ: dict[str, Any] = {
        "wsgi.input": io.BytesIO(body),
        "CONTENT_LENGTH": str(len(body)),
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "HTTP_X_API_KEY": key,
    }
    setup_testing_defaults(environ)
    return json.loads(b"".join(sandbox(environ, lambda *_: lambda _: None)))


def received(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Return every write request that the sandbox has received."""
    requests: list[dict[str, Any]] = get(sandbox, "/sandbox/requests")
    return requests


def records(sandbox: Sandbox, object_name: str) -> list[dict[str, Any]]:
    """Return the records of one object in the sandbox."""
    found: list[dict[str, Any]] = get(sandbox, f"/sandbox/records/{object_name}")
    return found
