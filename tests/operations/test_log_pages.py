"""Within a log: levels, search, the place of an entry, and how times are shown."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils.html import escape, strip_tags
from hypothesis import given
from hypothesis import strategies as st

from console.access.roles import Role
from operations.display.log_display import LogDisplay, since
from operations.models import LogEntry, Operation
from operations.outcome import log_pages
from operations.templatetags.operations import marked
from operations.views.logs import PAGE
from tests.answers import Shown
from tests.operations.conftest import NOON, make_logs


@pytest.fixture
def viewer(sign_in: Callable[..., Browser]) -> Browser:
    return sign_in(Role.VIEWER)


@pytest.fixture
def log(operation: Operation) -> str:
    """The address of a log of 250 entries, of which every tenth holds "found"."""
    make_logs(operation, 250)
    tenth = [n for n in range(1, 251) if n % 10 == 0]
    LogEntry.objects.filter(sequence__in=tenth).update(text="Here it is Found.")
    return f"/operations/{operation.pk}/logs/"


def shown(response: Any) -> list[int]:
    return [entry.sequence for entry in response.context["log"]["entries"]]


@pytest.mark.django_db
class TestLevels:
    @pytest.mark.parametrize(
        ("level", "numbers"),
        [
            ("", [1, 2, 3, 4, 5, 6]),
            ("info-up", [2, 3, 4, 5, 6]),
            ("warning-up", [3, 4, 5, 6]),
            ("error-up", [4, 5, 6]),
            ("Warn", [3]),
        ],
    )
    def test_one_that_nobody_knows_is_never_left_out(
        self, viewer: Browser, operation: Operation, level: str, numbers: list[int]
    ) -> None:
        make_logs(operation, 6)
        names = ["DEBUG", "info", "Warn", "CRITICAL", "fishy", ""]
        for number, name in enumerate(names, start=1):
            LogEntry.objects.filter(sequence=number).update(severity=name)
        address = f"/operations/{operation.pk}/logs/"
        assert shown(viewer.get(address, {"severity": level})) == numbers

    def test_pages_of_several_severities_follow_without_gap(
        self, viewer: Browser, log: str
    ) -> None:
        for number in range(1, 251):
            name = ("DEBUG", "WARNING", "ERROR", "odd")[number % 4]
            LogEntry.objects.filter(sequence=number).update(severity=name)
        wanted = [n for n in range(1, 251) if n % 4]
        response = viewer.get(log, {"severity": "warning-up"})
        found = shown(response)
        while older := response.context["log"]["older"]:
            response = viewer.get(f"{log}?{older}")
            found = shown(response) + found
        assert found == wanted


@pytest.mark.django_db
class TestSearch:
    def test_it_looks_at_so_many_entries_and_says_how_far(
        self, viewer: Browser, log: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(log_pages, "LOOK", 60)
        response = viewer.get(log, {"q": "found"})
        pages, far = [shown(response)], [response.context["log"].get("reached")]
        while older := response.context["log"]["older"]:
            response = viewer.get(f"{log}?{older}")
            pages.insert(0, shown(response))
            far.append(response.context["log"].get("reached"))
        assert sum(pages, []) == list(range(10, 251, 10))
        assert far == [191, 131, 71, 11, None]

    def test_nothing_found_yet_leads_further(
        self, viewer: Browser, log: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(log_pages, "LOOK", 100)
        LogEntry.objects.filter(sequence=3).update(text="needle")
        response = viewer.get(log, {"q": "needle"})
        assert shown(response) == []
        assert "all-entries" not in Shown(response).ids
        for _ in range(2):
            response = viewer.get(f"{log}?{response.context['log']['older']}")
        assert shown(response) == [3]

    def test_next_and_previous_match_from_an_entry(
        self, viewer: Browser, log: str
    ) -> None:
        page = viewer.get(log, {"q": "found", "at": 20}).context["log"]
        onward = viewer.get(f"{log}?{page['next_match']}")
        back = viewer.get(f"{log}?{page['previous_match']}")
        assert onward["Location"] == f"{log}?q=found&at=30#entry-30"
        assert back["Location"] == f"{log}?q=found&at=10#entry-10"

    def test_where_there_is_no_next_match_the_page_stays(
        self, viewer: Browser, log: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        query = {"q": "found", "at": 250, "find": "next"}
        ids = Shown(viewer.get(log, query)).ids
        assert "no-match" in ids
        assert "seek-further" not in ids
        monkeypatch.setattr(log_pages, "LOOK", 5)
        response = viewer.get(log, {"q": "found", "at": 10, "find": "next"})
        assert response.context["log"]["sought_to"] == 15
        further = response.context["log"]["seek_further"]
        assert viewer.get(f"{log}?{further}")["Location"].endswith("#entry-20")


@pytest.mark.django_db
class TestPlace:
    @pytest.mark.parametrize("at", [1, 2, 125, 249, 250])
    def test_the_page_of_an_entry_holds_and_marks_it(
        self, viewer: Browser, log: str, at: int
    ) -> None:
        response = viewer.get(log, {"at": at})
        numbers = shown(response)
        assert at in numbers
        assert len(numbers) <= PAGE
        assert 'aria-current="true"' in response.text
        older, newer = (response.context["log"][name] for name in ("older", "newer"))
        before = shown(viewer.get(f"{log}?{older}")) if older else []
        after = shown(viewer.get(f"{log}?{newer}")) if newer else []
        all_of_them = [*before, *numbers, *after]
        assert all_of_them == list(range(all_of_them[0], all_of_them[-1] + 1))
        assert {older, newer} != {""}

    def test_one_that_is_not_there_is_said(self, viewer: Browser, log: str) -> None:
        response = viewer.get(log, {"at": 9_999})
        assert "not-there" in Shown(response).ids
        assert shown(response)[-1] == 250


@pytest.mark.django_db
class TestDisplay:
    def test_it_is_remembered_and_leads_back(self, viewer: Browser, log: str) -> None:
        for choice in ("relative", "lines"):
            form = {"show": choice, "next": f"{log}?q=x#log"}
            assert viewer.post("/operations/log-display/", form)["Location"] == (
                f"{log}?q=x#log"
            )
        display = viewer.get(log).context["log"]["display"]
        assert display == LogDisplay("relative", wraps=False)

    def test_what_makes_no_sense_is_refused(self, viewer: Browser, log: str) -> None:
        form = {"show": "sideways"}
        assert viewer.post("/operations/log-display/", form).status_code == 400
        form = {"show": "utc", "next": "https://elsewhere.example/"}
        assert viewer.post("/operations/log-display/", form)["Location"] == (
            "/operations/"
        )
        viewer.cookies["log_display"] = "x.y.z"
        assert viewer.get(log).context["log"]["display"] == LogDisplay()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "+0:00:00.000"),
        (3723.4567, "+1:02:03.456"),
        (-0.1, "−0:00:00.100"),
        (360_000, "+100:00:00.000"),
    ],
)
def test_a_time_since_the_start(seconds: float, text: str) -> None:
    assert since(NOON + timedelta(seconds=seconds), NOON) == text


@given(st.text(), st.text())
def test_marking_adds_marks_and_nothing_else(text: str, sought: str) -> None:
    html = marked(text, sought)
    assert re.sub("</?mark>", "", html) == escape(text)
    if sought and sought in text:
        assert "<mark>" in html
    assert "<script" not in marked("<script>", "script")
    assert strip_tags(marked("a<b", "<")) == "a&lt;b"
