"""All rows of a file that waits for approval: there to be read, as long as it waits."""

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from console.access.roles import Role
from console.models import ApprovalRule, Integration
from tests.conftest import actor, browser_of, make_user
from tests.writes.making import make_draft
from tests.writes.pages import Page
from writes.actions import approve
from writes.models import Approval, Write

ROWS = 700
LONG = "long " * 40

pytestmark = [pytest.mark.pages, pytest.mark.django_db]


@pytest.fixture
def bert(db: None) -> User:
    """Another operator."""
    return make_user("bert", Role.OPERATOR)


@pytest.fixture
def asked(integration: Integration, olga: User, bert: User) -> Approval:
    """What Olga asked approval for: many more rows than a sample has."""
    ApprovalRule.objects.create(environment="sandbox")
    lines = [f"k-{n},Name {n},{LONG}{n}\n" for n in range(2, ROWS + 2)]
    csv = "external_id__c,LastName,Description\n" + "".join(lines)
    key = "external_id__c"
    draft = make_draft(integration, olga, csv=csv.encode(), primary_key=key)
    return approve.ask(draft, actor(olga))


def rows_url(approval: Approval) -> str:
    return f"{approval.get_absolute_url()}rows/"


def test_who_approves_reads_every_row_to_the_last(asked: Approval, bert: User) -> None:
    his = browser_of(bert)
    url = rows_url(asked)
    assert f'href="{url}"' in his.get(asked.get_absolute_url()).text
    read: list[int] = []
    address = url
    while True:
        answer = his.get(address)
        assert answer.status_code == 200
        read += [row.number for row in answer.context["rows"]]
        if not answer.context["newer"]:
            break
        address = f"{url}?{answer.context['newer']}"
    assert read == list(range(2, ROWS + 2))
    last = his.get(url, {"row": ROWS + 1})
    assert f"k-{ROWS + 1}" in last.text
    # What is cut there stands whole on the page of its row.
    whole = his.get(f"{url}{ROWS + 1}/")
    assert f"{LONG}{ROWS + 1}" in whole.text
    assert f'href="{url}?#row-{ROWS + 1}"' in whole.text
    assert his.get(f"{url}{ROWS + 2}/").status_code == 404


def test_nothing_can_be_edited_there_even_by_an_admin(
    asked: Approval, bert: User
) -> None:
    for person in (bert, make_user("ada", Role.ADMIN)):
        browser = browser_of(person)
        for url in (rows_url(asked), f"{rows_url(asked)}2/"):
            page = browser.get(url)
            assert page.status_code == 200
            ids = Page(page).ids
            assert not {"grid-form", "grid-state", "cell-1"} & set(ids)
            assert "data-editable" not in page.text
            assert browser.post(url, {"place": "1", "cell": "x"}).status_code == 405
    assert browser_of(bert).get(f"/writes/{asked.write_id}/grid/").status_code == 404


@pytest.mark.parametrize("below", ["rows/", "rows/2/"])
def test_there_is_nothing_for_who_has_no_right_there(
    asked: Approval, below: str
) -> None:
    url = f"{asked.get_absolute_url()}{below}"
    stranger = browser_of(make_user("tess", test=Role.ADMIN)).get(url)
    assert stranger.status_code == 404
    viewer = browser_of(
        make_user("vic", sandbox=Role.VIEWER, production=Role.OPERATOR)
    ).get(url)
    assert viewer.status_code == 403
    for answer in (stranger, viewer):
        assert "Name 2" not in answer.text
    signed_out = Browser().get(url)
    assert signed_out.status_code == 302
    assert signed_out["Location"].startswith("/login/")


@pytest.mark.parametrize("below", ["rows/", "rows/2/"])
@pytest.mark.parametrize("ends", ["refused", "changed"])
def test_once_it_ended_only_what_became_of_it_is_shown(
    asked: Approval, bert: User, below: str, ends: str
) -> None:
    if ends == "refused":
        approve.refuse(asked, actor(bert), note="Not today")
    else:
        Write.objects.get().revise(primary_key="LastName")
    answer = browser_of(bert).get(f"{asked.get_absolute_url()}{below}")
    assert answer.status_code == 302
    assert answer["Location"] == asked.get_absolute_url()


def test_a_record_has_no_rows(integration: Integration, olga: User, bert: User) -> None:
    ApprovalRule.objects.create(environment="sandbox")
    asked = approve.ask(make_draft(integration, olga), actor(olga))
    his = browser_of(bert)
    assert his.get(rows_url(asked)).status_code == 404
    assert his.get(f"{rows_url(asked)}2/").status_code == 404
    assert "all-rows" not in Page(his.get(asked.get_absolute_url())).ids
