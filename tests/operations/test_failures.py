"""Errors over a selection of operations: kinds, counts, and whom they are shown to."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client as Browser
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from console.access.roles import Role
from console.environments import Environment
from console.models import Project
from operations.models import Failure, Operation
from operations.models.row_outcomes import ROW_OUTCOMES
from operations.outcome.error_kinds import counted, kind_of
from operations.views import failures as view
from operations.worker.store_failures import store_failures
from operations.worker.watch import watch
from tests.answers import Shown
from tests.conftest import make_project, make_user
from tests.operations.conftest import (
    NOON,
    Clock,
    Remote,
    entry,
    failed_rows,
    make_operation,
)

REQUIRED = "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --"
PAGE = "/operations/failures/"


@pytest.fixture
def viewer(sign_in: Callable[..., Browser]) -> Browser:
    return sign_in(Role.VIEWER)


def failed(project: Project, reason: str, **values: Any) -> Operation:
    """Return an operation that was rejected for a reason, with its errors kept."""
    given = {"state": "rejected", "rows_failed": 4, "reason": reason, **values}
    operation = make_operation(project, **given)
    store_failures(operation)
    return operation


def kinds(browser: Browser, **query: Any) -> list[tuple[str, int, int]]:
    found = browser.get(PAGE, query).context["kinds"]
    return [(k.failure.message, k.rows, len(k.operations)) for k in found]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("bad value 'X' in row 7", "bad value 'Y' in row 12"),
        ("“a b” is taken", "“c” is taken"),
        ("entity 003Ws00000AbCdE is deleted", "entity 003Ws00000ZzzzEIAB is deleted"),
        ("write to a@b.example", "write to c.d@e.example"),
        (
            "DUPLICATE_VALUE:Duplicate external id specified: k-1:Key__c --",
            "DUPLICATE_VALUE:Duplicate external id specified: other:Key__c --",
        ),
        ("at 2024-03-20T12:00:00Z it ended", "at 2025-01-01T00:00:00Z it ended"),
    ],
)
def test_values_do_not_tell_errors_apart(one: str, other: str) -> None:
    assert kind_of(one) == kind_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A_B:No such column:Foo__c --", "A_B:No such column:Bar__c --"),
        ("A_B:taken:Foo__c --", "C_D:taken:Foo__c --"),
        ("can't write and won't read", "can't read and won't write"),
        ("Field1__c is empty", "Field2__c is empty"),
    ],
)
def test_words_and_fields_tell_errors_apart(one: str, other: str) -> None:
    assert kind_of(one).digest != kind_of(other).digest


@given(st.dictionaries(st.text(), st.integers(0, 2**40)), st.integers(0, 2**31))
def test_any_text_is_counted(texts: dict[str, int], rows: int) -> None:
    found = counted(texts, failed=rows)
    for failure in found:
        failure.operation_id = 1
        failure.full_clean(exclude=["operation"], validate_constraints=False)
    assert len({failure.digest for failure in found}) == len(found)


@pytest.mark.django_db
class TestKeeping:
    def test_the_rows_that_a_log_names_are_counted_by_kind(
        self, remote: Remote, clock: Clock, operation: Operation
    ) -> None:
        others = {f"A_B:bad '{n}':Email --": [f"k-{n}"] for n in range(2)}
        told = failed_rows(failedCreates={REQUIRED: ["a", "b"], **others})
        remote.status, remote.result = "success", "(0 succeeded, 5 failed)"
        remote.logs = [entry("Failed", severity="ERROR", details=told)]
        due_at = operation.due_at
        assert due_at
        clock.advance(seconds=1)
        watch([operation.pk], due_at)
        kept = operation.failures.order_by("-rows", "code")
        assert list(kept.values_list("code", "rows", "fields")) == [
            ("A_B", 2, "Email"),
            ("REQUIRED_FIELD_MISSING", 2, "Name"),
            # Of the fifth nobody said why.
            ("", 1, ""),
        ]

    def test_what_is_told_later_replaces_it(self, project: Project) -> None:
        operation = failed(project, "First")
        operation.reason = "Second"
        store_failures(operation)
        assert [each.message for each in operation.failures.all()] == ["Second"]

    @pytest.mark.parametrize("state", ["succeeded", "in_progress", "waiting"])
    def test_what_did_not_fail_has_none(self, project: Project, state: str) -> None:
        store_failures(make_operation(project, state=state, reason="A note"))
        assert not Failure.objects.exists()

    @pytest.mark.parametrize(
        ("values", "rows"),
        [
            ({"state": "rejected", "rows_sent": 7}, 7),
            ({"state": "rejected", "rows_sent": None}, 0),
            # It failed, and nobody told whether rows of it were written.
            ({"state": "failed", "rows_sent": 7}, 0),
            ({"state": "failed", "rows_sent": 7, "rows_failed": 5}, 5),
        ],
    )
    def test_no_more_rows_count_than_are_known_to_have_failed(
        self, project: Project, values: dict[str, Any], rows: int
    ) -> None:
        operation = make_operation(project, reason="Gone", **values)
        store_failures(operation)
        assert operation.failures.get().rows == rows
        outcome = Operation.objects.annotate(n=ROW_OUTCOMES["rows_failed"])
        assert outcome.get().n == rows

    def test_examples_are_forgotten_and_the_errors_are_not(
        self, project: Project, viewer: Browser
    ) -> None:
        swept, kept = (failed(project, f"bad value 'x{n}'") for n in range(2))
        assert {each.example for each in Failure.objects.all()} == {
            "bad value 'x0'",
            "bad value 'x1'",
        }
        found = Operation.objects.filter(pk=swept.pk)
        assert Failure.objects.forget_examples(found) == 1
        assert Failure.objects.forget_examples(found) == 0
        assert swept.failures.get().example == ""
        assert kept.failures.get().example == "bad value 'x1'"
        assert kinds(viewer) == [("bad value …", 8, 2)]
        Failure.objects.forget_examples(Operation.objects.all())
        digest = kind_of("bad value 'x'").digest
        page = viewer.get(f"{PAGE}{digest}/")
        assert len(page.context["operations"]) == 2
        assert "x1" not in Shown(page).texts["main"]


@pytest.mark.django_db
class TestPage:
    def test_errors_are_counted_over_operations_most_rows_first(
        self, viewer: Browser, project: Project
    ) -> None:
        failed(project, "Row 1 is bad", created_at=NOON)
        last = failed(project, "Row 2 is bad", created_at=NOON + timedelta(days=2))
        failed(project, "Other", rows_failed=5)
        assert kinds(viewer) == [("Row … is bad", 8, 2), ("Other", 5, 1)]
        kind = viewer.get(PAGE).context["kinds"][0]
        assert (kind.oldest.created_at, kind.newest.pk) == (NOON, last.pk)
        assert (kind.customers, kind.objects_named) == (["Demo customer"], ["contact"])

    def test_the_filters_of_the_list_choose(
        self, viewer: Browser, project: Project
    ) -> None:
        failed(project, "One", object_name="contact")
        failed(project, "Two", object_name="account")
        assert kinds(viewer, object="account") == [("Two", 4, 1)]
        assert viewer.get(PAGE, {"status": "never"}).status_code == 400

    def test_each_leads_to_the_operations_that_it_counts(
        self, viewer: Browser, project: Project
    ) -> None:
        mine = [failed(project, f"Row {n} is bad").pk for n in range(2)]
        failed(project, "Other")
        digest = kind_of("Row 9 is bad").digest
        shown = viewer.get(f"{PAGE}{digest}/").context["operations"]
        assert [(each.pk, each.failed_so) for each in shown] == [
            (pk, 4) for pk in reversed(mine)
        ]
        assert viewer.get(f"{PAGE}0000000000000000/").status_code == 404
        listed = viewer.get("/operations/", {"error": digest})
        assert [each.pk for each in listed.context["operations"]] == mine[::-1]
        (chip,) = listed.context["chips"]
        assert (chip.name, chip.value) == ("error", "Row … is bad")

    def test_no_chip_tells_the_words_of_what_one_may_not_see(
        self, project: Project, client: Browser
    ) -> None:
        hidden = make_project("Secret", environment=Environment.PRODUCTION)
        failed(hidden, "Hidden")
        client.force_login(make_user("guest", sandbox=Role.VIEWER))
        digest = kind_of("Hidden").digest
        (chip,) = client.get("/operations/", {"error": digest}).context["chips"]
        assert chip.value == digest

    def test_it_says_how_far_it_looked_and_looks_further(
        self, viewer: Browser, project: Project, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(view, "MOST_COUNTED", 2)
        for _ in range(3):
            failed(project, "Bad")
        context = viewer.get(PAGE).context
        assert context["operation_count"] == 2
        assert len(context["kinds"][0].operations) == 2
        context = viewer.get(f"{PAGE}?{context['further']}").context
        assert (context["operation_count"], context["further"]) == (1, "")

    @pytest.mark.parametrize(
        "query", [{}, {"group": "demo-group-id"}, {"period": "7d"}, {"text": "demo"}]
    )
    def test_page_by_page_each_failed_operation_is_counted_once(
        self,
        viewer: Browser,
        project: Project,
        query: dict[str, str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(view, "LOOK", 3)
        for n in range(10):
            make_operation(project, state="succeeded")
            failed(project, f"Row {n} is bad", created_at=timezone.now())
        pages, address = [], f"{PAGE}?{urlencode(query)}"
        while address:
            context = viewer.get(address).context
            pages.append(context["operation_count"])
            further = context["further"]
            address = f"{PAGE}?{further}" if further else ""
            assert not further or urlencode(query) in further
        assert sum(pages) == 10
        assert len(pages) == 7

    def test_it_says_of_how_many_no_error_is_kept(
        self, viewer: Browser, project: Project
    ) -> None:
        failed(project, "Bad")
        make_operation(project, state="partly_failed", rows_failed=2)
        context = viewer.get(PAGE).context
        assert (context["operation_count"], context["not_counted"]) == (2, 1)

    def test_nobody_counts_what_they_may_not_see(
        self, project: Project, client: Browser
    ) -> None:
        hidden = make_project("Secret", environment=Environment.PRODUCTION)
        failed(project, "Bad", rows_sent=1, rows_failed=1)
        failed(hidden, "Bad", rows_sent=7, rows_failed=7)
        failed(hidden, "Hidden")
        client.force_login(make_user("guest", sandbox=Role.VIEWER))
        assert kinds(client) == [("Bad", 1, 1)]
        digest = kind_of("Hidden").digest
        assert client.get(f"{PAGE}{digest}/").status_code == 404

    def test_the_number_of_queries_does_not_grow(
        self, viewer: Browser, project: Project, django_assert_num_queries: Any
    ) -> None:
        failed(project, "One")
        viewer.get(PAGE)
        with django_assert_num_queries(10) as one:
            viewer.get(PAGE)
        for reason in ("a", "b", "c"):
            failed(project, reason, group_ref=reason)
        with django_assert_num_queries(len(one)):
            viewer.get(PAGE)


def test_errors_that_are_stored_anew_while_they_are_counted_are_left_out(
    viewer: Browser, project: Project
) -> None:
    failed(project, "Name is missing")
    reads = []

    def between(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith("SELECT") and 'FROM "operations_failure"' in sql:
            reads.append(sql)
            if len(reads) == 2:
                Failure.objects.all().delete()
        return execute(sql, *rest)

    with connection.execute_wrapper(between):
        assert kinds(viewer) == []
    assert len(reads) == 2
