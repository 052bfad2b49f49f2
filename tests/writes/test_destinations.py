"""Destinations: remembered when something is sent, shared as links, kept as presets."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError
from django.test import Client as Browser

from console.access.roles import Role
from console.models import Integration, Project
from tests.answers import levels
from tests.conftest import actor, make_user
from tests.writes.making import confirm, make_draft
from tests.writes.pages import Page
from writes.actions import destinations
from writes.models import Destination, Write

CSV = b"Key,LastName,Since\nk-1,Berg,1\n"
PAGE = "/writes/destinations/"

pytestmark = [pytest.mark.pages, pytest.mark.django_db]


def sent(integration: Integration, olga: User, **values: Any) -> Destination:
    """Send a file whose columns have other names, and return where it went."""
    recipe = {
        "columns": {
            "Key": {"name": "external_id__c"},
            "Since": {"name": "Birthdate", "trim": True},
        },
        "constants": [["Title", "Dr"]],
        "left_out": [[3, 3]],
    }
    data = CSV + b"k-2,Tal,2\n"
    key = "external_id__c"
    values = {"csv": data, "primary_key": key, "recipe_json": recipe, **values}
    confirm(make_draft(integration, olga, **values), olga)
    return Destination.objects.get()


def test_a_destination_is_remembered_once_without_a_cell_of_its_file(
    integration: Integration, olga: User
) -> None:
    one = sent(integration, olga)
    assert (one.user, one.object_name, one.source) == (olga, "contact", "csv")
    assert one.columns == ["Key", "LastName", "Since"]
    # What was done to single rows of that file is not done to another one.
    assert "left_out" not in one.recipe_json
    destinations.remember(Write.objects.get(), actor(olga))
    assert Destination.objects.count() == 1


def test_no_two_rows_for_one_destination(integration: Integration, olga: User) -> None:
    one = sent(integration, olga)
    one.pk = None
    with pytest.raises(IntegrityError):
        one.save(force_insert=True)


def test_a_preset_does_to_the_next_file_what_was_done_to_the_last(
    browser: Browser, integration: Integration, olga: User, target: dict[str, Any]
) -> None:
    one = sent(integration, olga)
    browser.post(PAGE, {"destination": one.pk, "name": "Weekly contacts"})
    write = upload(browser, target, CSV.replace(b"Berg", b"Lau"))
    assert write.recipe.constants == (("Title", "Dr"),)
    assert write.recipe.columns["Since"].trim
    assert write.path_of("as_sent").read_bytes() == (
        b"external_id__c,LastName,Birthdate,Title\nk-1,Lau,1,Dr\n"
    )


def test_a_preset_leaves_no_row_of_the_next_file_out(
    browser: Browser, integration: Integration, olga: User, target: dict[str, Any]
) -> None:
    data = CSV + b",,\nk-3,Tal,2\n"
    recipe = {
        "columns": {"Key": {"name": "external_id__c"}},
        "blank_rows": [[3, 3]],
    }
    one = sent(integration, olga, csv=data, recipe_json=recipe)
    browser.post(PAGE, {"destination": one.pk, "name": "Weekly contacts"})
    write = upload(browser, target, CSV + b"k-2,Lau,1\nk-3,Tal,2\n")
    assert write.recipe.ranges() == []
    assert write.check_report["rows"] == 3


@pytest.mark.parametrize("why", ["no preset", "other columns", "somebody else's"])
def test_else_nothing_is_done_to_it(
    why: str,
    browser: Browser,
    integration: Integration,
    olga: User,
    target: dict[str, Any],
) -> None:
    one = sent(integration, olga)
    one.name = "" if why == "no preset" else "Weekly contacts"
    one.user = make_user("tim", Role.OPERATOR) if why == "somebody else's" else olga
    one.save()
    data = CSV.replace(b"Since", b"From") if why == "other columns" else CSV
    write = upload(browser, target, data.replace(b"Key", b"external_id__c"))
    assert write.recipe.constants == ()


def upload(browser: Browser, target: dict[str, Any], data: bytes) -> Write:
    """Drop a file, and review it as it is proposed or else for the `target`."""
    file = SimpleUploadedFile("next.csv", data)
    answer = browser.post("/writes/csv/", {"do": "file", "file": file}, follow=True)
    key = {"primary_key": "external_id__c"}
    browser.post("/writes/csv/", Page(answer).form() | target | key)
    return Write.objects.latest("pk")


def test_it_is_named_renamed_and_removed(
    browser: Browser, integration: Integration, olga: User
) -> None:
    one = sent(integration, olga)
    for name in ("Weekly\x07 leads", "Leads of ACME", ""):
        answer = browser.post(PAGE, {"destination": one.pk, "name": name}, follow=True)
        assert levels(answer) == ["success"]
        one.refresh_from_db()
        assert one.name == name.replace("\x07", "")
    browser.post(PAGE, {"destination": one.pk, "do": "remove"})
    assert not Destination.objects.exists()


def test_nobody_sees_or_changes_those_of_others(
    browser: Browser, integration: Integration, olga: User
) -> None:
    one = sent(integration, olga)
    Destination.objects.update(name="Secret plan")
    make_user("tim", Role.ADMIN)
    other = Browser()
    other.login(username="tim", password="tim")
    assert "Secret plan" not in other.get(PAGE).text
    other.post(PAGE, {"destination": one.pk, "do": "remove"})
    assert Destination.objects.filter(pk=one.pk).exists()
    assert "Secret plan" in browser.get(PAGE).text


def test_two_presets_of_a_person_have_two_names(
    browser: Browser, integration: Integration, olga: User
) -> None:
    sent(integration, olga)
    confirm(make_draft(integration, olga, record={"LastName": "Tal"}), olga)
    first, second = Destination.objects.order_by("pk")
    browser.post(PAGE, {"destination": first.pk, "name": "One"}, follow=True)
    answer = browser.post(PAGE, {"destination": second.pk, "name": "One"}, follow=True)
    assert levels(answer) == ["error"]
    second.refresh_from_db()
    assert second.name == ""


def test_it_goes_with_its_person_and_with_its_project(
    integration: Integration, olga: User, project: Project
) -> None:
    one = sent(integration, olga)
    User.objects.filter(pk=olga.pk).delete()
    assert not Destination.objects.filter(pk=one.pk).exists()


def test_only_so_many_are_kept_beside_the_presets(
    integration: Integration, olga: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(destinations, "MOST_KEPT", 1)
    sent(integration, olga)
    Destination.objects.update(name="Kept")
    for name in ("account", "lead"):
        draft = make_draft(integration, olga, object_name=name)
        confirm(draft, olga)
    kept = Destination.objects.order_by("object_name")
    assert [each.object_name for each in kept] == ["contact", "lead"]


class TestAddress:
    """A link to a form fills it in, as far as who follows it may choose."""

    @pytest.mark.parametrize("form", ["record", "csv", "url"])
    def test_it_leads_where_the_draft_goes(
        self, form: str, browser: Browser, integration: Integration, olga: User
    ) -> None:
        key = {"primary_key": "external_id__c"}
        draft = make_draft(integration, olga, csv=CSV, **key, faulty=True)
        query = Destination(
            integration=integration,
            object_name=draft.object_name,
            group_ref=draft.group_ref,
            action="upsert",
            primary_key="external_id__c",
        ).query
        answer = browser.get(f"/writes/{form}/?{query}")
        page = Page(answer)
        contact = integration.write_objects.get(name="contact")
        assert page.submits["project"] == [str(integration.project_id)]
        assert page.submits["object"] == [str(contact.pk)]
        assert page.submits["group"] == [str(integration.groups.get().pk)]
        assert levels(answer) == []

    def test_names_of_people_serve_as_well(
        self, browser: Browser, integration: Integration
    ) -> None:
        group = integration.groups.get()
        given = {
            "project": integration.project.name,
            "object": "contact",
            "group": group.group_ref,
            "key": "x__c",
        }
        page = Page(browser.get("/writes/csv/", given))
        assert page.submits["group"] == [str(group.pk)]
        assert page.submits["primary_key"] == ["x__c"]

    def test_the_review_has_it_to_copy(
        self, browser: Browser, integration: Integration, olga: User
    ) -> None:
        draft = make_draft(integration, olga, object_name="lead")
        link = browser.get(draft.get_absolute_url()).context["link_to_form"]
        page = Page(browser.get(link))
        lead = integration.write_objects.get(name="lead")
        assert page.submits["object"] == [str(lead.pk)]
        assert page.submits["action"] == ["create"]

    @pytest.mark.hostile
    @pytest.mark.parametrize("name", ["project", "integration", "object", "group"])
    @pytest.mark.parametrize("value", ["nonsense", "9" * 30, "<script>", "\0"])
    def test_what_is_unknown_is_left_out_with_a_note(
        self, name: str, value: str, browser: Browser, integration: Integration
    ) -> None:
        given = {"project": str(integration.project_id), name: value}
        answer = browser.get("/writes/csv/", given)
        assert answer.status_code == 200
        assert levels(answer) == ["warning"]
        assert "<script>" not in answer.text.split("<main", 1)[1]

    def test_a_project_without_the_role_is_unknown(
        self, browser: Browser, integration: Integration, olga: User
    ) -> None:
        olga.grants.exclude(environment="test").delete()
        answer = browser.get("/writes/csv/", {"project": integration.project_id})
        assert levels(answer) == ["warning"]
        assert integration.project.name not in answer.text.split("<main", 1)[1]

    def test_nobody_is_led_to_delete_once_more(
        self, browser: Browser, integration: Integration, olga: User
    ) -> None:
        target = {"object_name": "lead", "group_ref": "x", "integration": integration}
        Destination.objects.create(
            user=olga, source="record", action="delete", **target
        )
        page = Page(browser.get("/writes/record/"))
        assert page.submits.get("object") in ([], [""])
        assert "destinations" in Page(browser.get("/")).ids

    @pytest.mark.parametrize("form", ["record", "url"])
    def test_without_one_a_form_leads_where_it_led_last(
        self, form: str, browser: Browser, integration: Integration, olga: User
    ) -> None:
        made: dict[str, Any] = {
            "record": {"object_name": "lead"},
            "url": {
                "object_name": "lead",
                "url": "https://files.example.com/a.csv",
                "primary_key": "id",
            },
        }
        confirm(make_draft(integration, olga, **made[form]), olga)
        page = Page(browser.get(f"/writes/{form}/"))
        lead = integration.write_objects.get(name="lead")
        assert page.submits["object"] == [str(lead.pk)]
        assert page.submits["group"] == [str(integration.groups.get().pk)]
