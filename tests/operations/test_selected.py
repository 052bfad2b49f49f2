"""What is done to operations that were ticked in the list, and what is told of each."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser

from console.access.roles import Role
from console.models import AuditEvent, Project
from operations.models import Operation
from tests.conftest import make_project
from tests.operations.conftest import make_logs, make_operation

URL = "/operations/selected/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(sign_in: Callable[..., Browser]) -> Browser:
    return sign_in(Role.OPERATOR)


def press(browser: Browser, do: str, *operations: Operation, **more: str) -> Any:
    ticked = [each.pk for each in operations]
    return browser.post(URL, {"do": do, "operation": ticked, **more})


def told(response: Any) -> tuple[list[int], list[int]]:
    """Return which ones something is done to, and which are left as they are."""
    return tuple(
        sorted(each.operation.pk for each in response.context[name])
        for name in ("those", "others")
    )  # type: ignore[return-value]


def state(operation: Operation) -> str:
    operation.refresh_from_db()
    return operation.state


def test_cancelling_asks_first_and_names_the_count(
    operator: Browser, project: Project
) -> None:
    waiting = [make_operation(project, state="waiting", remote_id="") for _ in "ab"]
    sent = make_operation(project)
    response = press(operator, "cancel", *waiting, sent)
    assert told(response) == ([each.pk for each in waiting], [sent.pk])
    assert "2 of 3 selected operations can be cancelled" in response.text
    assert "Cancel 2 operations" in response.text
    assert [state(each) for each in waiting] == ["waiting", "waiting"]
    assert not AuditEvent.objects.filter(action__contains="cancel").exists()


def test_what_rests_is_told_by_the_word_of_its_badge(
    operator: Browser, project: Project
) -> None:
    paused = make_operation(project, kind="run", reason="Paused by olga.")
    (left,) = press(operator, "cancel", paused).context["others"]
    assert left.operation.state_label.lower() in left.why
    assert "in progress" not in left.why


def test_what_left_before_it_is_confirmed_is_not_cancelled(
    operator: Browser, project: Project
) -> None:
    late, still = (make_operation(project, state="waiting", remote_id="") for _ in "ab")
    press(operator, "cancel", late, still)
    late.change(only_from=("waiting",), state="sending", sent_at=late.created_at)
    response = press(operator, "cancel", late, still, confirmed="1")
    assert told(response) == ([still.pk], [late.pk])
    assert (state(late), state(still)) == ("sending", "cancelled")
    event = AuditEvent.objects.get(action="operations.cancelled")
    assert event.detail["done"] == [still.pk]
    assert list(event.detail["not_done"]) == [str(late.pk)]
    assert AuditEvent.objects.filter(action="operation.cancelled").count() == 1


def test_one_that_leaves_while_the_others_are_cancelled_is_left_and_told(
    operator: Browser, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, late = (make_operation(project, state="waiting", remote_id="") for _ in "ab")
    cancel = Operation.cancel

    def cancel_late(operation: Operation, *, by: str) -> bool:
        if operation.pk == late.pk:
            Operation.objects.get(pk=late.pk).change(
                only_from=("waiting",), state="sending", sent_at=late.created_at
            )
        return cancel(operation, by=by)

    monkeypatch.setattr(Operation, "cancel", cancel_late)
    response = press(operator, "cancel", first, late, confirmed="1")
    assert told(response) == ([first.pk], [late.pk])
    assert state(late) == "sending"


def test_refreshing_makes_due_what_can_bring_news(
    operator: Browser, project: Project, enqueued: list[Any]
) -> None:
    going = make_operation(project, log_digest="x")
    over = make_operation(project, state="rejected", remote_id="")
    response = press(operator, "refresh", going, over)
    assert told(response) == ([going.pk], [over.pk])
    going.refresh_from_db()
    assert going.log_digest == ""
    assert AuditEvent.objects.get(action="operations.refreshed").detail["done"] == [
        going.pk
    ]


@pytest.mark.parametrize("do", ["cancel", "refresh"])
def test_the_role_counts_where_each_of_them_is(
    sign_in: Callable[..., Browser], project: Project, do: str
) -> None:
    """Operator in the sandbox, viewer in production, nothing in test."""
    browser = sign_in(Role.OPERATOR, production=Role.VIEWER, test=Role.NONE)
    given = {"state": "waiting", "remote_id": ""} if do == "cancel" else {}
    mine, viewed, hidden = (
        make_operation(place, **given)
        for place in (
            project,
            make_project("Live", environment="production"),
            make_project("Hidden", environment="test"),
        )
    )
    before = [each.version for each in (viewed, hidden)]
    response = press(browser, do, mine, viewed, hidden, confirmed="1")
    assert told(response) == ([mine.pk], [viewed.pk])
    assert f"#{hidden.pk} " not in response.text
    for each in (viewed, hidden):
        each.refresh_from_db()
    assert [each.version for each in (viewed, hidden)] == before


def test_downloads_hold_what_was_ticked_and_is_visible(
    sign_in: Callable[..., Browser], project: Project
) -> None:
    browser = sign_in(Role.NONE, name="sam", sandbox=Role.VIEWER)
    mine, unticked = make_operation(project), make_operation(project)
    hidden = make_operation(make_project("Live", environment="production"))
    for each in (mine, unticked, hidden):
        make_logs(each, 3)
    response = press(browser, "csv", mine, hidden)
    lines = b"".join(response.streaming_content).decode().splitlines()
    assert len(lines) == 2
    assert lines[1].startswith(f'"{mine.pk}"')
    response = press(browser, "logs", mine, hidden)
    logs = [
        json.loads(line)
        for line in b"".join(response.streaming_content).split(b"\n")
        if line
    ]
    assert [(e["operation_id"], e["sequence"]) for e in logs] == [
        (mine.pk, n) for n in (1, 2, 3)
    ]
    events = AuditEvent.objects.filter(action="operations.downloaded")
    assert [event.detail["operations"] for event in events] == [[mine.pk]] * 2
    assert {event.environment for event in events} == {"sandbox"}


@pytest.mark.parametrize(
    ("posted", "status"),
    [
        ({"do": "cancel"}, 302),
        ({"do": "cancel", "operation": ["x", "٣", "0", "9" * 30]}, 302),
        ({"do": "destroy", "operation": ["1"]}, 400),
        ({"operation": ["1"]}, 400),
        ({"do": "csv", "operation": ["1"] * 201}, 400),
    ],
)
def test_nonsense_does_nothing(
    operator: Browser, project: Project, posted: dict[str, Any], status: int
) -> None:
    only = make_operation(project, state="waiting", remote_id="")
    posted["operation"] = [
        str(only.pk) if text == "1" else text for text in posted.get("operation", [])
    ]
    assert operator.post(URL, posted).status_code == status
    assert state(only) == "waiting"
