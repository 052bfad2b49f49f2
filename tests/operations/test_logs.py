"""The log: pages, filters, and the whole of it as a file."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser

from console.access.roles import Role
from console.models import AuditEvent, Project
from operations.csv_export import guarded
from operations.models import LogEntry, Operation
from tests.answers import Shown
from tests.operations.conftest import make_logs, make_operation

HTMX = {"hx-request": "true"}
PARTS = ["logs/", "logs.ndjson", "logs.csv"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer(sign_in: Callable[..., Browser]) -> Browser:
    return sign_in(Role.VIEWER)


def url(operation: Operation, part: str = "logs/") -> str:
    return f"/operations/{operation.pk}/{part}"


def shown(response: Any) -> list[int]:
    return [entry.sequence for entry in response.context["log"]["entries"]]


@pytest.mark.parametrize("part", PARTS)
def test_the_ladder(
    viewer: Browser,
    client: Browser,
    sign_in: Callable[..., Browser],
    operation: Operation,
    part: str,
) -> None:
    address = url(operation, part)
    assert viewer.get(address).status_code == 200
    assert viewer.post(address).status_code == 405
    assert client.get(address).status_code == 302
    assert "HX-Redirect" in client.get(address, headers=HTMX)
    assert sign_in(Role.NONE, name="nobody").get(address).status_code == 403


class TestPage:
    def test_it_shows_the_newest_hundred_in_order(
        self, viewer: Browser, operation: Operation
    ) -> None:
        make_logs(operation, 120)
        assert shown(viewer.get(url(operation))) == list(range(21, 121))

    def test_pages_follow_without_gap_in_both_directions(
        self, viewer: Browser, operation: Operation
    ) -> None:
        make_logs(operation, 250)
        pages, response = [], viewer.get(url(operation))
        while True:
            pages.append(shown(response))
            if not (older := response.context["log"]["older"]):
                break
            response = viewer.get(f"{url(operation)}?{older}")
        assert sum(reversed(pages), []) == list(range(1, 251))
        forward = shown(response)
        while newer := response.context["log"]["newer"]:
            response = viewer.get(f"{url(operation)}?{newer}")
            forward += shown(response)
        assert forward == list(range(1, 251))

    def test_filters_narrow_and_stay(
        self, viewer: Browser, operation: Operation
    ) -> None:
        make_logs(operation, 5)
        LogEntry.objects.filter(sequence=2).update(severity="ERROR")
        LogEntry.objects.filter(sequence=3).update(error="Nope")
        assert shown(viewer.get(url(operation), {"severity": "ERROR"})) == [2]
        assert shown(viewer.get(url(operation), {"q": "nope"})) == [3]
        response = viewer.get(url(operation), {"q": "zzz"})
        assert "all-entries" in Shown(response).ids

    @pytest.mark.parametrize(
        "query",
        [
            "severity=NEVER",
            "before=0",
            "after=x",
            "before=99999999999999999999",
            "before=3&after=2",
            "q=%00",
        ],
    )
    def test_nonsense_is_a_400(
        self, viewer: Browser, operation: Operation, query: str
    ) -> None:
        make_logs(operation, 5)
        response = viewer.get(f"{url(operation)}?{query}")
        assert response.status_code == 400
        assert response.context["log"]["filter"].errors
        assert 'role="alert"' in response.text

    @pytest.mark.parametrize("query", ["before=1", "after=99", "before=99", "after=5"])
    def test_the_ends_are_pages_too(
        self, viewer: Browser, operation: Operation, query: str
    ) -> None:
        make_logs(operation, 5)
        assert viewer.get(f"{url(operation)}?{query}").status_code == 200

    def test_page_or_fragment_by_header(
        self, viewer: Browser, operation: Operation
    ) -> None:
        page = viewer.get(url(operation))
        fragment = viewer.get(url(operation), headers=HTMX)
        assert "<html" in page.text
        assert fragment.text.lstrip().startswith('<div id="operation-log"')
        assert "HX-Request" in page["Vary"]
        assert "HX-Request" in fragment["Vary"]

    def test_unchanged_is_204_until_an_entry_comes(
        self, viewer: Browser, operation: Operation
    ) -> None:
        seen = viewer.get(url(operation)).context["log"]["seen"]
        query = {"seen": seen}
        response = viewer.get(url(operation), query, headers=HTMX)
        assert response.status_code == 204
        assert "HX-Request" in response["Vary"]
        make_logs(operation, 1)
        assert viewer.get(url(operation), query, headers=HTMX).status_code == 200

    def test_it_polls_while_it_may_grow_and_on_the_last_page_only(
        self, viewer: Browser, project: Project
    ) -> None:
        growing = make_operation(project)
        done = make_operation(project, state="succeeded", due_at=None)
        make_logs(growing, 3)
        assert "data-poll" in viewer.get(url(growing)).text
        assert "data-poll" not in viewer.get(url(growing), {"before": 2}).text
        assert "data-poll" not in viewer.get(url(done)).text

    @pytest.mark.parametrize(
        ("due", "empty"),
        [(True, "yet"), (False, "for-good")],
    )
    def test_an_empty_log_says_why(
        self, viewer: Browser, operation: Operation, due: bool, empty: str
    ) -> None:
        if not due:
            Operation.objects.update(due_at=None, state="succeeded")
        assert Shown(viewer.get(url(operation))).data["empty"] == [empty]

    def test_the_number_of_queries_does_not_grow(
        self, viewer: Browser, operation: Operation, django_assert_num_queries: Any
    ) -> None:
        make_logs(operation, 1)
        with django_assert_num_queries(10) as one:
            viewer.get(url(operation))
        LogEntry.objects.all().delete()
        make_logs(operation, 60)
        with django_assert_num_queries(len(one)):
            viewer.get(url(operation))


class TestDownloads:
    def test_ndjson_is_the_whole_log(
        self, viewer: Browser, operation: Operation
    ) -> None:
        first, *_ = make_logs(operation, 150)
        response = viewer.get(url(operation, "logs.ndjson"))
        lines = [json.loads(line) for line in response.getvalue().splitlines()]
        assert [line["sequence"] for line in lines] == list(range(1, 151))
        assert lines[0]["raw"] == first.raw

    def test_csv_is_guarded_against_formulas(
        self, viewer: Browser, operation: Operation
    ) -> None:
        make_logs(operation, 1, text="=1+1", error="@x", severity="-")
        response = viewer.get(url(operation, "logs.csv"))
        header, row = csv.reader(io.StringIO(response.getvalue().decode()))
        assert header[3:5] == ["text", "error"]
        assert row[2:5] == ["'-", "'=1+1", "'@x"]

    @pytest.mark.parametrize("part", PARTS[1:])
    def test_it_is_a_file_and_is_audited(
        self, viewer: Browser, operation: Operation, part: str
    ) -> None:
        response = viewer.get(url(operation, part))
        assert response["Content-Disposition"].startswith("attachment;")
        assert response["X-Content-Type-Options"] == "nosniff"
        event = AuditEvent.objects.get(action="log.downloaded")
        assert event.actor_name == "viewer"
        assert event.subject_url == operation.get_absolute_url()


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1", "'=1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@a", "'@a"),
        ("\ta", "'\ta"),
        ("\ra", "'\ra"),
        ("  =1", "'  =1"),
        ("＝1", "'＝1"),
        ("a=1", "a=1"),
        (None, ""),
        (7, "7"),
    ],
)
def test_formulas_are_made_harmless(text: object, cell: str) -> None:
    assert guarded(text) == cell
