"""Every address of connections: what is not there, and what a page must carry.

Who may open it is told in docs/permissions.md and tested in test_permissions.py.
"""

from collections.abc import Callable

import pytest
from django.test import Client as Browser
from django.urls import reverse

from console.access.roles import Role
from console.models import Project
from tests.permission_table import Row, rows
from tests.test_crawl import check_page

pytestmark = pytest.mark.pages

ROWS = [row for row in rows().values() if row.name.startswith("connections:")]
PAGES = [row for row in ROWS if row.needs["GET"] != "–"]


def address(row: Row, project: Project) -> str:
    """Return the address of this row for what `project` has."""
    integration = project.integrations.get()
    things = {
        "environment": project.environment,
        "project": project.pk,
        "key": project.api_keys.defer("value").get().pk,
        "integration": integration.pk,
        "group": integration.groups.get().pk,
        "object": integration.write_objects.values_list("pk", flat=True).first(),
    }
    return reverse(row.name, args=[things[row.of]] if row.of else [])


@pytest.mark.parametrize("row", [row for row in ROWS if row.of], ids=lambda r: r.name)
def test_what_is_not_there_is_404(row: Row, sign_in: Callable[..., Browser]) -> None:
    browser, nowhere = sign_in(Role.ADMIN), reverse(row.name, args=[99999])
    assert browser.post(nowhere).status_code in (404, 405)
    assert browser.get(nowhere).status_code in (404, 405)


@pytest.mark.parametrize("row", PAGES, ids=lambda row: row.name)
def test_a_page_carries_what_every_page_carries(
    row: Row, project: Project, sign_in: Callable[..., Browser]
) -> None:
    check_page(sign_in(Role.ADMIN).get(address(row, project)))


def test_viewers_see_no_buttons_that_change(
    project: Project, sign_in: Callable[..., Browser]
) -> None:
    html = sign_in(Role.VIEWER).get(project.get_absolute_url()).content.decode()
    for word in ("Test connection", "Add API key", "Rotate", "Edit", "Delete"):
        assert word not in html
