"""Operations of an environment are for people with a role in it."""

import pytest
from django.test import Client as Browser

from console.access.roles import Role
from console.models import Project
from operations.models import Operation
from tests.conftest import make_project, make_user
from tests.operations.conftest import make_operation

pytestmark = [pytest.mark.pages, pytest.mark.django_db]


@pytest.fixture
def live(project: Project) -> Project:
    """A project in production, beside the demo project in the sandbox."""
    return make_project("Live", environment="production")


@pytest.fixture
def hers(client: Browser) -> Browser:
    """The browser of an operator in the sandbox who may look at production."""
    eve = make_user("eve", sandbox=Role.OPERATOR, production=Role.VIEWER)
    client.force_login(eve)
    return client


@pytest.fixture
def theirs() -> Browser:
    """The browser of an operator in the sandbox and nowhere else."""
    browser = Browser()
    browser.force_login(make_user("local", sandbox=Role.OPERATOR))
    return browser


def test_the_list_and_its_counts_are_of_what_the_reader_may_see(
    hers: Browser, theirs: Browser, project: Project, live: Project
) -> None:
    here, there = make_operation(project), make_operation(live, record_id="secret")
    assert list(hers.get("/operations/").context["operations"]) == [there, here]
    page = theirs.get("/operations/")
    assert list(page.context["operations"]) == [here]
    assert page.context["in_flight"] == "1"
    # Neither a search nor an address finds the other.
    assert not theirs.get("/operations/?text=secret").context["operations"]
    assert not theirs.get(f"/operations/?text=%23{there.pk}").context["operations"]
    assert theirs.get(f"/operations/?project={live.pk}").status_code == 400
    assert theirs.get("/operations/?environment=production").status_code == 400
    assert theirs.get(f"/operations/{there.pk}/").status_code == 404
    assert theirs.get("/").context["in_flight_count"] == "1"


def test_what_one_may_look_at_has_no_buttons(hers: Browser, live: Project) -> None:
    operation = make_operation(live)
    page = hers.get(operation.get_absolute_url())
    assert page.status_code == 200
    assert "ask-now" not in page.text
    # Nor when the page asks for news.
    status = hers.get(f"{operation.get_absolute_url()}status/")
    assert "ask-now" not in status.text


def test_only_where_one_may_send_can_an_operation_be_followed(
    hers: Browser, live: Project
) -> None:
    values = {"project": live.pk, "remote_id": "other-1"}
    answer = hers.post("/operations/follow/", values)
    assert answer.status_code == 422
    assert answer.context["form"].has_error("project", "invalid_choice")
    assert not Operation.objects.exists()
