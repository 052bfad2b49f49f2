"""Saved views: whose they are, who sees them, and what they find for whom."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser

from console.access.roles import Role
from console.models import AuditEvent, Project
from operations.models import SavedView
from tests.answers import Shown
from tests.conftest import make_project
from tests.operations.conftest import make_operation

URL = "/operations/views/"
LIST = "/operations/"
COUNTS = "/operations/views/counts/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer(sign_in: Callable[..., Browser]) -> Browser:
    return sign_in(Role.VIEWER)


def save(browser: Browser, name: str = "Mine", **values: str) -> Any:
    return browser.post(URL, {"name": name, "query": "status=failed", **values})


def counts(browser: Browser) -> dict[str, str]:
    """Return what the links above the list say each view finds."""
    return {view.name: view.count for view in browser.get(COUNTS).context["views"]}


def names(browser: Browser) -> list[str]:
    return [each["view"].name for each in browser.get(URL).context["shown"]]


def test_it_is_kept_linked_above_the_list_counted_and_opened(
    viewer: Browser, project: Project
) -> None:
    wanted = make_operation(project, state="failed")
    make_operation(project)
    answer = save(viewer, query="status=failed&before=3&nonsense=1")
    assert answer["Location"] == f"{LIST}?status=failed"
    page = viewer.get(answer["Location"])
    assert page.context["operations"] == [wanted]
    assert f"view-link-{SavedView.objects.get().pk}" in Shown(page).ids
    assert "view-link" not in viewer.get(f"{LIST}rows/").text
    assert counts(viewer) == {"Mine": "1"}
    assert AuditEvent.objects.filter(action="view.saved").count() == 1


def test_counts_are_not_asked_for_by_the_list_nor_its_polls(
    viewer: Browser, project: Project, django_assert_num_queries: Any
) -> None:
    make_operation(project)
    with django_assert_num_queries(13):
        viewer.get(LIST)
    for number in range(5):
        save(viewer, f"View {number}")
    viewer.get(LIST)
    with django_assert_num_queries(13):
        viewer.get(LIST)
    with django_assert_num_queries(9):
        viewer.get(f"{LIST}rows/")


def test_a_private_one_is_there_for_nobody_else(
    viewer: Browser, sign_in: Callable[..., Browser]
) -> None:
    save(viewer)
    pk = SavedView.objects.get().pk
    other = sign_in(Role.ADMIN)
    assert names(other) == []
    assert "view-link" not in other.get(LIST).text
    for verb in ("change", "delete"):
        assert other.post(f"{URL}{pk}/{verb}/", {"name": "x"}).status_code == 404
    assert names(viewer) == ["Mine"]


def test_a_shared_one_shows_each_reader_only_what_they_may_see(
    viewer: Browser, sign_in: Callable[..., Browser], project: Project
) -> None:
    live = make_project("Live", environment="production")
    for place in (project, live, live):
        make_operation(place, state="failed")
    save(viewer, "Failed", environment="sandbox")
    sandbox = sign_in(Role.NONE, name="sam", sandbox=Role.VIEWER)
    production = sign_in(Role.NONE, name="paula", production=Role.VIEWER)
    assert counts(viewer) == {"Failed": "3"}
    assert counts(sandbox) == {"Failed": "1"}
    assert names(production) == []


def test_what_names_an_environment_is_shared_there_alone(
    viewer: Browser, project: Project
) -> None:
    live = make_project("Live", environment="production")
    for query in (
        "environment=production",
        f"project={live.pk}",
        f"integration={live.integrations.get().pk}",
    ):
        answer = save(viewer, query=query, environment="sandbox")
        assert answer.status_code == 422
        assert "environment" in answer.context["form"].errors
    assert save(viewer, query=query, environment="production").status_code == 302
    view = SavedView.objects.get()
    answer = viewer.post(
        f"{URL}{view.pk}/change/", {"name": "Mine", "environment": "sandbox"}
    )
    assert answer.status_code == 422
    view.refresh_from_db()
    assert view.environment == "production"


def test_its_person_and_admins_there_rename_and_delete_it(
    viewer: Browser, sign_in: Callable[..., Browser]
) -> None:
    save(viewer, environment="production")
    view = SavedView.objects.get()
    change, delete = f"{URL}{view.pk}/change/", f"{URL}{view.pk}/delete/"
    given = {"name": "Renamed", "environment": "production"}
    operator = sign_in(Role.OPERATOR, production=Role.OPERATOR, sandbox=Role.ADMIN)
    assert operator.post(change, given).status_code == 403
    assert operator.post(delete).status_code == 403
    assert viewer.post(change, {**given, "query": "status=unknown"}).status_code == 302
    view.refresh_from_db()
    assert (view.name, view.query) == ("Renamed", "status=failed")
    assert sign_in(Role.ADMIN).post(delete).status_code == 302
    assert not SavedView.objects.exists()
    actions = AuditEvent.objects.filter(action__startswith="view.")
    assert list(actions.order_by("pk").values_list("action", "environment")) == [
        ("view.saved", "production"),
        ("view.changed", "production"),
        ("view.deleted", "production"),
    ]


@pytest.mark.parametrize(
    "values",
    [
        {"name": ""},
        {"name": "x" * 61},
        {"name": "two\nlines"},
        {"query": ""},
        {"query": "before=3"},
        {"query": "status=wibbling"},
        {"query": "project=999999"},
        {"query": "text=%00"},
        {"query": "text=" + "x" * 3000},
        {"environment": "moon"},
        {"name": "Taken"},
    ],
)
def test_nonsense_is_refused_with_the_form(
    viewer: Browser, values: dict[str, str]
) -> None:
    save(viewer, "Taken")
    answer = save(viewer, **{"name": "New", **values})
    assert answer.status_code == 422
    assert answer.context["form"].errors
    assert SavedView.objects.count() == 1


def test_nobody_shares_where_they_have_no_role(
    sign_in: Callable[..., Browser],
) -> None:
    browser = sign_in(Role.NONE, name="sam", sandbox=Role.VIEWER)
    assert save(browser, environment="production").status_code == 422


def test_one_whose_project_is_gone_counts_nothing_and_says_so(
    viewer: Browser, project: Project
) -> None:
    save(viewer, query=f"project={project.pk}")
    query = SavedView.objects.get().query
    project.delete()
    assert counts(viewer) == {"Mine": "–"}
    assert viewer.get(f"{LIST}?{query}").status_code == 400
