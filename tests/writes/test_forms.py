"""What the three forms of a write share: who may use them, and how they end."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from console.access.roles import Role
from console.models import Group, Integration, Project, WriteObject
from operations.models import Operation
from tests.answers import codes, levels
from tests.conftest import make_project, make_user
from tests.writes.making import make_draft, press_send
from tests.writes.pages import Page
from writes.models import Write

FORMS = ["record", "csv", "url"]
LABELS = {
    "record": ["Action", "Record id"],
    "csv": ["Primary key", "CSV file"],
    "url": ["Primary key", "URL"],
}
CONTENT: dict[str, dict[str, Any]] = {
    "record": {"action": "create", "field_name": "LastName", "field_value": "Berg"},
    "csv": {"primary_key": "id"},
    "url": {"primary_key": "id", "url": "https://example.com/data.csv"},
}
HTMX = {"HX-Request": "true"}

pytestmark = [
    pytest.mark.pages,
    pytest.mark.django_db,
    pytest.mark.parametrize("name", FORMS),
]


def filled(name: str, target: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """Return a form that is ready for Review."""
    form = {**target, **CONTENT[name], **changed}
    if name == "csv":
        form.setdefault("file", SimpleUploadedFile("a.csv", b"id,LastName\n1,Berg\n"))
    return form


def drafts_of(user: User) -> list[Write]:
    """Return what this person has reviewed and not sent."""
    return list(Write.objects.drafts().filter(started_by=user))


def test_the_form_has_its_labels_and_one_heading(
    name: str, project: Project, browser: Browser
) -> None:
    page = Page(browser.get(f"/writes/{name}/"))
    for label in ["Project", "Integration", "Object", "Customer", *LABELS[name]]:
        assert page.labels[label] in page.ids
    assert "Review" in page.buttons
    assert page.headings == 1
    assert page.inline == []
    assert 'value="" selected>Choose…<' in browser.get(f"/writes/{name}/").text


@pytest.mark.parametrize("role", [Role.NONE, Role.VIEWER])
def test_writing_needs_an_operator(
    name: str, role: Role, sign_in: Callable[..., Browser], target: dict[str, Any]
) -> None:
    browser = sign_in(role, "somebody")
    assert browser.get(f"/writes/{name}/").status_code == 403
    answer = browser.post(f"/writes/{name}/", filled(name, target))
    assert answer.status_code == 403
    assert not Write.objects.exists()


def test_anonymous_people_are_sent_to_sign_in(
    name: str, client: Browser, target: dict[str, Any]
) -> None:
    answer = client.get(f"/writes/{name}/")
    assert answer["Location"] == f"/login/?next=/writes/{name}/"
    answer = client.post(f"/writes/{name}/", filled(name, target), headers=HTMX)
    assert answer["HX-Redirect"].startswith("/login/")
    assert not Write.objects.exists()


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_refused(name: str, method: str, browser: Browser) -> None:
    assert getattr(browser, method)(f"/writes/{name}/").status_code == 405


def test_a_form_without_the_token_of_its_page_is_refused(
    name: str, olga: User, target: dict[str, Any]
) -> None:
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(olga)
    answer = browser.post(f"/writes/{name}/", filled(name, target))
    assert answer.status_code == 403
    assert not Write.objects.exists()


def test_review_makes_a_draft_and_goes_to_it(
    name: str, browser: Browser, olga: User, target: dict[str, Any]
) -> None:
    answer = browser.post(f"/writes/{name}/", filled(name, target))
    [write] = drafts_of(olga)
    assert answer.status_code == 302
    assert answer["Location"] == f"/writes/{write.pk}/"
    assert (write.object_name, write.group_ref) == ("contact", "demo-group-id")
    assert write.source == name
    assert not Operation.objects.exists()


def test_htmx_is_told_to_take_the_whole_page_there(
    name: str, browser: Browser, olga: User, target: dict[str, Any]
) -> None:
    answer = browser.post(f"/writes/{name}/", filled(name, target), headers=HTMX)
    [write] = drafts_of(olga)
    assert answer["HX-Redirect"] == f"/writes/{write.pk}/"


def test_the_same_form_twice_is_one_draft(
    name: str, browser: Browser, olga: User, target: dict[str, Any]
) -> None:
    answers = [browser.post(f"/writes/{name}/", filled(name, target)) for _ in range(2)]
    assert answers[0]["Location"] == answers[1]["Location"]
    assert len(drafts_of(olga)) == 1


def test_the_form_of_a_sent_write_leads_to_its_operation(
    name: str, browser: Browser, sandbox: object, target: dict[str, Any]
) -> None:
    browser.post(f"/writes/{name}/", filled(name, target))
    write = Write.objects.get()
    press_send(browser, write)
    answer = browser.post(f"/writes/{name}/", filled(name, target), follow=True)
    assert answer.redirect_chain[-1][0] == Operation.objects.get().get_absolute_url()
    assert levels(answer)[-1] == "warning"
    assert Write.objects.count() == Operation.objects.count() == 1


def test_the_form_of_a_discarded_draft_stays_discarded(
    name: str, browser: Browser, target: dict[str, Any]
) -> None:
    browser.post(f"/writes/{name}/", filled(name, target))
    write = Write.objects.get()
    browser.post(f"/writes/{write.pk}/discard/")
    answer = browser.post(f"/writes/{name}/", filled(name, target), follow=True)
    assert levels(answer)[-1] == "warning"
    write.refresh_from_db()
    assert write.state == Write.State.DISCARDED


def test_the_form_of_somebody_elses_draft_changes_nothing(
    name: str,
    browser: Browser,
    integration: Integration,
    target: dict[str, Any],
) -> None:
    theirs = make_draft(integration, make_user("tim", Role.OPERATOR))
    form = filled(name, target, token=str(theirs.token))
    answer = browser.post(f"/writes/{name}/", form, follow=True)
    assert answer.redirect_chain == [("/", 302)]
    assert levels(answer)[-1] == "warning"
    before = theirs.record
    theirs.refresh_from_db()
    assert (theirs.source, theirs.record) == ("record", before)
    assert Write.objects.count() == 1


@pytest.mark.parametrize("token", [None, "", "nonsense"])
def test_a_form_without_its_own_token_is_told_so(
    name: str, token: str | None, browser: Browser, target: dict[str, Any]
) -> None:
    form = filled(name, target, token=token)
    if token is None:
        del form["token"]
    answer = browser.post(f"/writes/{name}/", form)
    assert answer.status_code == 422
    assert "old-page" in codes(answer.context["form"])["__all__"]
    assert not Write.objects.exists()


@pytest.mark.parametrize(
    ("field", "model"), [("object", WriteObject), ("group", Group)]
)
def test_what_belongs_to_another_integration_is_refused(
    name: str, field: str, model: Any, browser: Browser, target: dict[str, Any]
) -> None:
    other = make_project("Other")
    chosen = model.objects.filter(integration__project=other).first()
    form = filled(name, target, **{field: chosen.pk})
    answer = browser.post(f"/writes/{name}/", form)
    assert answer.status_code == 422
    assert codes(answer.context["form"]) == {field: ["not-part"]}
    assert not Write.objects.exists()


def test_an_integration_of_another_project_is_refused(
    name: str, browser: Browser, target: dict[str, Any]
) -> None:
    form = filled(name, target, project=make_project("Other").pk)
    answer = browser.post(f"/writes/{name}/", form)
    assert answer.status_code == 422
    assert codes(answer.context["form"]) == {"integration": ["not-part"]}


@pytest.mark.hostile
@pytest.mark.parametrize("value", ["", "0", "x", "9" * 30, "1\0"])
def test_a_choice_that_is_not_there_keeps_what_was_typed(
    name: str, value: str, browser: Browser, target: dict[str, Any]
) -> None:
    form = filled(name, target, object=value)
    answer = browser.post(f"/writes/{name}/", form)
    assert answer.status_code == 422
    assert 'id="id_object_error"' in answer.content.decode()
    shown = Page(answer).form()
    for key, sent in form.items():
        if key not in ("object", "file"):
            assert str(sent) in shown[key]


@pytest.mark.parametrize("again", ["x", "-1", "9" * 19, "9" * 5000, "²", "1e3"])
def test_a_nonsensical_earlier_write_gives_an_empty_form(
    name: str, again: str, project: Project, browser: Browser, target: dict[str, Any]
) -> None:
    assert browser.get(f"/writes/{name}/", {"again": again}).status_code == 200
    answer = browser.post(f"/writes/{name}/", filled(name, target, again=again))
    assert answer.status_code in (302, 422)


def test_somebody_elses_draft_is_not_taken_over(
    name: str, browser: Browser, integration: Integration
) -> None:
    tim = make_user("tim", Role.OPERATOR)
    theirs = make_draft(integration, tim, record={"LastName": "Secret"})
    answer = browser.get(f"/writes/{name}/", {"again": theirs.pk})
    assert answer.status_code == 200
    assert "Secret" not in answer.content.decode()
    assert str(theirs.token) not in answer.content.decode()


def test_an_admin_takes_a_draft_over_as_one_of_their_own(
    name: str,
    browser: Browser,
    sign_in: Callable[..., Browser],
    target: dict[str, Any],
) -> None:
    browser.post(f"/writes/{name}/", filled(name, target))
    theirs = Write.objects.get()
    page = Page(sign_in(Role.ADMIN).get(f"/writes/{name}/", {"again": theirs.pk}))
    assert page.submits["token"] != [str(theirs.token)]
    assert page.submits["group"] == [str(target["group"])]


def test_going_back_to_a_draft_keeps_it_one_draft(
    name: str, browser: Browser, target: dict[str, Any]
) -> None:
    browser.post(f"/writes/{name}/", filled(name, target))
    write = Write.objects.get()
    page = Page(browser.get(f"/writes/{write.pk}/again/", follow=True))
    assert page.submits["token"] == [str(write.token)]
    for key in ("project", "integration", "object", "group"):
        assert page.submits[key] == [str(target[key])]


def test_sending_again_is_a_new_write_that_knows_the_old_one(
    name: str, browser: Browser, sandbox: object, target: dict[str, Any]
) -> None:
    browser.post(f"/writes/{name}/", filled(name, target))
    first = Write.objects.get()
    press_send(browser, first)
    page = Page(browser.get(f"/writes/{first.pk}/again/", follow=True))
    form = {key: values for key, values in page.form().items() if key != "do"}
    assert form["token"] != [str(first.token)]
    # The file is not chosen anew: it is taken from the first write.
    browser.post(f"/writes/{name}/", {k: v for k, v in form.items() if k != "file"})
    second = Write.objects.exclude(pk=first.pk).get()
    assert second.parent == first
    for field in ("record", "url", "primary_key", "file_name", "row_count"):
        assert getattr(second, field) == getattr(first, field)


def test_integrations_of_the_same_name_stay_apart(
    name: str, project: Project, browser: Browser
) -> None:
    make_project("Other")
    content = browser.get(f"/writes/{name}/").content.decode()
    assert '<optgroup label="Demo: salesforce">' in content
    assert '<optgroup label="Other: salesforce">' in content


def test_the_number_of_queries_does_not_grow_with_the_objects(
    name: str, browser: Browser, integration: Integration
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            browser.get(f"/writes/{name}/")
        return len(captured)

    integration.write_objects.exclude(name="contact").delete()
    few = queries()
    for number in range(20):
        integration.write_objects.create(name=f"object_{number}")
        integration.groups.create(group_ref=f"group-{number}")
        make_project(f"Project {number}")
    # Only a lone project is chosen beforehand, which takes no query of its own.
    assert queries() == few
