"""What an earlier release stored is still there, and its pages still open."""

import hashlib
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client as Browser
from django.utils import timezone

from console.models import Integration
from operations.models import Operation
from sandbox.app import Sandbox
from tests.writes.making import received
from writes import sending, settling, sweep
from writes.models import Write

BEFORE = [("writes", "0001_initial"), ("operations", "0001_initial")]
CSV = b"external_id__c,LastName\r\nk-1,Berg\r\n"
AS_SENT = CSV.replace(b"\r\n", b"\n")

pytestmark = pytest.mark.django_db(transaction=True)


def migrate(targets: list[tuple[str, str]]) -> Any:
    """Migrate to `targets` and return the models as they were then."""
    executor = MigrationExecutor(connection)
    executor.migrate(targets)
    return MigrationExecutor(connection).loader.project_state(targets).apps


@pytest.fixture
def first_release(integration: Integration) -> Iterator[Any]:
    """The models of the first release."""
    latest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    yield migrate(BEFORE)
    migrate(latest)


@pytest.fixture
def old(
    first_release: Any, integration: Integration, olga: User, tmp_path: Path
) -> dict[str, int]:
    """Writes as the first release left them, by what they are."""
    models = first_release
    (tmp_path / "writes").mkdir()

    def sha256(data: bytes) -> str:
        return hashlib.sha256(data).hexdigest()

    def write(state: str, **values: Any) -> Any:
        number = models.get_model("writes", "Write").objects.count()
        names = {}
        for kind, data in (("original", CSV), ("as_sent", AS_SENT)):
            names[kind] = f"writes/{number}.{kind}.csv"
            (tmp_path / names[kind]).write_bytes(data)
        report = {
            "original_sha256": sha256(CSV),
            "original_size": len(CSV),
            "as_sent_sha256": sha256(AS_SENT),
            "as_sent_size": len(AS_SENT),
            "rows": 1,
            "columns": ["external_id__c", "LastName"],
            "key": "external_id__c",
            "findings": [],
            "totals": {},
            "conversions": ["2 line ends CRLF go out as LF."],
            "preview": [["k-1", "Berg"]],
        }
        return models.get_model("writes", "Write").objects.create(
            state=state,
            source="csv",
            action="upsert",
            integration_id=integration.pk,
            object_name="contact",
            group_ref="demo-group-id",
            primary_key="external_id__c",
            file_name="contacts.csv",
            check_report=report,
            row_count=1,
            started_by_id=olga.pk,
            started_by_name="olga",
            confirmed_at=timezone.now() if state == "confirmed" else None,
            **names,
            **values,
        )

    def confirmed(state: str, **values: Any) -> Any:
        made = write("confirmed", **values)
        url = "http://sandbox.invalid/v1/projects/demo/integrations/salesforce"
        body = {"primaryKey": "external_id__c", "groupRef": "demo-group-id"}
        sent = {**body, "recordsCSV": AS_SENT.decode()}
        operation = models.get_model("operations", "Operation").objects.create(
            project_id=integration.project_id,
            integration_id=integration.pk,
            action="upsert",
            object_name="contact",
            started_by_name="olga",
            state=state,
            rows_sent=1,
            due_at=timezone.now() if state == "waiting" else None,
        )
        exact = json.dumps(sent, ensure_ascii=False, separators=(",", ":")).encode()
        models.get_model("writes", "Batch").objects.create(
            write=made,
            operation=operation,
            method="PUT",
            url=f"{url}/objects/contact:async",
            body=json.dumps({**body, "recordsCSV": None}),
            masked_key="••••-KEY",
            sha256=sha256(exact),
            size=len(exact),
        )
        return made

    parent = confirmed("succeeded")
    made = {
        "draft": write("draft"),
        "discarded": write("discarded"),
        "confirmed": parent,
        "waiting": confirmed("waiting"),
        "again": confirmed("partly_failed", again_of=parent),
    }
    return {name: each.pk for name, each in made.items()}


@pytest.fixture
def now(old: dict[str, int]) -> dict[str, int]:
    """The same after the migration."""
    migrate(MigrationExecutor(connection).loader.graph.leaf_nodes())
    return old


def every_page_opens(now: dict[str, int], browser: Browser) -> None:
    assert browser.get("/").status_code == 200
    assert browser.get("/operations/").status_code == 200
    for name, pk in now.items():
        for path in ("", "file/", "rows/", "again/", "status/", "rows/panel/"):
            answer = browser.get(f"/writes/{pk}/{path}", follow=True)
            assert answer.status_code == 200, (name, path)
        for path in ("original.csv", "as-sent.csv"):
            answer = browser.get(f"/writes/{pk}/{path}")
            assert answer.status_code == 200, (name, path)
            answer.close()


def each_has_come_into_its_state(now: dict[str, int]) -> None:
    for pk in now.values():
        write = Write.objects.get(pk=pk)
        steps = write.transitions.values_list("from_state", "to_state")
        wanted = [] if write.is_draft else [("draft", write.state)]
        assert [*steps] == [("", "draft"), *wanted]
        for batch in write.batches.all():
            last = batch.operation.transitions.last()
            assert last.to_state == batch.operation.state


def a_draft_is_checked_anew(now: dict[str, int], browser: Browser) -> None:
    pk = now["draft"]
    write = Write.objects.get(pk=pk)
    assert (write.is_draft, write.is_ready) == (True, False)
    browser.post(f"/writes/{pk}/send/")
    write.refresh_from_db()
    assert write.is_draft
    browser.post(f"/writes/{pk}/file/", {"do": "check"})
    write.refresh_from_db()
    assert write.is_ready
    assert write.path_of("as_sent").read_bytes() == AS_SENT


def what_was_sent_again_knows_its_parent(now: dict[str, int]) -> None:
    again = Write.objects.get(pk=now["again"])
    assert (again.parent_id, again.relation) == (now["confirmed"], "again")
    assert again.inspection["sha256"] == hashlib.sha256(CSV).hexdigest()
    assert again.check_report["changes"][0]["what"].startswith("2 line ends")


def what_was_sent_can_be_sent_again(
    now: dict[str, int], browser: Browser, target: dict[str, Any]
) -> None:
    pk = now["confirmed"]
    form = browser.get(f"/writes/{pk}/again/", follow=True).context["form"]
    values = {
        **target,
        "token": form.initial["token"],
        "again": pk,
        "primary_key": "external_id__c",
    }
    browser.post("/writes/csv/", values)
    child = Write.objects.get(parent_id=pk, state="draft")
    assert child.is_ready
    assert child.path_of("as_sent").read_bytes() == AS_SENT


def what_waited_is_sent_as_it_was_confirmed(sandbox: Sandbox) -> None:
    operation = Operation.objects.get(state="waiting")
    sending.send(operation.pk)
    operation.refresh_from_db()
    assert operation.state == "in_progress", operation.reason
    batch = operation.batch
    assert received(sandbox)[0]["bodySha256"] == batch.sha256


def the_sweep_takes_it_in_time(tmp_path: Path) -> None:
    Operation.objects.filter(state="in_progress").update(state="failed", due_at=None)
    assert settling.join_told(timezone.now()) == 0
    for days in (40, 42):
        sweep.sweep(timezone.now() + timedelta(days=days))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_what_the_first_release_stored_lives_on(
    now: dict[str, int],
    sandbox: Sandbox,
    browser: Browser,
    target: dict[str, Any],
    tmp_path: Path,
) -> None:
    """One test, since migrating to and fro takes seconds."""
    every_page_opens(now, browser)
    each_has_come_into_its_state(now)
    what_was_sent_again_knows_its_parent(now)
    a_draft_is_checked_anew(now, browser)
    what_was_sent_can_be_sent_again(now, browser, target)
    what_waited_is_sent_as_it_was_confirmed(sandbox)
    the_sweep_takes_it_in_time(tmp_path)
