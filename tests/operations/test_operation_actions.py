"""Asking again, cancelling, following."""

from collections.abc import Callable

import pytest
from django.test import Client as Browser

from console.access.roles import Role
from console.models import AuditEvent, Project
from operations.models import Operation
from tests.answers import levels
from tests.operations.conftest import Clock, make_operation

State = Operation.State
HTMX = {"hx-request": "true"}
FOLLOW = "/operations/follow/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(sign_in: Callable[..., Browser]) -> Browser:
    return sign_in(Role.OPERATOR)


@pytest.mark.parametrize("part", ["{pk}/ask-now/", "{pk}/cancel/"])
def test_the_ladder(
    operator: Browser,
    client: Browser,
    sign_in: Callable[..., Browser],
    operation: Operation,
    part: str,
) -> None:
    address = f"/operations/{part.format(pk=operation.pk)}"
    assert operator.get(address).status_code == 405
    assert client.post(address).status_code == 302
    assert "HX-Redirect" in client.post(address, headers=HTMX)
    assert sign_in(Role.VIEWER).post(address).status_code == 403


@pytest.mark.parametrize("part", ["ask-now", "cancel"])
def test_what_is_not_there_is_404(operator: Browser, part: str) -> None:
    assert operator.post(f"/operations/999/{part}/").status_code == 404


class TestAskNow:
    def test_it_makes_it_due_and_nudges(
        self,
        clock: Clock,
        project: Project,
        enqueued: list[tuple[list[int], str]],
        operator: Browser,
        django_capture_on_commit_callbacks: Callable[..., object],
    ) -> None:
        operation = make_operation(project, due_at=None)
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
            response = operator.post(f"/operations/{operation.pk}/ask-now/")
        assert response["Location"] == operation.get_absolute_url()
        operation.refresh_from_db()
        assert operation.due_at == clock.now
        assert enqueued == [([operation.pk], clock.now.isoformat())]

    def test_there_is_nothing_to_ask_about_what_ended(
        self, operator: Browser, project: Project, enqueued: list[tuple[list[int], str]]
    ) -> None:
        operation = make_operation(project, state="succeeded", due_at=None)
        address = f"/operations/{operation.pk}/ask-now/"
        assert levels(operator.post(address, follow=True)) == ["info"]
        assert enqueued == []


class TestCancel:
    def test_it_stops_what_has_not_left(
        self, operator: Browser, project: Project
    ) -> None:
        operation = make_operation(project, state="waiting", remote_id="")
        address = f"/operations/{operation.pk}/cancel/"
        assert levels(operator.post(address, follow=True)) == ["success"]
        operation.refresh_from_db()
        assert (operation.state, operation.due_at) == (State.CANCELLED, None)
        event = AuditEvent.objects.get(action="operation.cancelled")
        assert event.actor_name == "operator"

    def test_what_has_left_is_not_cancelled(
        self, operator: Browser, project: Project
    ) -> None:
        operation = make_operation(project, state="sending", remote_id="")
        address = f"/operations/{operation.pk}/cancel/"
        assert levels(operator.post(address, follow=True)) == ["error"]
        operation.refresh_from_db()
        assert operation.state == State.SENDING
        assert not AuditEvent.objects.filter(action="operation.cancelled").exists()


class TestFollow:
    def test_the_page_offers_it_to_operators_alone(
        self, operator: Browser, client: Browser, sign_in: Callable[..., Browser]
    ) -> None:
        page = operator.get(FOLLOW)
        assert page.status_code == 200
        assert not page.context["form"].errors
        assert client.get(FOLLOW).status_code == 302
        viewer = sign_in(Role.VIEWER)
        assert viewer.get(FOLLOW).status_code == 403
        assert viewer.post(FOLLOW).status_code == 403
        assert client.post(FOLLOW).status_code == 302

    def test_it_leads_to_the_operation(
        self, operator: Browser, project: Project, enqueued: list[tuple[list[int], str]]
    ) -> None:
        data = {"project": project.pk, "remote_id": "abc-1"}
        response = operator.post(FOLLOW, data)
        operation = Operation.objects.get(remote_id="abc-1")
        assert response["Location"] == operation.get_absolute_url()
        assert operation.action == "follow"
        assert AuditEvent.objects.filter(action="operation.followed").count() == 1
        assert operator.post(FOLLOW, data)["Location"] == response["Location"]
        assert AuditEvent.objects.filter(action="operation.followed").count() == 1

    @pytest.mark.parametrize(
        "data",
        [
            {},
            {"remote_id": ""},
            {"remote_id": "a/b"},
            {"remote_id": "x" * 201},
            {"remote_id": "a\0"},
            {"project": "999", "remote_id": "abc"},
        ],
    )
    def test_errors_stand_at_the_field(
        self, operator: Browser, project: Project, data: dict[str, str]
    ) -> None:
        response = operator.post(FOLLOW, {"project": project.pk, **data})
        assert response.status_code == 422
        assert "field-errors" in response.text
        form = response.context["form"]
        assert form.errors
        assert form["remote_id"].value() == data.get("remote_id")
