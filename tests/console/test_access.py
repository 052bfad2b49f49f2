"""Who may open which page of connections: every address, every role, every method."""

from collections.abc import Callable

import pytest
from django.test import Client as Browser
from django.urls import reverse

from console.connection_urls import urlpatterns
from console.models import Project
from console.roles import Role

READ = {"list": [], "project": ["project"], "fields": ["object"]}
CHANGE = {
    "project_new": [],
    "project_edit": ["project"],
    "project_delete": ["project"],
    "key_new": ["project"],
    "integration_new": ["project"],
    "manifest": ["project"],
    "key_rotate": ["key"],
    "key_revoke": ["key"],
    "integration_edit": ["integration"],
    "integration_delete": ["integration"],
    "group_new": ["integration"],
    "group_edit": ["group"],
    "group_delete": ["group"],
    "fields_import": ["object"],
    "fields_edit": ["object"],
}
POST_ONLY = {
    "manifest_apply": (["project"], Role.ADMIN),
    "project_test": (["project"], Role.OPERATOR),
}
ALL = {**READ, **CHANGE, **{name: of for name, (of, _) in POST_ONLY.items()}}
ROLES = [Role.NONE, Role.VIEWER, Role.OPERATOR, Role.ADMIN]


def address(name: str, project: Project) -> str:
    """Return the address called `name` for the row of `project` that it takes."""
    integration = project.integrations.get()
    rows = {
        "project": project,
        "key": project.api_keys.defer("value").get(),
        "integration": integration,
        "group": integration.groups.get(),
        "object": integration.write_objects.first(),
    }
    return reverse(f"connections:{name}", args=[rows[kind].pk for kind in ALL[name]])


def test_the_matrix_names_every_address() -> None:
    names = {
        pattern.name
        for entry in urlpatterns
        for pattern in getattr(entry, "url_patterns", [entry])
    }
    assert names == set(ALL)


@pytest.mark.parametrize("name", ALL)
def test_anonymous_people_are_sent_to_sign_in(
    name: str, project: Project, client: Browser
) -> None:
    for answer in (
        client.get(address(name, project)),
        client.post(address(name, project)),
    ):
        assert answer.status_code in (302, 405)
        if answer.status_code == 302:
            assert answer["Location"].startswith("/login/?next=/connections/")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", READ)
def test_reading_needs_a_role(
    name: str, role: Role, project: Project, sign_in: Callable[..., Browser]
) -> None:
    answer = sign_in(role, "somebody").get(address(name, project))
    assert answer.status_code == (200 if role else 403)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", CHANGE)
def test_changing_needs_an_admin(
    name: str, role: Role, project: Project, sign_in: Callable[..., Browser]
) -> None:
    browser = sign_in(role, "somebody")
    allowed = role == Role.ADMIN
    answer = browser.get(address(name, project))
    assert answer.status_code == (200 if allowed else 403)
    if not allowed:
        answer = browser.post(address(name, project))
        assert answer.status_code == 403
        assert b"Nothing was changed. This needs the role admin." in answer.content


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", POST_ONLY)
def test_actions_need_their_role_and_a_post(
    name: str,
    role: Role,
    project: Project,
    sandbox: object,
    sign_in: Callable[..., Browser],
) -> None:
    browser = sign_in(role, "somebody")
    assert browser.get(address(name, project)).status_code == 405
    answer = browser.post(address(name, project))
    refused = role < POST_ONLY[name][1]
    assert (answer.status_code == 403) == refused


@pytest.mark.parametrize("name", [name for name, of in ALL.items() if of])
def test_what_is_not_there_is_404(
    name: str, project: Project, sign_in: Callable[..., Browser]
) -> None:
    browser = sign_in(Role.ADMIN)
    answer = browser.post(reverse(f"connections:{name}", args=[99999]))
    assert answer.status_code in (404, 405)
    answer = browser.get(reverse(f"connections:{name}", args=[99999]))
    assert answer.status_code in (404, 405)


@pytest.mark.parametrize("name", [*READ, *CHANGE])
def test_each_page_has_one_heading_and_nothing_inline(
    name: str, project: Project, sign_in: Callable[..., Browser]
) -> None:
    answer = sign_in(Role.ADMIN).get(address(name, project))
    html = answer.content.decode()
    assert html.count("<h1") == 1
    for inline in (" style=", " onclick=", "<script>", "<style"):
        assert inline not in html
    assert "script-src 'self';" in answer["Content-Security-Policy"]


def test_viewers_see_no_buttons_that_change(
    project: Project, sign_in: Callable[..., Browser]
) -> None:
    html = sign_in(Role.VIEWER).get(project.get_absolute_url()).content.decode()
    for word in ("Test connection", "Add API key", "Rotate", "Edit", "Delete"):
        assert word not in html
