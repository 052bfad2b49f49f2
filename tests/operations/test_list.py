"""The list of operations and its fragment that keeps itself up to date."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.test import override_settings
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.access.roles import Role
from console.models import Project
from operations.models import Operation
from tests.answers import Shown
from tests.conftest import make_project
from tests.operations.conftest import make_operation

State = Operation.State
URL = "/operations/"
ROWS = "/operations/rows/"
HTMX = {"hx-request": "true"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer(sign_in: Callable[..., Browser]) -> Browser:
    return sign_in(Role.VIEWER)


def shown(response: Any) -> list[int]:
    return [operation.pk for operation in response.context["operations"]]


class TestAccess:
    @pytest.mark.parametrize("url", [URL, ROWS])
    def test_reading_only(self, viewer: Browser, url: str) -> None:
        assert viewer.get(url).status_code == 200
        assert viewer.head(url).status_code == 200
        assert viewer.post(url).status_code == 405

    @pytest.mark.parametrize("url", [URL, ROWS])
    def test_strangers_are_sent_to_sign_in(self, client: Browser, url: str) -> None:
        assert client.get(url).status_code == 302
        response = client.get(url, headers=HTMX)
        assert "/login/" in response["HX-Redirect"]

    @pytest.mark.parametrize("url", [URL, ROWS])
    def test_people_without_a_role_are_refused(
        self, sign_in: Callable[..., Browser], url: str
    ) -> None:
        assert sign_in(Role.NONE, name="nobody").get(url).status_code == 403


class TestPage:
    def test_newest_first_with_state_and_counts(
        self, viewer: Browser, project: Project
    ) -> None:
        old = make_operation(project)
        new = make_operation(
            project, state="partly_failed", rows_succeeded=11990, rows_failed=441
        )
        response = viewer.get(URL)
        assert shown(response) == [new.pk, old.pk]
        for text in ("Partly failed", "11,990", "441", "Demo customer", "Sandbox"):
            assert text in response.text

    def test_nothing_yet_and_nothing_matches_are_told_apart(
        self, viewer: Browser, operation: Operation
    ) -> None:
        response = viewer.get(URL, {"text": "zzz", "user": "nobody"})
        assert len(response.context["filter"].narrowing) == 2
        assert "clear-filters" in Shown(response).ids
        Operation.objects.all().delete()
        response = viewer.get(URL)
        assert "empty" in Shown(response).data
        assert "clear-filters" not in Shown(response).ids

    def test_hostile_text_stays_text(self, viewer: Browser, project: Project) -> None:
        evil = '<img src=x hx-get="/evil">'
        make_operation(project, object_name=evil, group_ref=evil, started_by_name=evil)
        response = viewer.get(URL)
        assert evil not in response.text
        assert "<tbody hx-disable>" in response.text

    def test_the_number_of_queries_does_not_grow(
        self, viewer: Browser, project: Project, django_assert_num_queries: Any
    ) -> None:
        for _ in range(51):
            make_operation(project)
        with django_assert_num_queries(14) as one:
            viewer.get(URL)
        other = make_project("Other")
        for number in range(60):
            make_operation(other if number % 2 else project)
        with django_assert_num_queries(len(one)):
            viewer.get(URL)

    def test_the_folded_filters_are_there_when_asked_for_or_on(
        self, viewer: Browser
    ) -> None:
        assert 'name="rows_min"' not in viewer.get(URL).text
        opened = viewer.get(f"{URL}?object=Lead&more=1")
        assert 'name="rows_min"' in opened.text
        # It is no filter itself, so no link takes it along.
        assert opened.context["query"] == "object=Lead"
        on = viewer.get(f"{URL}?rows_min=5").text
        assert 'name="rows_min" value="5"' in on
        wrong = viewer.get(f"{URL}?rows_min=five")
        assert wrong.context["filter"].has_error("rows_min")
        assert 'name="rows_min"' in wrong.text

    @pytest.mark.parametrize(("role", "offered"), [(1, False), (2, True)])
    def test_following_is_for_operators(
        self, sign_in: Callable[..., Browser], role: int, offered: bool
    ) -> None:
        text = sign_in(Role(role)).get(URL).text
        assert (reverse("operations:follow") in text) is offered


class TestPaging:
    def test_pages_follow_without_gap_or_repetition(
        self, viewer: Browser, project: Project
    ) -> None:
        assert Operation.objects.newest_first().totally_ordered
        everything = [make_operation(project).pk for _ in range(120)][::-1]
        found, url = [], f"{URL}?status=in_progress"
        while url:
            response = viewer.get(url)
            found += shown(response)
            assert len(shown(response)) <= 50
            older = response.context["older"]
            url = f"{URL}?{older}" if older else ""
            assert not older or "status=in_progress" in older
        assert found == everything

    def test_past_the_last_page_there_is_a_way_back(
        self, viewer: Browser, operation: Operation
    ) -> None:
        response = viewer.get(URL, {"before": operation.pk})
        assert shown(response) == []
        assert "newest" in Shown(response).ids


class TestPinned:
    """Outcomes that are unknown stand above the list too until somebody decided."""

    def test_however_old_with_who_when_to_whom_and_why_not_again(
        self, viewer: Browser, project: Project
    ) -> None:
        old = make_operation(project, state="unknown", remote_id="", action="create")
        newer = [make_operation(project).pk for _ in range(60)][::-1]
        response = viewer.get(URL)
        assert response.context["pinned"] == [old]
        assert shown(response) == newer[:50]
        section = response.text[response.text.index("unknown-heading") :]
        section = section[: section.index("</section>")]
        for text in ("Create contact", "Demo customer", "olga", "a duplicate"):
            assert text in section
        assert f"/operations/{old.pk}/reconcile/" in section

    def test_only_where_the_filters_let_them_through(
        self, viewer: Browser, project: Project
    ) -> None:
        make_operation(project, state="unknown", remote_id="")
        response = viewer.get(URL, {"object": "lead"})
        assert response.context["pinned"] == []
        assert response.context["unknown"] == "1"
        assert "show-unknown" in Shown(response).ids
        response = viewer.get(URL, {"object": "contact"})
        assert len(response.context["pinned"]) == 1

    def test_what_somebody_decided_about_is_in_its_place(
        self, viewer: Browser, project: Project
    ) -> None:
        decided = make_operation(project, state="unknown", remote_id="")
        assert decided.resolve("olga sent it again as operation #9.")
        response = viewer.get(URL)
        assert response.context["pinned"] == []
        assert shown(response) == [decided.pk]
        assert "resolved" in Shown(response).data

    def test_so_many_are_pinned_and_the_others_have_an_address(
        self, viewer: Browser, project: Project
    ) -> None:
        for _ in range(21):
            make_operation(project, state="unknown", remote_id="")
        response = viewer.get(URL, {"object": "contact"})
        assert len(response.context["pinned"]) == 5
        assert len(shown(response)) == 21
        address = response.context["all_unknown"]
        assert address == "object=contact&status=unknown"
        response = viewer.get(f"{URL}?{address}")
        assert len(shown(response)) == 21
        assert response.context["pinned"] == []

    @settings(
        max_examples=15,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(st.lists(st.sampled_from(["unknown", "decided", "other"]), max_size=130))
    def test_page_by_page_nothing_comes_twice_and_nothing_is_lost(
        self, viewer: Browser, project: Project, kinds: list[str]
    ) -> None:
        Operation.objects.all().delete()
        for kind in kinds:
            state = "in_progress" if kind == "other" else "unknown"
            values = {} if kind == "other" else {"remote_id": ""}
            operation = make_operation(project, state=state, **values)
            if kind == "decided":
                operation.resolve("Decided.")
        found, query = [], "?"
        while query:
            response = viewer.get(URL + query)
            found += shown(response)
            older = response.context["older"]
            query = f"?{older}" if older else ""
        everything = Operation.objects.newest_first()
        assert found == list(everything.values_list("pk", flat=True))

    def test_the_lines_alone_change_when_one_is_decided(
        self, viewer: Browser, project: Project
    ) -> None:
        operation = make_operation(project, state="unknown", remote_id="")
        seen = viewer.get(URL).context["seen"]
        assert viewer.get(ROWS, {"seen": seen}, headers=HTMX).status_code == 204
        operation.resolve("Decided.")
        response = viewer.get(ROWS, {"seen": seen}, headers=HTMX)
        assert response.status_code == 200
        assert "unknown-heading" not in response.text


class TestFilters:
    @pytest.fixture
    def wanted(self, project: Project) -> Operation:
        production = make_project("ACME", environment="production")
        make_operation(project)
        return make_operation(
            production,
            state="failed",
            object_name="Lead",
            group_ref="Acme-1",
            started_by_name="Maria",
            remote_id="5e4f06ca-445f",
            record_id="003xx",
            reason="LineEnding is invalid",
            created_at=datetime(2024, 3, 20, 23, 59, tzinfo=UTC),
        )

    @pytest.mark.parametrize(
        "query",
        [
            {"status": "failed"},
            {"environment": "production"},
            {"object": "lead"},
            {"group": "acme-1"},
            {"user": "maria"},
            {"from": "2024-03-20", "to": "2024-03-20"},
            {"to": "2024-03-20"},
            {"text": "5e4f06CA"},
            {"text": "003x"},
            {"text": "lineending"},
            {"text": "acme", "status": "failed"},
        ],
    )
    def test_each_narrows(
        self, viewer: Browser, wanted: Operation, query: dict[str, str]
    ) -> None:
        assert shown(viewer.get(URL, query)) == [wanted.pk]

    def test_what_is_on_hold_is_neither_queued_nor_in_progress(
        self, viewer: Browser, project: Project
    ) -> None:
        run = {"project": project, "kind": "run", "state": State.IN_PROGRESS}
        made = {
            "queued": make_operation(project, state=State.HELD),
            "held": make_operation(project, state=State.HELD, may_have_left=True),
            "goes on": make_operation(**run),
            "paused": make_operation(**run, reason="Paused by olga."),
        }
        by_query = {
            "status=on_hold": {"held", "paused"},
            "status=held": {"queued"},
            "status=held&status=on_hold": {"queued", "held", "paused"},
            "status=in_progress": {"goes on"},
            "status=in_progress&status=on_hold": {"held", "goes on", "paused"},
            # As Home counts it.
            "status=running": {"goes on", "paused"},
            "status=running&status=on_hold": {"held", "goes on", "paused"},
        }
        for query, wanted in by_query.items():
            found = set(shown(viewer.get(f"{URL}?{query}")))
            names = {name for name, each in made.items() if each.pk in found}
            assert names == wanted, query
        chips = viewer.get(f"{URL}?status=on_hold").context["chips"]
        assert [chip.value for chip in chips] == [made["held"].state_label]

    def test_by_project_integration_and_id(
        self, viewer: Browser, wanted: Operation
    ) -> None:
        for query in (
            {"project": f"{wanted.project_id}"},
            {"integration": f"{wanted.integration_id}"},
            {"text": f"#{wanted.pk}"},
        ):
            assert shown(viewer.get(URL, query)) == [wanted.pk]

    def test_days_are_those_of_the_consoles_time_zone(
        self, viewer: Browser, wanted: Operation, settings: Any
    ) -> None:
        settings.TIME_ZONE = "Asia/Tokyo"
        assert shown(viewer.get(URL, {"to": "2024-03-20"})) == []
        assert shown(viewer.get(URL, {"to": "2024-03-21"})) == [wanted.pk]

    @pytest.mark.parametrize(
        "query",
        [
            "status=wibbling",
            "project=999999",
            "project=x",
            "environment=moon",
            "integration=99999999999999999999999",
            "from=yesterday",
            "from=0001-01-01",
            "to=9999-12-31",
            "from=2024-03-20&to=2024-03-19",
            "before=0",
            "before=abc",
            "before=99999999999999999999",
            "text=%00",
            "text=" + "x" * 201,
        ],
    )
    def test_nonsense_is_a_400_with_the_form(self, viewer: Browser, query: str) -> None:
        response = viewer.get(f"{URL}?{query}")
        assert response.status_code == 400
        assert response.context["filter"].errors
        assert 'role="alert"' in response.text
        assert 'name="text"' in response.text
        assert viewer.get(f"{ROWS}?{query}").status_code == 400

    @settings(
        max_examples=30,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(
        name=st.sampled_from(
            ["text", "status", "project", "from", "to", "before", "user", "seen"]
        ),
        value=st.text(max_size=30),
    )
    def test_no_query_breaks_it(self, viewer: Browser, name: str, value: str) -> None:
        query = {name: value.encode(errors="replace")}
        assert viewer.get(URL, query).status_code in (200, 400)
        assert viewer.get(ROWS, query).status_code in (200, 400)


class TestRows:
    def test_unchanged_is_204_until_something_changes(
        self, viewer: Browser, operation: Operation
    ) -> None:
        seen = viewer.get(URL).context["seen"]
        assert viewer.get(ROWS, {"seen": seen}, headers=HTMX).status_code == 204
        operation.change(only_from=(State.IN_PROGRESS,), reason="new")
        response = viewer.get(ROWS, {"seen": seen}, headers=HTMX)
        assert response.status_code == 200
        assert "<html" not in response.text
        assert response.text.lstrip().startswith('<div id="operation-rows"')
        assert 'hx-swap-oob="innerHTML:#operation-totals"' in response.text

    def test_a_new_operation_is_a_change(
        self, viewer: Browser, operation: Operation, project: Project
    ) -> None:
        seen = viewer.get(URL).context["seen"]
        make_operation(project)
        assert viewer.get(ROWS, {"seen": seen}).status_code == 200

    def test_it_keeps_filters_and_page(
        self, viewer: Browser, operation: Operation
    ) -> None:
        query = {"user": "olga", "before": f"{operation.pk + 1}"}
        response = viewer.get(ROWS, query)
        assert shown(response) == [operation.pk]
        assert response.context["poll_query"] == f"user=olga&before={operation.pk + 1}"

    @pytest.mark.parametrize(("state", "seconds"), [("in_progress", 3), ("failed", 30)])
    def test_it_asks_more_often_while_something_is_in_flight(
        self, viewer: Browser, project: Project, state: str, seconds: int
    ) -> None:
        make_operation(project, state=state)
        assert f'hx-trigger="every {seconds}s"' in viewer.get(URL).text

    def test_counts_are_capped(self, viewer: Browser, project: Project) -> None:
        for _ in range(101):
            make_operation(project, state="unknown", remote_id="")
        assert viewer.get(URL).context["unknown"] == "100+"


def test_time_zone_edges_do_not_overlap(viewer: Browser, project: Project) -> None:
    midnight = datetime(2024, 3, 21, tzinfo=UTC)
    before = make_operation(project, created_at=midnight - timedelta(microseconds=1))
    after = make_operation(project, created_at=midnight)
    assert shown(viewer.get(URL, {"to": "2024-03-20"})) == [before.pk]
    assert shown(viewer.get(URL, {"from": "2024-03-21"})) == [after.pk]


def test_what_ended_at_once_took_no_seconds(viewer: Browser, project: Project) -> None:
    moment = datetime(2026, 11, 30, 12, tzinfo=UTC)
    make_operation(project, state="succeeded", sent_at=moment, ended_at=moment)
    answer = viewer.get("/operations/operations.csv")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(text))
    assert float(row["seconds"]) == 0


@pytest.mark.parametrize("hour", [0, 1])
def test_an_hour_that_is_there_twice_is_shown_whole(
    hour: int, viewer: Browser, project: Project
) -> None:
    with override_settings(TIME_ZONE="Europe/Berlin"):
        # 02:15 in summer time, and again an hour later.
        moment = datetime(2026, 10, 25, hour, 15, tzinfo=UTC)
        made = make_operation(project, created_at=moment)
        for end, is_shown in (("02:15", True), ("02:14", False), ("01:59", False)):
            query = {"from": "2026-10-25T01:00", "to": f"2026-10-25T{end}"}
            found = viewer.get("/operations/", query).context["operations"]
            assert (made in found) == is_shown or (end, hour) == ("02:14", 0)
