"""Drafts for tests, and what the sandbox received of them."""

import io
import json
import uuid
from typing import Any
from wsgiref.util import setup_testing_defaults

from django.contrib.auth.models import User

from console.models import Integration, Project, WriteObject
from sandbox.app import Sandbox
from writes import files
from writes.drafts import save_draft, stored
from writes.models import Write


def make_draft(
    integration: Integration,
    user: User,
    *,
    object_name: str = "contact",
    action: str = "create",
    record: dict[str, Any] | None = None,
    csv: bytes | None = None,
    url: str = "",
    **values: Any,
) -> Write:
    """Return a draft of one record, of a CSV or of a URL."""
    target = {
        "integration": integration,
        "object_name": object_name,
        "group_ref": "demo-group-id",
        "group_name": "Demo customer",
    }
    token = uuid.uuid4()
    if csv is not None:
        check = files.check(csv, primary_key=values["primary_key"])
        assert not check.blocks, check.findings
        values |= {
            "source": "csv",
            "action": "upsert",
            "file_name": "contacts.csv",
            "original": stored(csv, "original"),
            "as_sent": stored(check.as_sent, "as_sent"),
            "check_report": check.as_json(),
            "row_count": check.rows,
        }
    elif url:
        values |= {"source": "url", "action": "upsert", "url": url}
    else:
        fields = {"LastName": "Berg"} if record is None else record
        text = json.dumps(fields)
        values |= {"source": "record", "action": action, "record": text}
        values["row_count"] = 1
    return save_draft(token=token, user=user, **target, **values)


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


def received(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Return every write request that the sandbox has received."""
    requests: list[dict[str, Any]] = get(sandbox, "/sandbox/requests")
    return requests


def records(sandbox: Sandbox, object_name: str) -> list[dict[str, Any]]:
    """Return the records of one object in the sandbox."""
    found: list[dict[str, Any]] = get(sandbox, f"/sandbox/records/{object_name}")
    return found
