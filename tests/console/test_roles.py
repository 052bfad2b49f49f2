"""Roles per environment: what they open, and what is not there without one."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import Http404
from django.test import Client as Browser
from django.test import RequestFactory

from console.access.roles import Role, environments_for, need_role, role_in, role_of
from console.environments import Environment
from console.models import Grant, Project
from console.models.grant import give
from tests.answers import Shown
from tests.conftest import make_project, make_user
from tests.texts import words

pytestmark = pytest.mark.django_db


@pytest.fixture
def eve() -> User:
    """An operator in sandbox projects who may look at production, and not at test."""
    return make_user("eve", sandbox=Role.OPERATOR, production=Role.VIEWER)


def fresh(name: str) -> User:
    """Return the user as their next request has it."""
    return User.objects.get(username=name)


def test_a_role_counts_where_it_was_given(eve: User) -> None:
    assert role_in(eve, "sandbox") == Role.OPERATOR
    assert role_in(eve, "test") == Role.NONE
    assert role_in(eve, "production") == Role.VIEWER
    assert role_of(eve) == Role.OPERATOR
    assert environments_for(eve, Role.VIEWER) == ["sandbox", "production"]
    assert environments_for(eve, Role.OPERATOR) == ["sandbox"]


def test_a_superuser_is_admin_everywhere_and_a_stranger_nothing() -> None:
    root = User.objects.create_superuser("root")
    assert {role_in(root, word) for word in Environment.values} == {Role.ADMIN}
    assert role_of(AnonymousUser()) == Role.NONE
    assert role_in(root, "elsewhere") == Role.NONE


def test_asking_again_costs_no_query(
    eve: User, django_assert_num_queries: Callable[[int], Any]
) -> None:
    with django_assert_num_queries(1):
        for word in Environment.values:
            role_in(eve, word)
        role_of(eve)


def test_what_is_missing_is_named(eve: User, rf: RequestFactory) -> None:
    request = rf.get("/")
    request.user = eve
    need_role(request, Role.OPERATOR, "sandbox")
    with pytest.raises(PermissionDenied, match=r"\bProduction\b.*\boperator\b"):
        need_role(request, Role.OPERATOR, "production")
    with pytest.raises(PermissionDenied, match=r"\bSandbox\b.*\badmin\b"):
        need_role(request, Role.ADMIN, "sandbox")
    with pytest.raises(Http404):
        need_role(request, Role.VIEWER, "test")


def test_a_person_has_one_role_in_an_environment(eve: User) -> None:
    give(eve, {"sandbox": "admin", "production": ""})
    assert list(eve.grants.values_list("environment", "role")) == [("sandbox", "admin")]
    for values in (
        {"environment": "sandbox", "role": "viewer"},
        {"environment": "moon", "role": "viewer"},
        {"environment": "test", "role": "owner"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Grant.objects.create(user=eve, **values)


def test_a_change_counts_at_the_next_request(eve: User, client: Browser) -> None:
    project = make_project(environment="production")
    client.force_login(eve)
    page = project.get_absolute_url()
    assert client.get(page).status_code == 200
    give(fresh("eve"), {"production": ""})
    assert client.get(page).status_code == 404
    give(fresh("eve"), {"production": "admin"})
    assert f'href="{page}keys/new/"' in client.get(page).text


def test_the_page_of_a_project_has_the_buttons_of_the_role_there(
    eve: User, client: Browser
) -> None:
    live, sandbox = make_project("Live", environment="production"), make_project("Box")
    client.force_login(eve)
    page = client.get(sandbox.get_absolute_url()).text
    assert f'action="{sandbox.get_absolute_url()}test/"' in page
    page = client.get(live.get_absolute_url()).text
    assert f'action="{live.get_absolute_url()}test/"' not in page
    # The way to write in the sandbox is still there.
    assert 'href="/writes/csv/"' in page


def test_a_refusal_says_what_to_ask_for(eve: User, client: Browser) -> None:
    project = make_project("Live", environment="production")
    client.force_login(eve)
    answer = client.post(f"{project.get_absolute_url()}test/")
    assert answer.status_code == 403
    assert {"Production", "operator"} <= set(words(answer.context["text"]))
    assert "your-roles" in Shown(answer).ids


def test_a_project_can_be_added_where_one_is_an_admin(client: Browser) -> None:
    client.force_login(make_user("ada", Role.VIEWER, test=Role.ADMIN))
    values = {
        "name": "New",
        "remote_id": "new",
        "write_url": "https://write.withampersand.com",
        "api_url": "https://api.withampersand.com",
        "generation": "A",
        "update_style": "patch",
        "id_spelling": "id",
        "max_at_once": 4,
        "max_per_second": 10,
        "reads_per_second": 10,
    }
    page = "/connections/new/"
    refused = client.post(page, {**values, "environment": "production"})
    assert refused.status_code == 422
    assert not Project.objects.exists()
    assert client.post(page, {**values, "environment": "test"}).status_code == 302
    # Nor can it be moved to where one is not.
    page = f"{Project.objects.get().get_absolute_url()}edit/"
    refused = client.post(page, {**values, "environment": "production"})
    assert refused.status_code == 422
    assert Project.objects.get().environment == "test"


def test_the_list_of_projects_has_only_what_the_reader_may_see(
    eve: User, client: Browser
) -> None:
    for word in Environment.values:
        make_project(f"Project {word}", environment=word)
    client.force_login(eve)
    text = client.get("/connections/").text
    assert "Project sandbox" in text
    assert "Project production" in text
    assert "Project test" not in text
