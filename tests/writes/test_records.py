"""“Has this record been written?”: who carried a key or a record id, and what of it."""

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client as Browser
from django.utils import timezone

from console.access.roles import Role
from console.models import Integration, Project
from files.rows import record_digests
from files.values.record_ids import normal
from operations.models import Operation
from sandbox.app import Sandbox
from tests.answers import Shown
from tests.conftest import actor, make_project, make_user
from tests.writes.making import confirm, make_draft, records, work_off
from writes import record_index
from writes.actions import reconcile, rejoin
from writes.actions.retention import sweep
from writes.models import Batch, IndexedSlice, IndexedValue, IndexKey, Write
from writes.records import Hit, find, missing
from writes.views import records as page
from writes.worker import look_up, run_calls

KEY = "external_id__c"
DATA = b"external_id__c,LastName\nk-1,Berg\nk-2,\nk-3,Dahl\n"
FOREVER = timedelta(days=365)

pytestmark = [pytest.mark.pages, pytest.mark.django_db]


@pytest.fixture
def today(project: Project) -> Project:
    """A project of today's API: a file goes out as records, some at a time."""
    return make_project("Today", remote_id="demo-c", generation="C")


def sent(integration: Integration, user: User, csv: bytes = DATA, **how: Any) -> Write:
    """Return a write whose rows know how they fared."""
    how = {"primary_key": KEY} | how
    write = make_draft(integration, user, csv=csv, **how)
    operation = confirm(write, user, repeat_reason="Once more")
    if write.is_run:
        run_calls.run(operation.pk)
    work_off()
    write.refresh_from_db()
    assert write.rows_store
    return write


def told(hits: list[Hit]) -> list[tuple[int, list[tuple[int, str]]]]:
    """Return which writes were found, with the rows and their outcome."""
    return [
        (hit.write.pk, [(c.row.row, c.row.state) for c in hit.carried if c.row])
        for hit in hits
    ]


def settle_for_sweep() -> None:
    Operation.objects.update(due_at=None)
    Batch.objects.update(is_settled=True)


class TestFiles:
    """Rows of files are found by their key, and by their id where it was told."""

    def test_a_key_finds_every_write_that_carried_it_newest_first(
        self, sandbox: Sandbox, integration: Integration, olga: User
    ) -> None:
        first = sent(integration, olga)
        second = sent(integration, olga, DATA.replace(b"k-1", b"k-9"))
        third = sent(integration, olga, b"external_id__c,LastName\nk-2,Ek\n")
        assert told(find(olga, "k-1").hits) == [(first.pk, [(2, "succeeded")])]
        assert told(find(olga, "k-2").hits) == [
            (third.pk, [(2, "succeeded")]),
            (second.pk, [(3, "failed")]),
            (first.pk, [(3, "failed")]),
        ]
        [hit] = find(olga, "k-1").hits
        assert hit.carried[0].operation == first.batches.get().operation
        assert (
            "REQUIRED_FIELD_MISSING" in find(olga, "k-2").hits[1].carried[0].row.error
        )  # type: ignore[union-attr]

    @pytest.mark.parametrize(
        ("text", "is_found"),
        [
            *((text, True) for text in ("k-3", " k-3", "k-3 ", " k-3 ", "\tk-3")),
            *((text, False) for text in ("k-", "K-3", "k-33", "", " ", "k -3")),
        ],
    )
    def test_spaces_around_a_key_do_not_matter_and_all_else_does(
        self,
        text: str,
        is_found: bool,
        sandbox: Sandbox,
        integration: Integration,
        olga: User,
    ) -> None:
        sent(integration, olga)
        assert bool(find(olga, text).hits) is is_found

    def test_the_ids_of_created_records_find_their_rows_in_both_lengths(
        self, sandbox: Sandbox, today: Project, olga: User
    ) -> None:
        data = b"LastName\nBerg\nDahl\n"
        write = sent(
            today.integrations.get(), olga, data, action="create", primary_key=""
        )
        ids = {each["LastName"]: each["Id"] for each in records(sandbox, "contact")}
        whole = normal(ids["Dahl"])
        assert whole
        for text in (whole, whole[:15], f" {whole[:15]} ", "Dahl"):
            assert told(find(olga, text).hits) == [(write.pk, [(3, "succeeded")])]

    def test_rows_updated_and_deleted_by_id_are_writes_of_that_record(
        self, sandbox: Sandbox, today: Project, olga: User
    ) -> None:
        integration = today.integrations.get()
        sent(integration, olga, b"LastName\nBerg\n", action="create", primary_key="")
        [record] = records(sandbox, "contact")
        data = f"Id,LastName\n{record['Id']},Ek\n003000000000000AAA,Ek\n".encode()
        update = sent(integration, olga, data, action="update", primary_key="Id")
        gone = f"Id\n{record['Id']}\n".encode()
        delete = sent(integration, olga, gone, action="delete", primary_key="Id")
        found = find(olga, record["Id"][:15]).hits
        assert [hit.write.action for hit in found] == ["delete", "update", "create"]
        assert found[0].write == delete
        assert told(find(olga, "003000000000000").hits) == [
            (update.pk, [(3, "failed")])
        ]

    def test_a_looked_up_id_finds_its_row_whatever_became_of_it(
        self,
        sandbox: Sandbox,
        today: Project,
        olga: User,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Nobody told the id of a row whose request was never sent."""
        monkeypatch.setattr(look_up, "pause", lambda _: None)
        integration, account = today.integrations.get(), {"object_name": "account"}
        data = b"Name,ORACLE_ID__c\nOne,one\n"
        made = make_draft(integration, olga, csv=data, action="create", **account)
        run_calls.run(confirm(made, olga).pk)
        [record] = records(sandbox, "account")
        data = b"ORACLE_ID__c,Name\none,New\ntwo,Two\n"
        how = {"action": "by_key", "primary_key": "ORACLE_ID__c", **account}
        write = make_draft(integration, olga, csv=data, **how)
        assert confirm(write, olga).cancel(by="olga")
        work_off()
        found = find(olga, record["Id"]).hits
        assert told(found)[0] == (write.pk, [(2, "not sent")])

    def test_many_rows_of_one_value_are_a_few_and_the_rest(
        self, sandbox: Sandbox, today: Project, olga: User
    ) -> None:
        """Of a creation the first column is what a person knows a row by."""
        data = b"LastName,FirstName\n" + b"".join(b" Berg,%d\n" % n for n in range(9))
        sent(today.integrations.get(), olga, data, action="create", primary_key="")
        [hit] = find(olga, "Berg").hits
        assert hit.is_more
        assert [each.row.row for each in hit.carried if each.row] == [2, 3, 4, 5, 6]

    def test_a_large_file_is_kept_in_slices_and_found_alike(
        self,
        sandbox: Sandbox,
        integration: Integration,
        olga: User,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(record_digests, "FEW", 2)
        write = sent(integration, olga)
        assert not IndexedValue.objects.exists()
        assert IndexedSlice.objects.filter(write=write).exists()
        for row, key in enumerate(("k-1", "k-2", "k-3"), start=2):
            assert told(find(olga, key).hits)[0][1][0][0] == row
        assert find(olga, "k-4").hits == []

    def test_rows_that_are_joined_anew_are_indexed_anew(
        self, sandbox: Sandbox, integration: Integration, olga: User
    ) -> None:
        write = sent(integration, olga)
        IndexedValue.objects.all().delete()
        assert find(olga, "k-1").hits == []
        rejoin.rejoin(write, actor(olga))
        work_off()
        assert len(find(olga, "k-1").hits) == 1

    def test_a_wrong_hit_of_the_index_is_none(
        self, sandbox: Sandbox, integration: Integration, olga: User
    ) -> None:
        write = sent(integration, olga)
        digest = record_digests.Digests(IndexKey.current()).of("other")
        signed = IndexedValue.signed(digest)
        IndexedValue.objects.create(digest=signed, write=write)
        assert find(olga, "other").hits == []

    def test_where_the_rows_are_missing_it_says_that_it_cannot_tell(
        self, sandbox: Sandbox, integration: Integration, olga: User
    ) -> None:
        write = sent(integration, olga)
        write.path_of("rows_store").unlink()
        [hit] = find(olga, "k-1").hits
        assert (hit.write, hit.is_doubtful, hit.carried) == (write, True, [])

    def test_what_runs_is_said_not_to_be_in_the_index(
        self, sandbox: Sandbox, integration: Integration, olga: User
    ) -> None:
        write = make_draft(integration, olga, csv=DATA, primary_key=KEY)
        assert missing(olga).count == 0
        confirm(write, olga)
        assert find(olga, "k-1").hits == []
        assert (missing(olga).count, missing(olga).newest) == (1, [write])
        work_off()
        assert missing(olga).count == 0


class TestSingleRecords:
    """A single record is found by its id and its values from when it is confirmed."""

    def test_by_a_value_before_it_is_sent_and_by_its_id_afterwards(
        self, sandbox: Sandbox, integration: Integration, olga: User
    ) -> None:
        record = {"LastName": "Berg", KEY: "s-1"}
        write = make_draft(integration, olga, record=record)
        assert find(olga, "s-1").hits == []
        confirm(write, olga)
        assert [hit.fields for hit in find(olga, " s-1").hits] == [[KEY]]
        work_off()
        operation = write.batches.get().operation
        assert operation.record_id
        for text in (operation.record_id, operation.record_id[:15], "Berg"):
            [hit] = find(olga, text).hits
            assert (hit.write, hit.carried[0].operation) == (write, operation)
        assert missing(olga).count == 0

    def test_by_the_id_that_was_updated_whatever_became_of_it(
        self, sandbox: Sandbox, integration: Integration, olga: User
    ) -> None:
        id_ = "003000000000000AAA"
        write = make_draft(integration, olga, action="update", record_id=id_)
        confirm(write, olga)
        assert [hit.write for hit in find(olga, id_[:15]).hits] == [write]

    def test_by_the_id_that_a_person_found(
        self, unknown: Callable[..., Batch], olga: User
    ) -> None:
        batch = unknown("truncated")
        id_ = "003000000000001AAA"
        assert find(olga, id_).hits == []
        reconcile.was_written(batch, id_, actor(olga))
        assert [hit.write for hit in find(olga, id_).hits] == [batch.write]

    def test_an_answer_is_kept_though_nothing_can_be_indexed(
        self,
        sandbox: Sandbox,
        integration: Integration,
        olga: User,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        write = make_draft(integration, olga)
        confirm(write, olga)

        def fail(_: Write) -> None:
            raise RuntimeError

        monkeypatch.setattr(record_index, "fill", fail)
        work_off()
        assert write.batches.get().operation.state == "succeeded"
        assert missing(olga).newest == [write]


def test_what_is_swept_is_found_by_no_value_any_more(
    sandbox: Sandbox, integration: Integration, olga: User
) -> None:
    write, kept = sent(integration, olga), sent(integration, olga)
    settle_for_sweep()
    Write.objects.filter(pk=write.pk).update(confirmed_at=timezone.now() - FOREVER)
    assert sweep(timezone.now()) == 1
    assert [hit.write for hit in find(olga, "k-1").hits] == [kept]
    for model in (IndexedValue, IndexedSlice):
        assert not model.objects.filter(write=write).exists()  # type: ignore[attr-defined]
    write.refresh_from_db()
    assert write.indexed == Write.Indexed.NO_MORE
    assert missing(olga).count == 0


def test_a_created_record_of_a_swept_file_is_found_by_its_id_no_more(
    sandbox: Sandbox, today: Project, olga: User
) -> None:
    data = b"LastName\nBerg\n"
    sent(today.integrations.get(), olga, data, action="create", primary_key="")
    [record] = records(sandbox, "contact")
    assert find(olga, record["Id"]).hits
    settle_for_sweep()
    assert sweep(timezone.now() + FOREVER) == 1
    assert find(olga, record["Id"]).hits == []


def test_a_join_that_ends_after_the_sweep_indexes_nothing(
    sandbox: Sandbox, integration: Integration, olga: User
) -> None:
    write = sent(integration, olga)
    packed = record_index.digests_of_rows(write.path_of("rows_store"))
    settle_for_sweep()
    sweep(timezone.now() + FOREVER)
    assert record_index.keep(write, packed) is False
    assert not IndexedValue.objects.exists()


def test_nobody_finds_what_they_may_not_see(
    sandbox: Sandbox, integration: Integration, olga: User
) -> None:
    sent(integration, olga)
    running = make_draft(integration, olga, csv=DATA + b"k-7,x\n", primary_key=KEY)
    confirm(running, olga)
    stranger = make_user("stranger", production=Role.ADMIN)
    assert find(stranger, "k-1").hits == []
    assert missing(stranger).count == 0
    assert list(missing(stranger).days) == ["production"]


def test_the_database_knows_neither_values_nor_the_key(
    sandbox: Sandbox, integration: Integration, olga: User
) -> None:
    data = b"external_id__c,LastName\ncanary-key-1,Berg\n"
    sent(integration, olga, data)
    key = IndexKey.current()
    with connection.cursor() as cursor:
        for table in ("writes_indexedvalue", "writes_indexedslice", "writes_indexkey"):
            cursor.execute(f"SELECT * FROM {table}")  # noqa: S608 - our words
            stored = str(cursor.fetchall())
            assert "canary" not in stored
            assert key.hex() not in stored


def test_the_key_of_the_index_is_encrypted_anew_with_the_others(
    db: None, settings: Any
) -> None:
    before, old = IndexKey.current(), settings.FIELD_KEYS
    new = Fernet.generate_key().decode()
    settings.FIELD_KEYS = [new, *old]
    call_command("rotate_field_keys", stdout=io.StringIO())
    settings.FIELD_KEYS = [new]
    assert IndexKey.current() == before


class TestPage:
    """The page: one box, every hit with its outcome, and what is not covered."""

    def hits(self, answer: Any) -> list[int]:
        return [item["write"].pk for item in answer.context["hits"]]

    def test_it_shows_each_hit_with_its_outcome_and_leads_to_its_row(
        self, sandbox: Sandbox, integration: Integration, olga: User, browser: Browser
    ) -> None:
        write = sent(integration, olga)
        answer = browser.get("/writes/records/", {"q": "k-2"})
        text = answer.content.decode()
        assert answer.status_code == 200
        assert f"/writes/{write.pk}/rows/?key=k-2" in text
        assert write.batches.get().operation.get_absolute_url() in text
        assert "REQUIRED_FIELD_MISSING" in text
        assert "row-failed" in text

    def test_it_says_what_is_not_included(
        self, integration: Integration, olga: User, browser: Browser
    ) -> None:
        confirm(make_draft(integration, olga, csv=DATA, primary_key=KEY), olga)
        answer = browser.get("/writes/records/", {"q": "k-1"})
        assert {"not-found", "not-included"} <= set(Shown(answer).ids)

    def test_pages_follow_each_other_without_a_gap(
        self,
        sandbox: Sandbox,
        integration: Integration,
        olga: User,
        browser: Browser,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(page, "HITS", 2)
        writes = [
            sent(integration, olga, DATA + b"x-%d,x\n" % number) for number in range(5)
        ]
        answer = browser.get("/writes/records/", {"q": "k-1"})
        found = self.hits(answer)
        while answer.context["older"]:
            answer = browser.get(f"/writes/records/?{answer.context['older']}")
            found += self.hits(answer)
        assert found == [write.pk for write in reversed(writes)]

    def test_a_key_that_nothing_opens_is_said_and_no_500(
        self,
        sandbox: Sandbox,
        integration: Integration,
        olga: User,
        browser: Browser,
        settings: Any,
    ) -> None:
        sent(integration, olga)
        settings.FIELD_KEYS = [Fernet.generate_key().decode()]
        answer = browser.get("/writes/records/", {"q": "k-1"})
        assert answer.status_code == 200
        assert "index-unreadable" in Shown(answer).ids

    @pytest.mark.hostile
    @pytest.mark.parametrize(
        "query",
        [
            {"q": "\0"},
            {"q": "x" * 5000},
            {"q": "k-1", "before": "9" * 30},
            {"q": "k-1", "before": "-1"},
            {"q": "<img src=x onerror=alert(1)>"},
            {"q": "\ud7ff\uffff'\"%_"},
        ],
    )
    def test_no_query_breaks_it(self, query: dict[str, str], browser: Browser) -> None:
        answer = browser.get("/writes/records/", query)
        assert answer.status_code in (200, 400)
        assert b"<img src=x" not in answer.content
