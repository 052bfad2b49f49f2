"""A project that speaks the API of 2024-04: one POST, bulk jobs, the upload address.

Every exchange with the sandbox is held against the facts of Ampersand's document.
"""

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone

from ampersand import generation_b
from console.models import Project
from operations.display.sentence import sentence
from operations.models import Operation
from operations.worker.watch import watch
from sandbox import uploads
from sandbox.app import Sandbox
from tests.conftest import InLoop, forget_clients, make_project, speak_over
from tests.sandbox.contract import Validating
from tests.writes.making import (
    confirm,
    make_draft,
    plan_fault,
    press_send,
    received,
    records,
    states,
    work_off,
)
from writes.actions.confirm import review_token
from writes.models import Write
from writes.worker import check_file, send

State = Operation.State
KEY = "external_id__c"
ROWS = 3_000
DATA = f"{KEY},LastName\n".encode() + b"".join(
    b"k-%d,Name %d\n" % (n, n) for n in range(ROWS)
)
OTHER_RECORD = "003SB0000009999AAA"

pytestmark = pytest.mark.django_db


class Traffic(httpx.BaseTransport):
    """Passes on what is sent, and keeps it. The first `expired` uploads come late."""

    def __init__(self, app: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        self._inner = Validating(httpx.WSGITransport(app=app))
        self._monkeypatch = monkeypatch
        self.seen: list[httpx.Request] = []
        self.expired = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.seen.append(request)
        if request.method != "PUT" or not self.expired:
            return self._inner.handle_request(request)
        self.expired -= 1
        with self._monkeypatch.context() as patch:
            patch.setattr(uploads, "OPEN_FOR", -1)
            return self._inner.handle_request(request)

    def of(self, *methods: str) -> list[httpx.Request]:
        return [each for each in self.seen if each.method in methods]

    @property
    def uploading(self) -> list[str]:
        """The methods of all that is about an upload, and of the write."""
        told = [each for each in self.seen if "/operations/" not in each.url.path]
        return [each.method for each in told]


@pytest.fixture
def app() -> Sandbox:
    """A fresh sandbox."""
    return Sandbox(bulk_seconds=0)


@pytest.fixture
def traffic(app: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Traffic]:
    """What goes to the sandbox and what comes back, checked."""
    transport = Traffic(app, monkeypatch)
    speak_over(monkeypatch, transport, InLoop(transport))
    yield transport
    forget_clients()


@pytest.fixture
def project(traffic: Traffic) -> Project:
    """A project that speaks generation B."""
    return make_project("April", remote_id="demo-b", generation="B")


@pytest.fixture
def uploaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what has more than 100 bytes be too much for one request."""
    monkeypatch.setattr(check_file, "LARGEST_CSV", 100)


def drafted(project: Project, user: User, csv: bytes, **values: Any) -> Write:
    values.setdefault("primary_key", KEY)
    return make_draft(project.integrations.get(), user, csv=csv, **values)


def made(project: Project, user: User, **values: Any) -> Operation:
    """Confirm one record and do what workers do; return the operation."""
    operation = confirm(make_draft(project.integrations.get(), user, **values), user)
    work_off()
    operation.refresh_from_db()
    return operation


def sent(write: Write, user: User) -> Operation:
    """Confirm a draft and do what workers do; return its first operation."""
    operation = confirm(write, user)
    work_off()
    operation.refresh_from_db()
    write.refresh_from_db()
    return operation


def md5_of(data: bytes) -> str:
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()


# --- Records --------------------------------------------------------------------


@pytest.mark.parametrize("spelling", ["id", "Id"])
def test_a_record_is_created_and_updated(
    app: Sandbox, traffic: Traffic, project: Project, olga: User, spelling: str
) -> None:
    project.id_spelling = spelling
    project.save()
    created = made(project, olga)
    assert (created.state, created.remote_id) == (State.SUCCEEDED, "")
    updated = made(
        project,
        olga,
        action="update",
        record_id=created.record_id,
        record={"FirstName": "Ann"},
    )
    assert updated.state == State.SUCCEEDED
    assert records(app, "contact")[0]["FirstName"] == "Ann"
    body = json.loads(traffic.of("POST")[-1].content)
    assert body["record"] == {spelling: created.record_id, "FirstName": "Ann"}


def test_what_is_refused_says_why(project: Project, olga: User) -> None:
    refused = made(project, olga, record={"Nope__c": "x"})
    assert refused.state == State.REJECTED
    assert "No such column" in refused.reason


@pytest.mark.parametrize("kind", ["create", "upsert", "delete"])
def test_a_refusal_that_tells_of_a_server_error_is_unknown(
    app: Sandbox, project: Project, olga: User, kind: str
) -> None:
    plan_fault(app, 1, "server_error_422")
    if kind == "create":
        operation = made(project, olga)
    else:
        csv = f"{KEY}\nk-1\n".encode()
        operation = sent(drafted(project, olga, csv, action=kind), olga)
    assert operation.state == State.UNKNOWN


def test_one_record_is_not_deleted_but_as_the_row_of_a_file(
    browser: Browser, target: dict[str, Any]
) -> None:
    typed = {**target, "action": "delete", "record_id": OTHER_RECORD}
    answer = browser.post("/writes/record/", typed)
    assert answer.status_code == 422
    form = answer.context["form"]
    assert form.has_error("action", "not-capable")
    assert "Upload a CSV" in str(form.errors["action"])
    assert not Write.objects.exists()


@pytest.mark.parametrize("action", ["create", "update"])
def test_no_file_is_created_or_updated(
    browser: Browser, target: dict[str, Any], action: str
) -> None:
    typed = {**target, "action": action, "primary_key": "Id"}
    answer = browser.post("/writes/csv/", typed)
    assert answer.context["form"].has_error("action", "not-capable")


@pytest.mark.parametrize(
    ("path", "actions"), [("record", "create update"), ("csv", "delete upsert")]
)
def test_the_project_says_which_actions_its_api_has(
    browser: Browser, project: Project, path: str, actions: str
) -> None:
    page = browser.get(f"/writes/{path}/").content.decode()
    assert f'data-actions="{actions}"' in page


# --- Jobs -----------------------------------------------------------------------


def test_a_small_file_goes_as_the_text_of_one_request(
    app: Sandbox, traffic: Traffic, project: Project, olga: User
) -> None:
    csv = f"{KEY},LastName\nk-1,One\nk-2,\n".encode()
    write = drafted(project, olga, csv)
    assert write.delivery == "text"
    operation = sent(write, olga)
    assert (operation.state, operation.rows_failed) == (State.PARTLY_FAILED, 1)
    (post,) = traffic.of("POST")
    assert json.loads(post.content) == {
        "groupRef": "demo-group-id",
        "type": "upsert",
        "mode": "bulk",
        "recordsCSV": csv.decode(),
        "primaryKey": KEY,
    }
    assert write.rows_totals
    assert (write.rows_totals.succeeded, write.rows_totals.failed) == (1, 1)


def test_an_address_that_ampersand_fetches_is_upserted(
    traffic: Traffic, project: Project, olga: User
) -> None:
    url = "https://files.example/a.csv"
    draft = make_draft(project.integrations.get(), olga, url=url, primary_key=KEY)
    operation = confirm(draft, olga)
    send.send(operation.pk)
    body = json.loads(traffic.of("POST")[0].content)
    assert (body["recordsURL"], body["mode"]) == (url, "bulk")


@pytest.mark.usefixtures("uploaded")
class TestUpload:
    """A file that is too big for one request goes by the upload address."""

    @pytest.fixture
    def write(self, project: Project, olga: User) -> Write:
        """A draft of 3,000 rows."""
        write = drafted(project, olga, DATA)
        assert (write.delivery, write.row_count) == ("upload", ROWS)
        return write

    def test_3_000_rows_go_by_reference(
        self, app: Sandbox, traffic: Traffic, write: Write, olga: User
    ) -> None:
        operation = sent(write, olga)
        assert (operation.state, operation.rows_succeeded) == (State.SUCCEEDED, ROWS)
        assert len(records(app, "contact")) == ROWS
        assert write.rows_totals
        assert write.rows_totals.succeeded == ROWS
        assert traffic.uploading == ["GET", "PUT", "POST"]
        ask, put, post = traffic.seen[:3]
        assert dict(ask.url.params)["md5"] == md5_of(DATA)
        assert put.headers["content-md5"] == md5_of(DATA)
        assert put.headers["content-type"] == "text/csv"
        assert "x-api-key" not in put.headers
        assert put.content == DATA
        body = json.loads(post.content)
        assert body["recordsURL"].startswith("gs://")
        assert "recordsCSV" not in body

    def test_an_expired_address_is_asked_for_once_more_and_the_write_sent_once(
        self, app: Sandbox, traffic: Traffic, write: Write, olga: User
    ) -> None:
        traffic.expired = 1
        operation = sent(write, olga)
        assert operation.state == State.SUCCEEDED
        assert traffic.uploading == ["GET", "PUT", "GET", "PUT", "POST"]
        assert len(received(app)) == 1

    def test_a_worker_that_dies_before_the_write_has_it_uploaded_again(
        self,
        app: Sandbox,
        traffic: Traffic,
        write: Write,
        olga: User,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        operation = confirm(write, olga)
        with monkeypatch.context() as patch:
            patch.setattr(send, "_claim", _die)
            with pytest.raises(SystemExit):
                send.send(operation.pk)
        assert traffic.uploading == ["GET", "PUT"]
        # Until its time is over nobody else has it.
        operation.refresh_from_db()
        assert operation.state == State.WAITING
        assert operation.due_at
        assert operation.due_at > timezone.now() + timedelta(minutes=10)
        Operation.objects.update(due_at=timezone.now())
        work_off()
        assert states(write) == ["succeeded"]
        assert len(received(app)) == 1

    def test_a_worker_that_dies_in_the_write_sends_nothing_again(
        self,
        app: Sandbox,
        write: Write,
        olga: User,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        operation = confirm(write, olga)
        with monkeypatch.context() as patch:
            patch.setattr(send, "_exchange", _die)
            with pytest.raises(SystemExit):
                send.send(operation.pk)
        send.recover_overdue(timezone.now() + timedelta(hours=1))
        work_off()
        assert states(write) == ["unknown"]
        assert received(app) == []

    def test_an_upload_that_fails_is_held_and_goes_on_when_a_person_says_so(
        self,
        app: Sandbox,
        traffic: Traffic,
        write: Write,
        olga: User,
        browser: Browser,
    ) -> None:
        traffic.expired = 2
        operation = sent(write, olga)
        assert operation.state == State.HELD
        assert "400 (ExpiredToken)" in operation.reason
        assert received(app) == []
        browser.post(f"/writes/{write.pk}/resume/")
        work_off()
        assert states(write) == ["succeeded"]
        assert len(received(app)) == 1

    def test_no_file_goes_to_a_host_that_is_not_allowed(
        self,
        app: Sandbox,
        traffic: Traffic,
        write: Write,
        olga: User,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(
            uploads,
            "offer",
            lambda *_: {"url": "https://evil.example/1", "reference": "gs://x/1"},
        )
        operation = sent(write, olga)
        assert operation.state == State.HELD
        assert "UPLOAD_HOSTS" in operation.reason
        assert traffic.of("PUT") == []
        assert received(app) == []

    def test_only_the_sandbox_takes_files_itself(
        self, traffic: Traffic, write: Write, olga: User
    ) -> None:
        Project.objects.update(environment="test")
        for key in write.project.api_keys.all():
            key.environment = "test"
            key.save()
        operation = sent(Write.objects.get(pk=write.pk), olga)
        assert operation.state == State.HELD
        assert traffic.of("PUT") == []

    def test_a_file_that_changed_is_not_uploaded(
        self, traffic: Traffic, write: Write, olga: User
    ) -> None:
        operation = confirm(write, olga)
        path = write.path_of("as_sent")
        path.write_bytes(path.read_bytes().replace(b"Name 7", b"Name X"))
        send.send(operation.pk)
        assert states(write) == ["cancelled"]
        assert traffic.seen == []

    def test_what_is_too_big_for_one_upload_goes_in_parts(
        self,
        app: Sandbox,
        traffic: Traffic,
        project: Project,
        olga: User,
        browser: Browser,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        able = replace(generation_b.CAPABILITIES, largest_upload=len(DATA) // 2)
        monkeypatch.setattr(generation_b, "CAPABILITIES", able)
        write = drafted(project, olga, DATA)
        assert len(write.check_report["parts"]) == 3
        page = browser.get(f"/writes/{write.pk}/")
        assert page.context["form"].fields["stop_after"]
        sent(write, olga)
        assert states(write) == ["succeeded"] * 3
        assert traffic.uploading == ["GET", "PUT", "POST"] * 3
        puts = b"".join(put.content.partition(b"\n")[2] for put in traffic.of("PUT"))
        assert puts == DATA.partition(b"\n")[2]
        references = {
            json.loads(post.content)["recordsURL"] for post in traffic.of("POST")
        }
        assert len(references) == 3
        assert len(records(app, "contact")) == ROWS

    def test_the_review_says_how_it_gets_there(
        self, write: Write, browser: Browser
    ) -> None:
        page = browser.get(f"/writes/{write.pk}/")
        assert [way["value"] for way in page.context["deliveries"]] == ["upload"]
        assert "stop_after" not in page.context["form"].fields
        assert page.context["shown"].body["type"] == "upsert"
        assert "recordsCSV" not in page.context["shown"].body

    def test_where_a_file_may_be_put_is_found_nowhere(
        self,
        traffic: Traffic,
        write: Write,
        olga: User,
        browser: Browser,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        caplog.set_level("DEBUG")
        operation = sent(write, olga)
        (put,) = traffic.of("PUT")
        token = put.url.path.rpartition("/")[2]
        assert token not in caplog.text
        for path in (operation.get_absolute_url(), f"/writes/{write.pk}/"):
            page = browser.get(path, follow=True).content.decode()
            assert put.url.path not in page


def _die(*_: object) -> None:
    raise SystemExit


# --- Deletions ------------------------------------------------------------------


def keys(*texts: str) -> bytes:
    return "\n".join([KEY, *texts, ""]).encode()


def long_keys(total: int) -> bytes:
    """A file of 20 keys with so many characters together."""
    size, rest = divmod(total, 20)
    lengths = [size + (n < rest) for n in range(20)]
    return keys(*(f"{n:03}".ljust(length, "x") for n, length in enumerate(lengths)))


def rules(write: Write) -> list[str]:
    groups = write.check_report["groups"]
    return [group["rule"] for group in groups if group["level"] == "blocks"]


@pytest.mark.parametrize(("total", "blocks"), [(3_999, []), (4_000, ["long-keys"])])
def test_all_keys_of_a_deletion_have_fewer_than_4_000_characters(
    project: Project, olga: User, total: int, blocks: list[str]
) -> None:
    csv = long_keys(total)
    write = drafted(project, olga, csv, action="delete", faulty=bool(blocks))
    assert rules(write) == blocks


def test_ids_may_have_as_many_characters_as_they_like(
    project: Project, olga: User
) -> None:
    ids = "".join(f"003SB0000{n:06}\n" for n in range(500))
    csv = f"Id\n{ids}".encode()
    write = drafted(project, olga, csv, action="delete", primary_key="id")
    assert rules(write) == []


def test_a_deletion_takes_one_column(project: Project, olga: User) -> None:
    csv = f"{KEY},LastName\nk-1,One\n".encode()
    write = drafted(project, olga, csv, action="delete", faulty=True)
    assert rules(write) == ["extra-column"]


def test_rows_are_deleted_by_a_key_as_one_job(
    app: Sandbox,
    traffic: Traffic,
    project: Project,
    olga: User,
    browser: Browser,
) -> None:
    upserted = f"{KEY},LastName\nk-1,One\nk-2,Two\nk-3,Three\n".encode()
    sent(drafted(project, olga, upserted), olga)
    write = drafted(project, olga, keys("k-1", "k-2", "k-9"), action="delete")
    assert (write.is_run, write.is_job) == (False, True)
    page = browser.get(f"/writes/{write.pk}/")
    assert page.context["form"].fields["count"]
    shown = page.context["shown"]
    assert press_send(browser, write, {"count": "2"}).status_code == 422
    reviewed = {"count": "3", "reviewed": review_token(write, shown)}
    press_send(browser, write, reviewed)
    work_off()
    operation = Operation.objects.get(action="delete")
    assert operation.state == State.PARTLY_FAILED
    assert (operation.rows_succeeded, operation.rows_failed) == (2, 1)
    assert sentence(operation).what.startswith("2 rows deleted, 1 failed")
    assert [each[KEY] for each in records(app, "contact")] == ["k-3"]
    body = json.loads(traffic.of("POST")[-1].content)
    assert (body["type"], body["mode"], body["primaryKey"]) == ("delete", "bulk", KEY)
    write.refresh_from_db()
    assert write.rows_totals
    assert (write.rows_totals.succeeded, write.rows_totals.failed) == (2, 1)
    for path in ("", "rows/", "file/"):
        assert browser.get(f"/writes/{write.pk}/{path}", follow=True).status_code == 200
    assert browser.get(operation.get_absolute_url()).status_code == 200


def test_the_failed_rows_of_a_deletion_are_sent_again_as_a_job(
    project: Project, olga: User, browser: Browser
) -> None:
    write = drafted(project, olga, keys("k-8", "k-9"), action="delete")
    sent(write, olga)
    browser.post(f"/writes/{write.pk}/retry/")
    retry = Write.objects.get(parent=write)
    assert retry.deletes_in_bulk


def test_a_deletion_of_rows_whose_outcome_is_unknown_is_linked_to_its_operation(
    app: Sandbox, project: Project, olga: User, browser: Browser
) -> None:
    plan_fault(app, 1, "truncated")
    write = drafted(project, olga, keys("k-1"), action="delete")
    operation = sent(write, olga)
    assert operation.state == State.UNKNOWN
    path = f"/operations/{operation.pk}/reconcile/"
    assert browser.get(path).status_code == 200
    told = received(app)[0]["operationId"]
    browser.post(f"{path}link/", {"remote_id": told, "is_sure": "on"})
    operation.refresh_from_db()
    assert (operation.state, operation.remote_id) == (State.IN_PROGRESS, told)
    assert operation.due_at
    watch([operation.pk], operation.due_at)
    operation.refresh_from_db()
    assert operation.rows_failed == 1


@pytest.mark.parametrize("generation", ["A", "C"])
@pytest.mark.parametrize("action", ["upsert", "delete"])
def test_nothing_made_for_this_api_is_sent_to_another(
    traffic: Traffic, project: Project, olga: User, generation: str, action: str
) -> None:
    write = drafted(project, olga, keys("k-1"), action=action)
    operation = confirm(write, olga)
    Project.objects.update(generation=generation)
    send.send(operation.pk)
    assert states(write) == ["cancelled"]
    assert traffic.seen == []


@pytest.mark.parametrize("generation", ["A", "C"])
def test_a_draft_of_a_job_is_no_run_where_the_project_has_another_api(
    project: Project, olga: User, browser: Browser, generation: str
) -> None:
    write = drafted(project, olga, keys("k-1"), action="delete")
    Project.objects.update(generation=generation)
    assert browser.get(f"/writes/{write.pk}/").context["problem"]
    press_send(browser, write, {"count": "1"})
    assert not Operation.objects.exists()
