"""What the list of operations can be narrowed to, in which columns, and its table."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.access.roles import Role
from console.models import AuditEvent, Project
from console.ui.periods import Preset
from operations.filters import OperationFilter
from operations.models import ListSettings, Operation
from tests.conftest import make_project, make_user
from tests.operations.conftest import Clock, make_operation

URL = "/operations/"
CSV = "/operations/operations.csv"
COLUMNS = "/operations/columns/"
State = Operation.State

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer(sign_in: Callable[..., Browser]) -> Browser:
    return sign_in(Role.VIEWER)


def shown(response: Any) -> list[int]:
    assert response.status_code == 200
    return [operation.pk for operation in response.context["operations"]]


class TestFilters:
    @pytest.fixture
    def wanted(self, project: Project) -> Operation:
        make_operation(project, source="csv", write_number=1, action="create")
        return make_operation(
            project,
            state="partly_failed",
            action="by_key",
            source="url",
            write_number=34,
            rows_sent=5_000,
            rows_succeeded=4_990,
            rows_failed=10,
        )

    @pytest.mark.parametrize(
        "query",
        [
            {"status": ["failed", "partly_failed"]},
            {"status": ["ended_badly", "cancelled"]},
            # Both are called “Create or update”.
            {"action": "by_id"},
            {"source": "url"},
            {"write": "34"},
            {"rows_min": "5000"},
            {"rows_min": "5", "rows_max": "5000"},
            {"failures": "on"},
            {"failures": "on", "status": ["partly_failed"], "source": "url"},
        ],
    )
    def test_each_narrows(
        self, viewer: Browser, wanted: Operation, query: dict[str, Any]
    ) -> None:
        assert shown(viewer.get(URL, query)) == [wanted.pk]

    def test_undecided_are_unknown_outcomes_that_call_for_somebody(
        self, viewer: Browser, project: Project
    ) -> None:
        decided, open_ = (
            make_operation(project, state="unknown", remote_id="") for _ in range(2)
        )
        decided.resolve("Decided.")
        response = viewer.get(URL, {"undecided": "on"})
        assert shown(response) == [open_.pk]
        assert response.context["pinned"] == []

    @pytest.mark.parametrize(
        "query",
        [
            {"status": ["failed", "wibbling"]},
            {"write": "0"},
            {"rows_min": "-1"},
            {"rows_min": "5", "rows_max": "4"},
            {"period": "yesteryear"},
            {"from": "2024-03-20T25:00"},
            {"from": "2024-03-20T10:00", "to": "2024-03-20T09:00"},
            {"source": "fax"},
        ],
    )
    def test_nonsense_is_a_400(self, viewer: Browser, query: dict[str, Any]) -> None:
        assert viewer.get(URL, query).status_code == 400
        assert viewer.get(CSV, query).status_code == 400

    def test_chips_name_what_is_on_and_lead_to_what_is_left(
        self, viewer: Browser, wanted: Operation
    ) -> None:
        query = {"status": ["failed", "partly_failed"], "project": wanted.project_id}
        chips = viewer.get(URL, query).context["chips"]
        assert [(chip.name, chip.value) for chip in chips] == [
            ("status", "Failed"),
            ("status", "Partly failed"),
            ("project", "Demo"),
        ]
        without_failed, _, without_project = (chip.without for chip in chips)
        assert without_failed == f"status=partly_failed&project={wanted.project_id}"
        assert without_project == "status=failed&status=partly_failed"
        assert shown(viewer.get(f"{URL}?{without_failed}")) == [wanted.pk]

    def test_a_customer_is_found_by_reference_and_by_the_name_of_the_list(
        self, viewer: Browser, project: Project
    ) -> None:
        # Another customer of another project, who happens to have the same reference.
        other = make_project("Other")
        other.integrations.get().groups.update(name="Somebody else")
        theirs = make_operation(other, group_ref="demo-group-id")
        ours = make_operation(project, group_ref="demo-group-id")
        for typed in ("Demo customer", "DEMO CUSTOMER"):
            assert shown(viewer.get(URL, {"group": typed})) == [ours.pk]
        both = shown(viewer.get(URL, {"group": "Demo-Group-Id"}))
        assert both == [ours.pk, theirs.pk]
        assert shown(viewer.get(URL, {"group": "Nobody"})) == []

    def test_a_name_tells_nothing_of_places_without_a_role(
        self, sign_in: Callable[..., Browser], project: Project
    ) -> None:
        live = make_project("Live", environment="production")
        make_operation(live, group_ref="demo-group-id")
        live.integrations.get().groups.update(name="Secret AG")
        looking = sign_in(name="eve", sandbox=Role.VIEWER, role=Role.NONE)
        assert shown(looking.get(URL, {"group": "Secret AG"})) == []
        [chip] = looking.get(URL, {"group": "demo-group-id"}).context["chips"]
        assert chip.value == "Demo customer"

    def test_chips_name_the_customer_and_the_month(
        self, viewer: Browser, wanted: Operation, clock: Clock
    ) -> None:
        query = {"group": "demo-group-id", "period": "last_month"}
        chips = viewer.get(URL, query).context["chips"]
        assert [(chip.name, chip.value) for chip in chips] == [
            ("group", "Demo customer"),
            ("period", "Last month (Feb 2024)"),
        ]

    def test_filters_of_the_folded_part_are_counted(
        self, viewer: Browser, wanted: Operation
    ) -> None:
        query = {"action": "by_id", "failures": "on", "project": wanted.project_id}
        chosen = viewer.get(URL, query).context["filter"]
        assert chosen.folded_on == 2

    @settings(
        max_examples=40,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(
        st.dictionaries(
            st.sampled_from(
                [
                    *("status", "action", "source", "write", "period", "from", "to"),
                    *("rows_min", "rows_max", "failures", "undecided", "before"),
                ]
            ),
            st.sampled_from(["", "1", "failed", "today", "2024-03-20", "\x00", "٣"])
            | st.text(max_size=20),
            max_size=4,
        )
    )
    def test_no_query_breaks_it(self, viewer: Browser, query: dict[str, str]) -> None:
        sent = {name: value.encode(errors="replace") for name, value in query.items()}
        for address in (URL, CSV, f"{URL}rows/", f"{URL}views/counts/"):
            assert viewer.get(address, sent).status_code in (200, 400)


class TestPeriods:
    @pytest.mark.parametrize(
        ("preset", "first", "end"),
        [
            ("today", "2024-04-01T00:00+02:00", "2024-04-02T00:00+02:00"),
            ("24h", "2024-03-31T09:30+02:00", None),
            ("yesterday", "2024-03-31T00:00+01:00", "2024-04-01T00:00+02:00"),
            ("7d", "2024-03-26T00:00+01:00", "2024-04-02T00:00+02:00"),
            ("30d", "2024-03-03T00:00+01:00", "2024-04-02T00:00+02:00"),
            ("month", "2024-04-01T00:00+02:00", "2024-04-02T00:00+02:00"),
            # Its clocks went forward: 743 hours.
            ("last_month", "2024-03-01T00:00+01:00", "2024-04-01T00:00+02:00"),
        ],
    )
    def test_presets_are_of_the_consoles_time_zone(
        self, preset: str, first: str, end: str | None
    ) -> None:
        now = datetime(2024, 4, 1, 7, 30, tzinfo=UTC)
        with timezone.override(ZoneInfo("Europe/Berlin")):
            bounds = Preset(preset).bounds(now)
        assert bounds[0] == datetime.fromisoformat(first)
        assert bounds[1] == (end and datetime.fromisoformat(end))

    def test_of_january_the_last_month_is_december(self) -> None:
        bounds = Preset.LAST_MONTH.bounds(datetime(2024, 1, 31, 12, tzinfo=UTC))
        assert [f"{moment:%Y-%m-%d}" for moment in bounds] == [
            "2023-12-01",
            "2024-01-01",
        ]

    def test_a_minute_is_within_as_a_whole(
        self, viewer: Browser, project: Project
    ) -> None:
        nine = datetime(2024, 3, 20, 9, tzinfo=UTC)
        at = [
            make_operation(project, created_at=nine + timedelta(seconds=seconds)).pk
            for seconds in (-1, 0, 59, 60)
        ]
        query = {"from": "2024-03-20T09:00", "to": "2024-03-20T09:00"}
        assert shown(viewer.get(URL, query)) == [at[2], at[1]]

    @settings(
        max_examples=15,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(st.lists(st.integers(0, 5), max_size=120))
    def test_page_by_page_nothing_comes_twice_and_nothing_is_lost(
        self, viewer: Browser, project: Project, hours: list[int]
    ) -> None:
        """In whatever order they were stored, and however many at one moment."""
        Operation.objects.all().delete()
        noon = datetime(2024, 3, 20, 12, tzinfo=UTC)
        for hour in hours:
            make_operation(project, created_at=noon + timedelta(hours=hour))
        found, query = [], "?from=2024-03-20T13:00"
        while query:
            response = viewer.get(URL + query)
            found += shown(response)
            older = response.context["older"]
            query = f"?{older}" if older else ""
        everything = Operation.objects.filter(created_at__gte=noon + timedelta(hours=1))
        in_order = everything.order_by("-created_at", "-pk")
        assert found == list(in_order.values_list("pk", flat=True))


class TestTotal:
    def test_it_counts_all_pages_until_that_is_too_many(
        self, viewer: Browser, project: Project, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(60):
            make_operation(project)
        assert viewer.get(URL).context["total"] == "60"
        monkeypatch.setattr("operations.looking.MOST_COUNTED", 55)
        assert viewer.get(URL).context["total"] == "55+"
        assert viewer.get(URL, {"text": "contact"}).context["total"] == "50+"
        assert viewer.get(URL, {"before": 9**9}).context["total"] == ""

    def test_what_the_reader_may_not_see_is_not_counted(
        self, sign_in: Callable[..., Browser], project: Project
    ) -> None:
        make_operation(project)
        make_operation(make_project("Secret", environment="production"))
        browser = sign_in(Role.NONE, name="sam", sandbox=Role.VIEWER)
        assert browser.get(URL).context["total"] == "1"


class TestColumns:
    def test_they_are_remembered_for_the_person(
        self, viewer: Browser, operation: Operation
    ) -> None:
        assert "Duration" in viewer.get(URL).text
        answer = viewer.post(
            COLUMNS,
            {
                "column": ["source", "nonsense"],
                "times": "ago",
                "query": "status=failed",
            },
        )
        assert answer["Location"] == f"{URL}?status=failed"
        response = viewer.get(URL)
        assert response.context["looks"].columns == ["source"]
        assert ">Source</th>" in response.text
        assert "just now</time>" in response.text
        assert ListSettings.objects.count() == 1
        viewer.post(COLUMNS, {"usual": "1"})
        assert "just now</time>" not in viewer.get(URL).text

    def test_it_leads_nowhere_but_to_the_list(self, viewer: Browser) -> None:
        answer = viewer.post(COLUMNS, {"query": "//evil.example/?a=b&next=//evil"})
        assert answer["Location"] == URL

    def test_relative_times_are_news_once_a_minute(
        self, viewer: Browser, operation: Operation, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        viewer.post(COLUMNS, {"times": "ago"})
        monkeypatch.setattr("operations.views.list.time.time", lambda: 6000.0)
        seen = viewer.get(URL).context["seen"]
        assert viewer.get(f"{URL}rows/", {"seen": seen}).status_code == 204
        monkeypatch.setattr("operations.views.list.time.time", lambda: 6060.0)
        assert viewer.get(f"{URL}rows/", {"seen": seen}).status_code == 200

    def test_a_part_names_its_write(self, viewer: Browser, project: Project) -> None:
        make_operation(project, part="part 2 of 15", write_number=34)
        assert '<a class="of-write" href="/writes/34/">' in viewer.get(URL).text


class TestTable:
    def rows(self, response: Any) -> list[dict[str, str]]:
        text = b"".join(response.streaming_content).decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text)))

    def test_it_holds_what_the_filters_let_through_in_the_order_of_the_list(
        self, viewer: Browser, project: Project
    ) -> None:
        evil = "=1+1"
        made = [
            make_operation(project, state="failed", object_name=evil, write_number=n)
            for n in range(1, 4)
        ]
        make_operation(project)
        rows = self.rows(viewer.get(CSV, {"status": "failed"}))
        assert [int(row["id"]) for row in rows] == [each.pk for each in made][::-1]
        assert {row["object"] for row in rows} == {f"'{evil}"}
        assert {row["customer"] for row in rows} == {"Demo customer"}
        event = AuditEvent.objects.get(action="operations.downloaded")
        assert event.detail["filters"] == {"status": ["failed"]}

    def test_nothing_of_another_environment_is_in_it(
        self, sign_in: Callable[..., Browser], project: Project
    ) -> None:
        mine = make_operation(project)
        make_operation(make_project("Secret", environment="production"))
        browser = sign_in(Role.NONE, name="sam", sandbox=Role.VIEWER)
        assert [int(row["id"]) for row in self.rows(browser.get(CSV))] == [mine.pk]


def test_others_may_give_the_filter_a_dict(project: Project) -> None:
    user: User = make_user("vera", Role.VIEWER)
    wanted = make_operation(project, state="failed")
    chosen = OperationFilter({"status": ["failed"], "group": ""}, user=user)
    assert chosen.is_valid()
    assert list(chosen.apply(Operation.objects.all())) == [wanted]
    assert chosen.query() == "status=failed"
