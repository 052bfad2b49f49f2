"""A large file is fetched by Ampersand: from this console, or from a store."""

import logging
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ampersand import Client, NotSent, RequestInvalid
from console.models import ApiKey, AuditEvent, Integration
from operations.models import Operation
from sandbox.app import Sandbox
from tests.answers import levels
from tests.files.test_stores import SECRET, endpoint  # noqa: F401 - a fixture
from tests.writes.making import (
    confirm,
    make_draft,
    press_send,
    received,
    records,
    states,
    work_off,
)
from tests.writes.test_canary import stored_rows
from writes import delivery, dispatch
from writes.actions import retention, settle
from writes.models import Batch, SharedAddress, Write
from writes.worker import send, share_file

State = Operation.State
KEY = "external_id__c"
DATA = b"external_id__c,LastName\n" + b"".join(
    b"k-%d,Name %d\n" % (n, n) for n in range(1, 6)
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_parts")]


@pytest.fixture
def write(integration: Integration, olga: User) -> Write:
    """A draft that is too big for one request."""
    write = make_draft(integration, olga, csv=DATA, primary_key=KEY)
    assert write.delivery == "parts"
    return write


@pytest.fixture
def public(settings: Any) -> None:
    """Say where Ampersand reaches this console."""
    settings.PUBLIC_URL = "http://testserver/"


def choose(browser: Browser, write: Write, way: str) -> None:
    browser.post(f"/writes/{write.pk}/deliver/", {"delivery": way})
    write.refresh_from_db()


def shared(write: Write) -> tuple[Batch, str]:
    """Return the batch of a confirmed write and a path that gives its file."""
    batch = write.batches.get()
    url = share_file.share(batch)
    return batch, url.removeprefix("http://testserver")


def content(answer: Any) -> bytes:
    return b"".join(answer) if answer.streaming else bytes(answer.content)


class TestChoosing:
    """How the file gets there is the operator's choice, of what there is."""

    def test_only_what_is_set_up_is_offered(
        self, write: Write, browser: Browser, settings: Any
    ) -> None:
        def offered() -> list[str]:
            answer = browser.get(f"/writes/{write.pk}/")
            return [way["value"] for way in answer.context["deliveries"]]

        assert offered() == ["parts"]
        for way in ("console", "store", "text", "", "\0"):
            choose(browser, write, way)
            assert write.delivery == "parts"
        settings.PUBLIC_URL = "https://console.example.com"
        assert offered() == ["parts", "console"]
        settings.S3_BUCKET, settings.S3_ENDPOINT = "b", "https://s3.example.com"
        assert offered() == ["parts", "console", "store"]

    def test_a_small_file_has_no_choice(
        self, integration: Integration, olga: User, browser: Browser, public: None
    ) -> None:
        write = make_draft(integration, olga, csv=b"id\n1\n", primary_key="id")
        choose(browser, write, "console")
        assert write.delivery == "text"
        assert browser.get(f"/writes/{write.pk}/").context["deliveries"] == []

    def test_what_no_address_may_give_goes_in_parts(
        self, write: Write, browser: Browser, public: None
    ) -> None:
        report = {**write.check_report, "as_sent_size": delivery.LARGEST_URL + 1}
        Write.objects.update(check_report=report)
        choose(browser, write, "console")
        assert write.delivery == "parts"

    def test_a_choice_outlives_another_check(
        self, write: Write, browser: Browser, public: None
    ) -> None:
        choose(browser, write, "console")
        browser.post(f"/writes/{write.pk}/file/", {"do": "check"})
        write.refresh_from_db()
        assert (write.delivery, write.is_ready) == ("console", True)

    def test_a_file_that_outgrew_the_choice_goes_in_parts(
        self,
        write: Write,
        browser: Browser,
        public: None,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        choose(browser, write, "console")
        monkeypatch.setattr(delivery, "LARGEST_URL", len(DATA) - 1)
        browser.post(f"/writes/{write.pk}/file/", {"do": "check"})
        write.refresh_from_db()
        assert write.delivery == "parts"

    def test_a_review_from_before_the_choice_sends_nothing(
        self, write: Write, browser: Browser, public: None
    ) -> None:
        reviewed = browser.get(f"/writes/{write.pk}/").context["reviewed"]
        choose(browser, write, "console")
        answer = press_send(browser, write, {"reviewed": reviewed})
        assert answer.status_code == 422
        assert not Operation.objects.exists()

    def test_a_choice_at_the_moment_of_sending_changes_nothing_of_it(
        self, write: Write, olga: User, browser: Browser, public: None
    ) -> None:
        mine = Write.objects.get(pk=write.pk)
        choose(browser, write, "console")
        with pytest.raises(RequestInvalid):
            confirm(mine, olga)
        assert not Operation.objects.exists()
        write.refresh_from_db()
        assert write.is_draft

    def test_what_is_not_set_up_any_more_sends_nothing(
        self,
        sandbox: Sandbox,
        write: Write,
        olga: User,
        browser: Browser,
        public: None,
        settings: Any,
    ) -> None:
        choose(browser, write, "console")
        operation = confirm(write, olga)
        settings.PUBLIC_URL = ""
        send.send(operation.pk)
        operation.refresh_from_db()
        assert operation.state == State.HELD
        assert operation.reason
        assert received(sandbox) == []


@pytest.mark.usefixtures("public")
class TestAddress:
    """The one address without a sign-in: unguessable, for a while, and audited."""

    @pytest.fixture
    def write(self, write: Write, olga: User, browser: Browser) -> Write:
        """A confirmed write whose file this console gives."""
        choose(browser, write, "console")
        confirm(write, olga)
        return write

    def test_there_is_none_before_it_is_sent(self, write: Write) -> None:
        assert not SharedAddress.objects.exists()
        batch = write.batches.get()
        assert (batch.part and batch.part.length) == len(DATA.partition(b"\n")[2])

    def test_it_gives_the_file_to_whoever_knows_it(
        self, write: Write, client: Browser
    ) -> None:
        batch, path = shared(write)
        answer = client.get(path)
        assert (answer.status_code, content(answer)) == (200, DATA)
        assert answer["ETag"] == f'"{batch.csv_sha256}"'
        assert answer["Cache-Control"] == "private, no-store"
        assert not answer.cookies
        assert "Location" not in answer

    def test_it_takes_head_and_ranges(self, write: Write, client: Browser) -> None:
        _, path = shared(write)
        head = client.head(path)
        assert (head["Content-Length"], content(head)) == (str(len(DATA)), b"")
        part = client.get(path, headers={"Range": "bytes=5-9"})
        assert (part.status_code, content(part)) == (206, DATA[5:10])
        beyond = client.get(path, headers={"Range": "bytes=9999-"})
        assert beyond.status_code == 416
        same = client.get(path, headers={"If-None-Match": head["ETag"]})
        assert same.status_code == 304
        for method in ("post", "put", "delete", "patch"):
            assert getattr(client, method)(path).status_code == 405

    def test_every_fetch_is_counted_and_audited_without_the_token(
        self, write: Write, client: Browser
    ) -> None:
        _, path = shared(write)
        for headers in ({}, {"Range": "bytes=0-1"}):
            content(client.get(path, headers=headers))
        client.head(path)
        assert SharedAddress.objects.get().fetched_count == 3
        events = AuditEvent.objects.filter(action="file.fetched").order_by("pk")
        assert [e.detail["status"] for e in events] == [200, 206, 200]
        assert [e.detail["range"] for e in events] == ["", "bytes=0-1", ""]
        assert {e.address for e in events} == {"127.0.0.1"}

    def test_no_other_token_gives_anything(self, write: Write, client: Browser) -> None:
        batch, path = shared(write)
        token = path.split("/")[2]
        wrong = (
            token[:-1],
            token + "A",
            token.swapcase(),
            SharedAddress.digest(token),
            str(batch.pk),
            "x" * 5000,
            "%00",
            "é",
        )
        for each in wrong:
            assert client.get(f"/files/{each}/").status_code == 404
        assert not AuditEvent.objects.filter(action="file.fetched").exists()

    @pytest.mark.parametrize("end", ["expired", "revoked", "swept", "gone"])
    def test_after_its_end_it_is_as_if_it_had_never_been(
        self, end: str, write: Write, client: Browser, browser: Browser
    ) -> None:
        _, path = shared(write)
        never = client.get(path[:-5] + "AAAA/")
        if end == "expired":
            now = timezone.now()
            SharedAddress.objects.update(
                created_at=now - timedelta(days=2), expires_at=now
            )
        elif end == "revoked":
            browser.post(f"/writes/{write.pk}/revoke/")
            assert AuditEvent.objects.filter(action="file.revoked").count() == 1
        elif end == "swept":
            Write.objects.update(as_sent="")
        else:
            write.path_of("as_sent").unlink()
        answer = client.get(path)
        assert (answer.status_code, never.status_code) == (404, 404)
        assert len(answer.content) == len(never.content)

    def test_revoking_twice_is_told(self, write: Write, browser: Browser) -> None:
        shared(write)
        browser.post(f"/writes/{write.pk}/revoke/")
        answer = browser.post(f"/writes/{write.pk}/revoke/", follow=True)
        assert levels(answer)[-1] == "warning"
        assert AuditEvent.objects.filter(action="file.revoked").count() == 1

    def test_sharing_anew_ends_the_address_before(
        self, write: Write, client: Browser
    ) -> None:
        _, first = shared(write)
        _, second = shared(write)
        assert client.get(first).status_code == 404
        assert content(client.get(second)) == DATA

    def test_the_token_is_found_nowhere(
        self,
        sandbox: Sandbox,
        write: Write,
        client: Browser,
        browser: Browser,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        caplog.set_level(logging.DEBUG)
        tokens: list[str] = []
        really = SharedAddress.new_token

        def noted() -> str:
            tokens.append(really())
            return tokens[-1]

        monkeypatch.setattr(SharedAddress, "new_token", staticmethod(noted))
        operation = write.batches.get().operation
        send.send(operation.pk)
        (token,) = tokens
        path = f"/files/{token}/"
        content(client.get(path))
        # What is refused is logged by Django with its address.
        for headers in ({"Range": "bytes=9999-"}, {"If-Match": '"x"'}):
            client.get(path, headers=headers)
        client.post(path)
        Browser(enforce_csrf_checks=True).post(path)
        pages = [
            browser.get(f"/writes/{write.pk}/", follow=True),
            browser.get("/audit/"),
            browser.get("/audit/audit.csv"),
        ]
        assert token not in caplog.text
        assert token not in stored_rows()
        for answer in pages:
            assert token not in content(answer).decode()
        assert browser.get(f"/writes/{write.pk}/body.json").status_code == 404

    def test_a_file_changed_after_confirming_is_not_shared(
        self, sandbox: Sandbox, write: Write
    ) -> None:
        path = write.path_of("as_sent")
        path.write_bytes(path.read_bytes().replace(b"Name 3", b"Name X"))
        work_off()
        assert states(write) == ["cancelled"]
        assert not SharedAddress.objects.exists()
        assert received(sandbox) == []

    def test_a_second_worker_keeps_off_while_the_file_is_made_available(
        self, sandbox: Sandbox, write: Write, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A second address would end the first, which is on its way."""
        operation = write.batches.get().operation
        really = share_file.share
        shares: list[str] = []

        def slow(batch: Batch) -> str:
            shares.append(really(batch))
            if len(shares) == 1:
                send.send(operation.pk)
                assert (
                    dispatch.enqueue_due_sends(timezone.now() + timedelta(minutes=5))
                    == 0
                )
            return shares[-1]

        monkeypatch.setattr(share_file, "share", slow)
        send.send(operation.pk)
        assert len(shares) == 1
        assert len(received(sandbox)) == 1

    def test_what_never_left_is_shared_anew_and_its_digest_is_that_of_what_left(
        self, sandbox: Sandbox, write: Write, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        operation = write.batches.get().operation

        def refused(self: Client, request: object, **how: str) -> None:
            raise NotSent("The connection was refused")

        with monkeypatch.context() as patch:
            patch.setattr(Client, "send", refused)
            send.send(operation.pk)
        send.send(operation.pk)
        assert received(sandbox)[0]["bodySha256"] == write.batches.get().sha256

    def test_the_address_ends_with_its_operation(
        self, sandbox: Sandbox, write: Write
    ) -> None:
        operation = write.batches.get().operation
        send.send(operation.pk)
        assert SharedAddress.objects.get().is_open
        Operation.objects.update(state="failed", due_at=None)
        work_off()
        assert not SharedAddress.objects.get().is_open

    def test_a_key_that_is_revoked_on_the_way_sends_nothing(
        self, sandbox: Sandbox, write: Write, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        really = share_file.share

        def meanwhile(batch: Batch) -> str:
            ApiKey.objects.get(project=write.project).revoke()
            return really(batch)

        monkeypatch.setattr(share_file, "share", meanwhile)
        send.send(write.batches.get().operation.pk)
        assert received(sandbox) == []
        assert states(write) == ["held"]

    def test_cancelled_on_the_way_it_gives_nothing(
        self, sandbox: Sandbox, write: Write, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        operation = write.batches.get().operation
        really = share_file.share

        def cancelled(batch: Batch) -> str:
            address = really(batch)
            operation.cancel(by="olga")
            return address

        monkeypatch.setattr(share_file, "share", cancelled)
        send.send(operation.pk)
        assert received(sandbox) == []
        work_off()
        assert not SharedAddress.objects.get().is_open


@pytest.mark.django_db(transaction=True)
def test_ampersand_fetches_the_file_from_this_console(
    sandbox: Sandbox,
    integration: Integration,
    olga: User,
    browser: Browser,
    live_server: Any,
    settings: Any,
) -> None:
    settings.PUBLIC_URL = live_server.url
    write = make_draft(integration, olga, csv=DATA, primary_key=KEY)
    choose(browser, write, "console")
    confirm(write, olga)
    work_off()
    assert states(write) == ["succeeded"]
    assert len(records(sandbox, "contact")) == 5
    assert SharedAddress.objects.get().fetched_count == 1
    write.refresh_from_db()
    totals = write.rows_totals
    assert totals
    assert (totals.succeeded, totals.sent) == (5, 5)
    text = browser.get(f"/writes/{write.pk}/", follow=True).content.decode()
    assert "downloaded" in text


class TestStore:
    """An S3 store, a real one."""

    @pytest.fixture(autouse=True)
    def _store(self, endpoint: str, settings: Any) -> None:  # noqa: F811
        settings.S3_BUCKET = "console"
        settings.S3_ENDPOINT = endpoint
        settings.S3_ACCESS_KEY = "console"
        settings.S3_SECRET_KEY = SECRET

    def test_ampersand_fetches_the_file_and_it_is_deleted_afterwards(
        self,
        sandbox: Sandbox,
        write: Write,
        olga: User,
        browser: Browser,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        urls: list[str] = []
        really = share_file.share

        def noted(batch: Batch) -> str:
            urls.append(really(batch))
            return urls[-1]

        monkeypatch.setattr(share_file, "share", noted)
        choose(browser, write, "store")
        confirm(write, olga)
        work_off()
        assert states(write) == ["succeeded"]
        assert len(records(sandbox, "contact")) == 5
        (url,) = urls
        assert httpx.get(url, trust_env=False, timeout=60).content == DATA
        name = url.partition("?")[0].rpartition("/")[2]
        assert Batch.objects.get().store_name == name
        signature = url.rpartition("=")[2]
        assert signature not in stored_rows()
        nudged: list[int] = []
        monkeypatch.setattr(dispatch, "enqueue_deletion", nudged.append)
        Operation.objects.update(due_at=None)
        work_off()
        assert nudged == [Batch.objects.get().pk]
        share_file.remove_from_store(nudged[0])
        assert httpx.get(url, trust_env=False, timeout=60).status_code == 404
        assert Batch.objects.get().store_name == ""

    def test_a_second_try_leaves_nothing_behind(self, write: Write, olga: User) -> None:
        Write.objects.update(delivery="store")
        write.refresh_from_db()
        confirm(write, olga)
        batch = write.batches.get()
        first, second = (share_file.share(batch) for _ in range(2))
        assert first.partition("?")[0] == second.partition("?")[0]
        Batch.objects.update(is_settled=True)
        share_file.remove_from_store(batch.pk)
        assert httpx.get(second, trust_env=False, timeout=60).status_code == 404

    def test_a_store_that_fails_sends_nothing_and_says_so(
        self, sandbox: Sandbox, write: Write, olga: User, settings: Any
    ) -> None:
        Write.objects.update(delivery="store")
        write.refresh_from_db()
        operation = confirm(write, olga)
        settings.S3_SECRET_KEY = "wrong"
        send.send(operation.pk)
        operation.refresh_from_db()
        assert operation.state == State.HELD
        assert "403" in operation.reason
        assert "wrong" not in operation.reason
        assert received(sandbox) == []

    def test_the_clock_never_waits_for_the_store(
        self, sandbox: Sandbox, write: Write, olga: User, settings: Any
    ) -> None:
        Write.objects.update(delivery="store")
        write.refresh_from_db()
        confirm(write, olga)
        work_off()
        Operation.objects.update(due_at=None)
        # Nobody answers there; asking would take a minute, or raise.
        settings.S3_ENDPOINT = "http://127.0.0.1:1"
        with CaptureQueriesContext(connection):
            settle.join_told(timezone.now())
            retention.sweep(timezone.now())
        batch = write.batches.get()
        assert (batch.is_settled, batch.store_name != "") == (True, True)

    @pytest.mark.parametrize("gone", ["S3_BUCKET", "S3_ENDPOINT"])
    def test_a_store_that_is_not_set_up_any_more_is_left_alone(
        self, gone: str, write: Write, olga: User, settings: Any
    ) -> None:
        confirm(write, olga)
        Batch.objects.update(store_name="a.csv", is_settled=True)
        setattr(settings, gone, "")
        share_file.remove_from_store(Batch.objects.all()[0].pk)
        assert Batch.objects.all()[0].store_name == "a.csv"
