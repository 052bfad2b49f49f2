"""Writes made of another one: the rows that failed, and the first rows on trial."""

import csv
import io
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client as Browser
from django.utils import timezone

from console.access.roles import Role
from console.models import Integration
from operations.models import Operation
from sandbox.app import Sandbox
from tests.answers import Shown, levels
from tests.conftest import actor, make_user
from tests.texts import numbers
from tests.writes.making import (
    check_draft,
    confirm,
    make_draft,
    press_send,
    received,
    records,
    work_off,
)
from writes.actions import derive, retention
from writes.actions.derive import NoChild
from writes.models import Write
from writes.worker import run_job, send

State = Write.State

pytestmark = pytest.mark.django_db

KEY = "external_id__c"
# Rows without a name fail. Quotes, a line break and odd spaces must survive.
HEADER = b'Nr,"Last ""name""",Junk\r\n'
ROWS = [
    b'a-1,"Berg, A",x\r\n',
    b"a-2,,  y \r\n",
    b'"a-3","Two\r\nlines",z\r\n',
    b'a-4,"",\xc3\xa9\r\n',
    b"a-5,Lau,=1\r\n",
    b"a-6,,\r\n",
]
MAPPING = {
    "Nr": {"name": KEY},
    'Last "name"': {"name": "LastName"},
    "Junk": {"name": ""},
}


def change(write: Write, **recipe: Any) -> None:
    """Give a draft this recipe and check it anew."""
    recipe = {"columns": MAPPING, **recipe}
    write.change(
        only_from=State.DRAFT,
        edition=write.edition + 1,
        is_ready=False,
        recipe_json=recipe,
    )
    check_draft(write)


@pytest.fixture
def write(integration: Integration, olga: User) -> Write:
    """A draft of six rows, of which three would fail."""
    data = HEADER + b"".join(ROWS)
    write = make_draft(integration, olga, csv=data, primary_key="Nr")
    change(write)
    assert write.is_ready
    return write


def sent(write: Write, user: User) -> None:
    """Confirm and work off a draft."""
    confirm(write, user)
    work_off()
    write.refresh_from_db()


def counts(write: Write) -> tuple[int, int, int, int]:
    """Return how many rows were sent, succeeded, failed, and are unknown."""
    totals = write.rows_totals
    assert totals
    assert totals.alarms == []
    assert totals.succeeded + totals.failed + totals.unknown == totals.sent
    return totals.sent, totals.succeeded, totals.failed, totals.unknown


def keys(write: Write) -> list[str]:
    """Return the keys of the rows that a write sends, in order."""
    text = write.path_of("as_sent").read_text()
    return [row[KEY] for row in csv.DictReader(io.StringIO(text))]


def child_of(write: Write) -> Write:
    return write.children.exclude(state=State.DISCARDED).get()


class TestRetry:
    """The rows that failed, and nothing else, once more."""

    def test_it_has_the_failed_rows_byte_for_byte_in_the_columns_of_the_original(
        self, sandbox: Sandbox, write: Write, olga: User, browser: Browser
    ) -> None:
        sent(write, olga)
        assert counts(write) == (6, 3, 3, 0)
        answer = browser.post(f"/writes/{write.pk}/retry/")
        child = child_of(write)
        assert child.relation == "retry"
        assert answer["Location"] in (
            f"/writes/{child.pk}/",
            f"/writes/{child.pk}/file/",
        )
        failed = [HEADER, ROWS[1], ROWS[3], ROWS[5]]
        expected = b"".join(failed).replace(b"\r\n", b"\n")
        assert child.path_of("original").read_bytes() == expected
        assert keys(child) == ["a-2", "a-4", "a-6"]
        assert child.primary_key == KEY
        assert child.is_draft
        assert len(received(sandbox)) == 1

    def test_the_edited_cells_move_with_their_rows(
        self, sandbox: Sandbox, write: Write, olga: User
    ) -> None:
        name = 'Last "name"'
        change(write, cells=[[2, name, "Edited"], [5, "Nr", "a-44"]])
        sent(write, olga)
        child = derive.retry_failed(write, actor(olga))
        check_draft(child)
        assert keys(child) == ["a-2", "a-44", "a-6"]
        assert dict(child.recipe.cells) == {(3, "Nr"): "a-44"}

    def test_rows_held_back_are_not_retried(
        self, sandbox: Sandbox, write: Write, olga: User
    ) -> None:
        change(write, left_out=[[2, 3]])
        sent(write, olga)
        assert counts(write) == (4, 2, 2, 0)
        child = derive.retry_failed(write, actor(olga))
        check_draft(child)
        assert keys(child) == ["a-4", "a-6"]
        assert child.recipe.left_out == ()

    def test_a_retry_of_a_retry_until_all_rows_are_written(
        self, sandbox: Sandbox, write: Write, olga: User
    ) -> None:
        sent(write, olga)
        name = 'Last "name"'
        first = derive.retry_failed(write, actor(olga))
        check_draft(first)
        change(first, cells=[[2, name, "Two"], [4, name, "Six"]])
        sent(first, olga)
        assert counts(first) == (3, 2, 1, 0)
        second = derive.retry_failed(first, actor(olga))
        check_draft(second)
        assert keys(second) == ["a-4"]
        change(second, cells=[[2, name, "Four"]])
        sent(second, olga)
        assert counts(second) == (1, 1, 0, 0)
        names = {r[KEY]: r["LastName"] for r in records(sandbox, "contact")}
        assert set(names) == {f"a-{number}" for number in range(1, 7)}
        assert (names["a-2"], names["a-4"], names["a-6"]) == ("Two", "Four", "Six")
        with pytest.raises(NoChild):
            derive.retry_failed(second, actor(olga))

    def test_pressing_it_twice_makes_one_draft(
        self, sandbox: Sandbox, write: Write, olga: User, browser: Browser
    ) -> None:
        """Two drafts of the same rows, both sent, would write them twice."""
        sent(write, olga)
        first, second = (browser.post(f"/writes/{write.pk}/retry/") for _ in range(2))
        assert first["Location"] == second["Location"]
        assert write.children.count() == 1

    def test_retrying_again_what_was_retried_warns(
        self, sandbox: Sandbox, write: Write, olga: User, browser: Browser
    ) -> None:
        sent(write, olga)
        browser.post(f"/writes/{write.pk}/retry/")
        first = child_of(write)
        sent(first, olga)
        answer = browser.post(f"/writes/{write.pk}/retry/", follow=True)
        [warning] = answer.context["messages"]
        assert levels(answer) == ["warning"]
        assert numbers(str(warning)) == [first.pk]
        assert write.children.count() == 2

    def test_a_part_that_was_refused_is_retried_whole(
        self, sandbox: Sandbox, write: Write, olga: User
    ) -> None:
        operation = confirm(write, olga)
        Operation.objects.filter(pk=operation.pk).update(
            state="rejected", due_at=None, sent_at=timezone.now(), rows_failed=6
        )
        work_off()
        write.refresh_from_db()
        assert counts(write) == (6, 0, 6, 0)
        child = derive.retry_failed(write, actor(olga))
        check_draft(child)
        assert child.row_count == 6

    @pytest.mark.parametrize("state", ["unknown", "completed"])
    def test_rows_of_which_nobody_knows_are_not_retried(
        self, state: str, write: Write, olga: User, browser: Browser
    ) -> None:
        operation = confirm(write, olga)
        Operation.objects.filter(pk=operation.pk).update(
            state=state, due_at=None, sent_at=timezone.now()
        )
        work_off()
        write.refresh_from_db()
        assert counts(write) == (6, 0, 0, 6)
        answer = browser.post(f"/writes/{write.pk}/retry/", follow=True)
        assert levels(answer) == ["warning"]
        assert not write.children.exists()

    def test_it_needs_the_rows(
        self, write: Write, olga: User, browser: Browser
    ) -> None:
        answer = browser.post(f"/writes/{write.pk}/retry/", follow=True)
        assert answer.status_code == 200
        assert levels(answer) == ["error"]
        assert not write.children.exists()

    def test_parent_and_child_show_each_other(
        self, sandbox: Sandbox, write: Write, olga: User, browser: Browser
    ) -> None:
        sent(write, olga)
        browser.post(f"/writes/{write.pk}/retry/")
        child = child_of(write)
        page = browser.get(f"/writes/{write.pk}/rows/").content.decode()
        assert f'href="/writes/{child.pk}/"' in page
        page = browser.get(f"/writes/{child.pk}/file/").content.decode()
        assert f'href="/writes/{write.pk}/"' in page


class TestTrial:
    """The first rows of a draft go first; no row goes twice, and none is lost."""

    def test_the_two_are_disjoint_and_together_all(
        self, write: Write, browser: Browser
    ) -> None:
        browser.post(f"/writes/{write.pk}/trial/", {"rows": "2"})
        child = child_of(write)
        write.refresh_from_db()
        assert keys(child) == ["a-1", "a-2"]
        assert keys(write) == ["a-3", "a-4", "a-5", "a-6"]
        assert (child.is_ready, write.is_ready) == (True, True)
        assert (child.row_count, write.row_count) == (2, 4)

    @pytest.mark.parametrize("count", [1, 2, 3])
    @pytest.mark.parametrize(
        "left_out", [[[2, 2]], [[3, 4]], [[4, 4]], [[7, 7]], [[2, 2], [5, 5]]]
    )
    def test_rows_left_out_stay_out_of_both(
        self, left_out: list[list[int]], count: int, write: Write, olga: User
    ) -> None:
        change(write, left_out=left_out)
        before = keys(write)
        child = derive.try_first(write, actor(olga), count)
        check_draft(child)
        check_draft(write)
        assert len(keys(child)) == count
        assert keys(child) + keys(write) == before

    def test_a_trial_that_is_discarded_gives_its_rows_back(
        self, write: Write, browser: Browser
    ) -> None:
        before = write.path_of("as_sent").read_bytes()
        browser.post(f"/writes/{write.pk}/trial/", {"rows": "2"})
        browser.post(f"/writes/{child_of(write).pk}/discard/")
        write.refresh_from_db()
        assert write.is_ready
        assert write.path_of("as_sent").read_bytes() == before

    def test_a_trial_that_nobody_came_back_to_gives_its_rows_back(
        self, write: Write, browser: Browser
    ) -> None:
        browser.post(f"/writes/{write.pk}/trial/", {"rows": "2"})
        child = child_of(write)
        long_ago = timezone.now() - timedelta(days=2)
        Write.objects.filter(pk=child.pk).update(changed_at=long_ago)
        retention.sweep(timezone.now())
        child.refresh_from_db()
        assert child.state == State.DISCARDED
        write.refresh_from_db()
        assert write.is_draft
        for job in write.jobs.filter(state="waiting"):
            run_job.run(job.pk)
        write.refresh_from_db()
        assert (write.is_ready, len(keys(write))) == (True, 6)

    def test_a_trial_has_no_trial_of_its_own(
        self, write: Write, browser: Browser
    ) -> None:
        browser.post(f"/writes/{write.pk}/trial/", {"rows": "4"})
        child = child_of(write)
        answer = browser.post(f"/writes/{child.pk}/trial/", {"rows": "2"}, follow=True)
        assert levels(answer) == ["warning"]
        assert not child.children.exists()

    def test_the_rows_go_back_although_somebody_changes_the_rest_just_then(
        self, write: Write, browser: Browser
    ) -> None:
        browser.post(f"/writes/{write.pk}/trial/", {"rows": "4"})
        child = Write.objects.select_related("parent").get(pk=child_of(write).pk)
        write.refresh_from_db()
        recipe = {**write.recipe_json, "left_out": [[7, 7]]}
        write.change(only_from="draft", edition=9, recipe_json=recipe)
        assert child.parent.edition != 9
        derive.discard(child)
        write.refresh_from_db()
        assert keys(write) == ["a-1", "a-2", "a-3", "a-4", "a-5"]

    def test_after_a_trial_was_given_back_another_one_may_begin(
        self, write: Write, browser: Browser
    ) -> None:
        browser.post(f"/writes/{write.pk}/trial/", {"rows": "2"})
        browser.post(f"/writes/{child_of(write).pk}/discard/")
        browser.post(f"/writes/{write.pk}/trial/", {"rows": "3"})
        write.refresh_from_db()
        assert keys(child_of(write)) == ["a-1", "a-2", "a-3"]
        assert keys(write) == ["a-4", "a-5", "a-6"]

    @pytest.mark.parametrize("sends_trial", [False, True])
    def test_there_is_one_trial_at_a_time(
        self,
        sends_trial: bool,
        sandbox: Sandbox,
        write: Write,
        olga: User,
        browser: Browser,
    ) -> None:
        browser.post(f"/writes/{write.pk}/trial/", {"rows": "2"})
        child = child_of(write)
        if sends_trial:
            sent(child, olga)
        answer = browser.post(f"/writes/{write.pk}/trial/", {"rows": "2"}, follow=True)
        assert levels(answer) == ["warning"]
        write.refresh_from_db()
        assert len(keys(write)) == 4
        assert write.children.count() == 1

    def test_both_sent_write_every_row_once(
        self, sandbox: Sandbox, write: Write, olga: User, browser: Browser
    ) -> None:
        browser.post(f"/writes/{write.pk}/trial/", {"rows": "3"})
        child = child_of(write)
        sent(child, olga)
        write.refresh_from_db()
        sent(write, olga)
        assert counts(child)[0] + counts(write)[0] == 6
        written = sorted(record[KEY] for record in records(sandbox, "contact"))
        assert written == ["a-1", "a-3", "a-5"]
        # Rows are told by their place in the original, also in the rest.
        shown = browser.get(f"/writes/{write.pk}/rows/?state=failed").context["rows"]
        assert [item["row"].row for item in shown] == [5, 7]
        retry = derive.retry_failed(write, actor(olga))
        check_draft(retry)
        assert keys(retry) == ["a-4", "a-6"]

    @pytest.mark.parametrize("number", ["0", "6", "7", "", "x", "-1", "9" * 30, "²"])
    def test_a_number_of_rows_that_makes_no_trial_is_told(
        self, number: str, write: Write, browser: Browser
    ) -> None:
        address = f"/writes/{write.pk}/trial/"
        answer = browser.post(address, {"rows": number}, follow=True)
        assert levels(answer) == ["warning"]
        write.refresh_from_db()
        assert (write.is_ready, write.row_count) == (True, 6)

    def test_what_was_sent_cannot_be_tried(
        self, sandbox: Sandbox, write: Write, olga: User, browser: Browser
    ) -> None:
        confirm(write, olga)
        browser.post(f"/writes/{write.pk}/trial/", {"rows": "2"})
        assert not write.children.exists()

    def test_a_review_that_is_older_than_the_trial_sends_nothing(
        self, write: Write, browser: Browser
    ) -> None:
        """Another tab still shows all rows, and its button would send them all."""
        reviewed = browser.get(f"/writes/{write.pk}/").context["reviewed"]
        browser.post(f"/writes/{write.pk}/trial/", {"rows": "2"})
        answer = press_send(browser, write, {"reviewed": reviewed})
        assert answer.status_code == 422
        assert not Operation.objects.exists()

    @pytest.mark.parametrize("of", ["trial", "rest"])
    def test_another_file_cannot_take_the_place_of_either(
        self,
        of: str,
        write: Write,
        target: dict[str, Any],
        olga: User,
        browser: Browser,
    ) -> None:
        """It would be sent whole, with the rows that the other one sends too."""
        form = browser.get(f"/writes/{write.pk}/again/", follow=True)
        token = form.context["form"].initial["token"]
        browser.post(f"/writes/{write.pk}/trial/", {"rows": "2"})
        child = child_of(write)
        draft = child if of == "trial" else write
        draft.refresh_from_db()
        before = draft.path_of("as_sent").read_bytes()
        data = HEADER + b"".join(ROWS)
        values = {
            **target,
            "primary_key": "Nr",
            "token": child.token if of == "trial" else token,
            "again": draft.pk,
            "file": SimpleUploadedFile("other.csv", data),
        }
        answer = browser.post("/writes/csv/", values, follow=True)
        assert levels(answer) == ["warning"]
        draft.refresh_from_db()
        assert draft.path_of("as_sent").read_bytes() == before
        assert draft.is_draft

    @pytest.mark.parametrize("do", ["read", "begin"])
    @pytest.mark.parametrize("of", ["trial", "rest"])
    def test_neither_is_read_otherwise(
        self, of: str, do: str, write: Write, browser: Browser
    ) -> None:
        """What is one row may be two then, and the two overlap."""
        browser.post(f"/writes/{write.pk}/trial/", {"rows": "2"})
        draft = child_of(write) if of == "trial" else write
        draft.refresh_from_db()
        before = keys(draft)
        values = {"do": do, "encoding": "utf-8", "delimiter": ";"}
        answer = browser.post(f"/writes/{draft.pk}/file/", values)
        assert answer.status_code == 422
        assert "problem" in Shown(answer).ids
        draft.refresh_from_db()
        assert keys(draft) == before

    @pytest.mark.parametrize("of", ["trial", "rest"])
    def test_undoing_everything_keeps_the_two_apart(
        self, of: str, write: Write, browser: Browser
    ) -> None:
        browser.post(f"/writes/{write.pk}/trial/", {"rows": "2"})
        child = child_of(write)
        draft = child if of == "trial" else write
        browser.post(f"/writes/{draft.pk}/file/", {"do": "undo"})
        draft.refresh_from_db()
        rows = draft.check_report["rows"]
        assert rows == (2 if of == "trial" else 4)

    def test_an_admin_does_not_make_a_second_trial_of_somebodys(
        self, write: Write, target: dict[str, Any], browser: Browser
    ) -> None:
        browser.post(f"/writes/{write.pk}/trial/", {"rows": "2"})
        child = child_of(write)
        admin = Browser()
        admin.force_login(make_user("ada", Role.ADMIN))
        values = {**target, "primary_key": KEY, "again": child.pk}
        answer = admin.post("/writes/csv/", values, follow=True)
        assert answer.status_code == 200
        assert write.children.count() == 1

    def test_a_discarded_rest_leaves_the_trial_as_it_is(
        self, write: Write, browser: Browser
    ) -> None:
        browser.post(f"/writes/{write.pk}/trial/", {"rows": "2"})
        child = child_of(write)
        browser.post(f"/writes/{write.pk}/discard/")
        assert keys(child) == ["a-1", "a-2"]
        answer = browser.post(f"/writes/{child.pk}/discard/", follow=True)
        assert answer.status_code == 200
        write.refresh_from_db()
        assert write.state == State.DISCARDED

    def test_a_trial_that_never_left_can_be_sent_again_alone(
        self, write: Write, target: dict[str, Any], olga: User, browser: Browser
    ) -> None:
        browser.post(f"/writes/{write.pk}/trial/", {"rows": "2"})
        child = child_of(write)
        operation = confirm(child, olga)
        Operation.objects.update(waiting_since=timezone.now() - timedelta(hours=2))
        send.send(operation.pk)
        form = browser.get(f"/writes/{child.pk}/again/", follow=True).context["form"]
        values = {
            **target,
            "token": form.initial["token"],
            "again": child.pk,
            "primary_key": form.initial["primary_key"],
        }
        browser.post("/writes/csv/", values)
        again = Write.objects.get(relation="again")
        assert keys(again) == ["a-1", "a-2"]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", ["trial", "retry"])
def test_two_people_at_the_same_moment_make_one(
    what: str, sandbox: Sandbox, write: Write, olga: User
) -> None:
    if what == "retry":
        sent(write, olga)
    start = threading.Barrier(2)
    problems: list[BaseException] = []

    def press() -> None:
        try:
            mine = Write.objects.select_related("integration__project").get(pk=write.pk)
            start.wait()
            if what == "trial":
                derive.try_first(mine, actor(olga), 2)
            else:
                derive.retry_failed(mine, actor(olga))
        except BaseException as error:
            problems.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=press) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [type(problem) for problem in problems] == [NoChild] * (what == "trial")
    assert write.children.count() == 1
