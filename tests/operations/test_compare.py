"""Two operations side by side: which may be chosen, and how their errors differ."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client as Browser

from console.access.roles import Role
from console.environments import Environment
from console.models import Project
from operations.views import compare as view
from tests.answers import Shown
from tests.conftest import make_project
from tests.operations.conftest import make_operation
from tests.operations.test_failures import failed

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer(sign_in: Callable[..., Browser]) -> Browser:
    return sign_in(Role.VIEWER)


def test_the_same_object_and_customer_are_proposed_newest_first(
    viewer: Browser, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other, newest = (make_operation(project) for _ in range(3))
    make_operation(project, object_name="account")
    make_operation(project, group_ref="another")
    address = f"/operations/{one.pk}/compare/"
    others = viewer.get(address).context["others"]
    assert [each.pk for each in others] == [newest.pk, other.pk]
    monkeypatch.setattr(view, "LOOK", 3)
    others = viewer.get(address).context["others"]
    assert [each.pk for each in others] == [newest.pk]


def test_another_is_chosen_by_its_number(viewer: Browser, project: Project) -> None:
    one, other = make_operation(project), make_operation(project, object_name="x")
    address = f"/operations/{one.pk}/compare/"
    answer = viewer.get(address, {"other": f"#{other.pk}"})
    assert answer["Location"] == f"{address}{other.pk}/"
    for nonsense in ("0", "x", "99999999999999999999", str(one.pk), "<b>"):
        answer = viewer.get(address, {"other": nonsense})
        assert answer.status_code == 404
        assert "no-such" in Shown(answer).ids


def test_errors_of_one_of_the_other_and_of_both(
    viewer: Browser, project: Project
) -> None:
    one = failed(project, "Row 1 is bad", ended_at=None)
    other = failed(project, "Row 2 is bad", rows_failed=7)
    third = failed(project, "Other")
    context = viewer.get(f"/operations/{one.pk}/compare/{other.pk}/").context
    found = [(e.place, e.first, e.second) for e in context["errors"]]
    assert found == [("both", 4, 7)]
    context = viewer.get(f"/operations/{one.pk}/compare/{third.pk}/").context
    found = [(e.place, e.first, e.second) for e in context["errors"]]
    assert found == [("first", 4, None), ("second", None, 4)]


def test_durations_are_from_sending_to_the_end(
    viewer: Browser, project: Project
) -> None:
    one = make_operation(project)
    assert one.sent_at
    ended_at = one.sent_at + timedelta(hours=1, seconds=2)
    other = make_operation(
        project, state="succeeded", sent_at=one.sent_at, ended_at=ended_at
    )
    context = viewer.get(f"/operations/{one.pk}/compare/{other.pk}/").context
    assert context["took"] == ["", "1:00:02"]


def test_neither_is_there_for_strangers(
    sign_in: Callable[..., Browser], project: Project
) -> None:
    hidden = make_project("Secret", environment=Environment.PRODUCTION)
    one, secret = make_operation(project), make_operation(hidden)
    here = sign_in(sandbox=Role.VIEWER, role=Role.NONE, name="here")
    for pair in ((one, secret), (secret, one)):
        address = f"/operations/{pair[0].pk}/compare/{pair[1].pk}/"
        assert here.get(address).status_code == 404
    address = f"/operations/{one.pk}/compare/"
    assert here.get(address, {"other": secret.pk}).status_code == 404
