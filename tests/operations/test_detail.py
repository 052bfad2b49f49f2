"""The page of one operation, and its part that changes by itself."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import Client as Browser
from django.utils import timezone

from console.access.roles import Role
from console.models import Project
from console.ui.polling import ENDED_SECONDS
from operations.display.tab_title import title
from operations.display.timeline import timeline
from operations.models import Operation
from operations.views import panels
from operations.worker import store_log
from tests.answers import Shown
from tests.operations.conftest import entry, failed_rows, make_logs, make_operation
from tests.operations.test_outcome import logs as remote_logs
from tests.texts import numbers

State = Operation.State
HTMX = {"hx-request": "true"}
POLL = 'id="operation-status" data-poll'

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer(sign_in: Callable[..., Browser]) -> Browser:
    return sign_in(Role.VIEWER)


def url(operation: Operation, part: str = "") -> str:
    return f"/operations/{operation.pk}/{part}"


class TestAccess:
    @pytest.mark.parametrize("part", ["", "status/"])
    def test_the_ladder(
        self,
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
        nobody = sign_in(Role.NONE, name="nobody")
        assert nobody.get(address).status_code == 403

    @pytest.mark.parametrize("part", ["", "status/", "logs/", "logs.csv"])
    @pytest.mark.parametrize("pk", ["0", "999999", str(2**63), str(2**64), "9" * 5000])
    def test_what_is_not_there_is_404(
        self, viewer: Browser, pk: str, part: str
    ) -> None:
        assert viewer.get(f"/operations/{pk}/{part}").status_code == 404


class TestPage:
    def test_it_names_everything(self, viewer: Browser, project: Project) -> None:
        operation = make_operation(
            project,
            state="partly_failed",
            record_id="003xx",
            remote_id="remote-x",
            request_id="req-1",
            remote_status="success",
            rows_succeeded=3,
            rows_failed=1,
            answer={"operation": {"metadata": {"objects": ["contact"]}}},
        )
        response = viewer.get(url(operation))
        text = response.text
        assert numbers(response.context["sentence"].what) == [3, 1]
        assert response.context["sentence"].what in text
        for copied in ("003xx", "remote-x", "req-1"):
            assert f'data-copy="{copied}"' in text
        assert "&quot;objects&quot;: [" in text
        assert "<dt>User</dt><dd>olga</dd>" in text
        assert text.count("<h1") == 1

    def test_failures_are_grouped_capped_and_explained(
        self, viewer: Browser, operation: Operation
    ) -> None:
        error = "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:L --"
        keys = [f"key-{number}" for number in range(30)]
        many = {f"E{number}:x:--": ["k"] for number in range(60)}
        details = failed_rows(failedUpdates={error: keys, **many})
        store_log.store_entries(operation, remote_logs(entry("x", details=details)))
        response = viewer.get(url(operation))
        text = response.text.partition('id="operation-log"')[0]
        [explained] = [
            each for each in response.context["groups"] if len(each["keys"]) > 1
        ]
        assert explained["error"].explanation.meaning in text
        assert "<code>key-19</code>" in text
        assert "<code>key-20</code>" not in text
        assert numbers(Shown(response).texts["groups-left"]) == [11]

    def test_hostile_text_stays_text(self, viewer: Browser, project: Project) -> None:
        evil = '"><script>alert(1)</script><b hx-get="/evil">'
        operation = make_operation(
            project,
            state="failed",
            due_at=None,
            object_name=evil,
            group_ref=evil,
            remote_id=evil,
            reason=evil,
            remedy=evil,
            result=evil,
            remote_status=evil,
            watch_problem=evil,
            answer={evil: evil},
        )
        raw = entry(evil, error=evil, details=failed_rows(failedUpdates={evil: [evil]}))
        store_log.store_entries(operation, remote_logs(raw))
        for address in (url(operation), url(operation, "logs/"), "/operations/"):
            text = viewer.get(address).text
            assert "<script>alert" not in text
            assert '<b hx-get="/evil">' not in text
            assert "<style" not in text

    def test_panels_of_other_apps_are_drawn(
        self, viewer: Browser, operation: Operation, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def panel(request: HttpRequest, operation: Operation) -> str:
            return f"panel of {operation.pk} <b>"

        monkeypatch.setattr(panels._panels, "_panels", {panel: ("", "")})
        text = viewer.get(url(operation)).text
        assert f"panel of {operation.pk} &lt;b&gt;" in text

    def test_the_number_of_queries_does_not_grow(
        self, viewer: Browser, operation: Operation, django_assert_num_queries: Any
    ) -> None:
        make_logs(operation, 1)
        with django_assert_num_queries(17) as one:
            viewer.get(url(operation))
        operation.log_entries.all().delete()
        make_logs(operation, 60, tells_outcome=True)
        with django_assert_num_queries(len(one)):
            viewer.get(url(operation))

    @pytest.mark.parametrize(("role", "offered"), [(1, False), (2, True)])
    def test_buttons_are_for_operators(
        self,
        sign_in: Callable[..., Browser],
        project: Project,
        role: int,
        offered: bool,
    ) -> None:
        browser = sign_in(Role(role))
        running = make_operation(project)
        waiting = make_operation(project, state="waiting", remote_id="")
        assert ("ask-now/" in browser.get(url(running)).text) is offered
        assert ("cancel/" in browser.get(url(waiting)).text) is offered

    def test_an_ended_operation_offers_nothing(
        self, sign_in: Callable[..., Browser], project: Project
    ) -> None:
        operation = make_operation(project, state="succeeded", due_at=None)
        text = sign_in(Role.OPERATOR).get(url(operation)).text
        assert "ask-now/" not in text
        assert "cancel/" not in text


def seen_on(browser: Browser, operation: Operation) -> str:
    """Return what the page of the operation says that it shows."""
    found = re.search(r"status/\?seen=(\w+)&", browser.get(url(operation)).text)
    assert found
    return found[1]


class TestStatus:
    @pytest.mark.parametrize(
        ("values", "seconds"),
        [
            ({"state": "waiting", "remote_id": ""}, 1),
            ({"state": "sending", "remote_id": ""}, 1),
            ({"state": "in_progress"}, 2),
            ({"state": "in_progress", "age": 400}, 5),
            ({"state": "in_progress", "age": 1000}, 15),
            ({"state": "in_progress", "age": 3600}, 30),
            ({"state": "waiting", "remote_id": "", "age": 3600}, 30),
            ({"state": "succeeded"}, ENDED_SECONDS),
            ({"state": "in_progress", "due_at": None}, None),
            ({"state": "succeeded", "due_at": None}, None),
            ({"state": "unknown", "due_at": None}, None),
            ({"state": "rejected", "due_at": None}, None),
        ],
    )
    def test_it_polls_while_something_may_change(
        self,
        viewer: Browser,
        project: Project,
        values: dict[str, Any],
        seconds: int | None,
    ) -> None:
        age = timedelta(seconds=values.get("age", 0))
        given = {name: value for name, value in values.items() if name != "age"}
        names = ("created_at", "waiting_since", "sent_at", "answered_at")
        moments = dict.fromkeys(names, timezone.now() - age)
        operation = make_operation(project, **moments, **given)
        for address in (url(operation), url(operation, "status/")):
            text = viewer.get(address).text.partition('id="operation-log"')[0]
            assert (POLL in text) is (seconds is not None)
            if seconds:
                assert f'hx-trigger="every {seconds}s"' in text

    def test_unchanged_is_204(self, viewer: Browser, operation: Operation) -> None:
        address = url(operation, "status/")
        seen = {"seen": seen_on(viewer, operation), "was": operation.state}
        assert viewer.get(address, seen, headers=HTMX).status_code == 204
        operation.change(only_from=(State.IN_PROGRESS,), state=State.SUCCEEDED)
        response = viewer.get(address, seen, headers=HTMX)
        assert response.status_code == 200
        assert "<html" not in response.text
        assert "Succeeded" in response.text

    def test_it_is_shown_anew_when_it_is_to_be_asked_for_less_often(
        self, viewer: Browser, operation: Operation
    ) -> None:
        seen = {"seen": seen_on(viewer, operation), "was": operation.state}
        long_ago = timezone.now() - timedelta(hours=2)
        Operation.objects.update(answered_at=long_ago)
        response = viewer.get(url(operation, "status/"), seen, headers=HTMX)
        assert 'hx-trigger="every 30s"' in response.text

    def test_it_tells_the_tab_how_it_ended(
        self, viewer: Browser, operation: Operation
    ) -> None:
        page = viewer.get(url(operation)).text
        assert f"<title>{title(operation)} · Write Console</title>" in page
        operation.change(only_from=(State.IN_PROGRESS,), state=State.SUCCEEDED)
        text = viewer.get(url(operation, "status/"), headers=HTMX).text
        # htmx takes the title of a fragment where nothing stands around it.
        operation.refresh_from_db()
        assert text.lstrip().startswith(f"<title>{title(operation)} · Write Console<")

    @pytest.mark.parametrize("state", State.values)
    def test_every_state_has_a_mark_and_a_word(
        self, project: Project, state: str
    ) -> None:
        shown = title(Operation(pk=7, project=project, action="create", state=state))
        assert re.fullmatch(r"[…?✓✗] \w[\w ,]+ · Create #7", shown)

    def test_an_asking_without_news_is_shown_too(
        self, viewer: Browser, operation: Operation
    ) -> None:
        address = url(operation, "status/")
        seen = {"seen": seen_on(viewer, operation), "was": operation.state}
        Operation.objects.update(asked_count=1, due_at=None)
        response = viewer.get(address, seen, headers=HTMX)
        operation.refresh_from_db()
        assert timeline(operation)[-1].text in response.text
        assert "hx-trigger" not in response.text

    def test_only_a_new_state_is_announced(
        self, viewer: Browser, operation: Operation
    ) -> None:
        address, news = url(operation, "status/"), "innerHTML:#operation-news"
        assert news not in viewer.get(address, {"seen": "0", "was": "in_progress"}).text
        assert news in viewer.get(address, {"seen": "0", "was": "sending"}).text
        assert 'id="operation-news"' in viewer.get(url(operation)).text

    @pytest.mark.parametrize("seen", ["", "abc", "9" * 5000, "\0"])
    def test_any_version_is_survived(
        self, viewer: Browser, operation: Operation, seen: str
    ) -> None:
        address = url(operation, "status/")
        assert viewer.get(address, {"seen": seen}).status_code == 200
