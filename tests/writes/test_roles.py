"""Writes of an environment are for people with a role in it."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from console.access.roles import Role
from console.models import Project
from tests.conftest import make_project, make_user
from tests.texts import words
from tests.writes.making import confirm, make_draft, press_send, work_off
from writes.models import Write

pytestmark = [pytest.mark.pages, pytest.mark.django_db]


@pytest.fixture
def live(project: Project) -> Project:
    """A project in production, beside the demo project in the sandbox."""
    return make_project("Live", environment="production")


@pytest.fixture
def eve() -> User:
    """An operator in the sandbox who may look at production."""
    return make_user("eve", sandbox=Role.OPERATOR, production=Role.VIEWER)


@pytest.fixture
def hers(eve: User, client: Browser) -> Browser:
    """Eve's browser."""
    client.force_login(eve)
    return client


def target(project: Project) -> dict[str, Any]:
    integration = project.integrations.get()
    return {
        "token": uuid.uuid4(),
        "project": project.pk,
        "integration": integration.pk,
        "object": integration.write_objects.get(name="contact").pk,
        "group": integration.groups.get().pk,
        "primary_key": "id",
        "url": "https://example.com/x.csv",
        "action": "create",
        "view": "json",
        "json": '{"LastName": "Berg"}',
    }


@pytest.mark.parametrize("form", ["record", "csv", "url"])
def test_a_form_offers_and_takes_only_where_the_person_may_send(
    form: str, hers: Browser, project: Project, live: Project
) -> None:
    page = hers.get(f"/writes/{form}/")
    assert list(page.context["form"].fields["project"].queryset) == [project]
    assert "Live" not in page.text
    answer = hers.post(f"/writes/{form}/", target(live))
    assert answer.status_code == 422
    for name in ("project", "integration", "object", "group"):
        assert answer.context["form"].has_error(name, "invalid_choice"), name
    assert not Write.objects.exists()


def test_a_draft_is_shown_without_buttons_once_the_role_is_too_low(
    hers: Browser, eve: User, live: Project
) -> None:
    write = make_draft(live.integrations.get(), eve)
    page = hers.get(f"/writes/{write.pk}/")
    assert page.status_code == 200
    assert f"/writes/{write.pk}/send/" not in page.text
    answer = press_send(hers, write)
    assert answer.status_code == 403
    assert {"Production", "operator"} <= set(words(answer.context["text"]))
    write.refresh_from_db()
    assert write.is_draft


def test_a_draft_is_not_there_once_the_role_is_taken_away(
    hers: Browser, eve: User, live: Project
) -> None:
    name = "Kept back"
    write = make_draft(live.integrations.get(), eve, record={"LastName": name})
    eve.grants.filter(environment="production").delete()
    assert hers.get(f"/writes/{write.pk}/").status_code == 404
    assert hers.get("/").context["draft_count"] == "0"
    page = hers.get(f"/writes/record/?again={write.pk}")
    assert name not in page.text


def test_what_came_of_a_write_is_named_only_where_the_reader_has_a_role(
    sandbox: object,
    live: Project,
    project: Project,
    sign_in: Callable[..., Browser],
) -> None:
    root = make_user("root", Role.ADMIN)
    parent = make_draft(
        project.integrations.get(), root, csv=b"id,LastName\n1,x\n", primary_key="id"
    )
    confirm(parent, root)
    work_off()
    child = make_draft(
        live.integrations.get(),
        root,
        csv=b"id,LastName\n1,x\n",
        primary_key="id",
        parent=parent,
        relation="again",
    )
    page = f"/writes/{parent.pk}/rows/"
    link, name = f'href="/writes/{child.pk}/"', f"write {child.pk}"
    assert link in sign_in(Role.ADMIN, "ada").get(page).text
    # The draft of somebody else can be named, but not opened.
    seen = sign_in(Role.VIEWER, "vera").get(page).text
    assert name in seen
    assert link not in seen
    local = sign_in(Role.NONE, "local", sandbox=Role.ADMIN)
    assert name not in local.get(page).text


def test_an_admin_sees_the_drafts_of_others_where_they_are_one(
    live: Project, project: Project
) -> None:
    owner = make_user("owner", Role.OPERATOR)
    here = make_draft(project.integrations.get(), owner)
    make_draft(live.integrations.get(), owner)
    local = make_user("local", Role.VIEWER, sandbox=Role.ADMIN)
    assert list(Write.objects.visible_to(local)) == [here]
