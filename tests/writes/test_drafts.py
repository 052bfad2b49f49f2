"""The list of drafts: one's own, many of which are discarded at once."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from console.access.roles import Role
from console.models import Integration, Project
from tests.answers import levels
from tests.conftest import actor, make_user
from tests.writes.making import confirm, make_draft
from tests.writes.pages import Page
from writes.actions import derive
from writes.models import FileJob, Write
from writes.views import drafts

pytestmark = [pytest.mark.pages, pytest.mark.django_db]
PAGE = "/writes/drafts/"


def states(*writes: Write) -> list[str]:
    found = dict(Write.objects.values_list("pk", "state"))
    return [found[write.pk] for write in writes]


def test_the_ticked_ones_go_and_the_others_stay(
    browser: Browser, integration: Integration, olga: User
) -> None:
    made = [make_draft(integration, olga) for _ in range(3)]
    page = Page(browser.get(PAGE))
    assert page.submits["draft"] == [str(write.pk) for write in reversed(made)]
    answer = browser.post(PAGE, {"draft": [made[0].pk, made[2].pk]}, follow=True)
    assert levels(answer) == ["success"]
    assert states(*made) == ["discarded", "draft", "discarded"]


def test_a_draft_tells_its_environment_by_word_and_colour(
    browser: Browser, integration: Integration, olga: User
) -> None:
    make_draft(integration, olga)
    word = integration.project.environment
    assert f'class="environment environment-{word}"' in browser.get(PAGE).text


def test_only_what_is_ones_own_and_a_draft_goes(
    browser: Browser, integration: Integration, olga: User
) -> None:
    theirs = make_draft(integration, make_user("tim", Role.OPERATOR))
    sent = make_draft(integration, olga)
    confirm(sent, olga)
    page = browser.get(PAGE)
    assert "draft" not in Page(page).submits
    ticked = [theirs.pk, sent.pk, 10**30, "x", "-1", "²", ""]
    answer = browser.post(PAGE, {"draft": ticked}, follow=True)
    assert levels(answer) == ["warning"]
    assert states(theirs, sent) == ["draft", "confirmed"]


def test_where_the_role_is_gone_nothing_goes(
    integration: Integration, project: Project, sign_in: Callable[..., Browser]
) -> None:
    browser = sign_in(Role.NONE, "una", sandbox=Role.VIEWER, test=Role.OPERATOR)
    mine = make_draft(integration, User.objects.get(username="una"))
    browser.post(PAGE, {"draft": mine.pk})
    assert states(mine) == ["draft"]


@pytest.mark.parametrize("chosen", ["trial", "both"])
def test_a_trial_gives_its_rows_back_unless_the_rest_goes_too(
    chosen: str, browser: Browser, integration: Integration, olga: User
) -> None:
    data = b"id,Name\n1,a\n2,b\n3,c\n"
    rest = make_draft(integration, olga, csv=data, primary_key="id")
    trial = derive.try_first(rest, actor(olga), 1)
    FileJob.objects.all().delete()
    ticked = [trial.pk] if chosen == "trial" else [trial.pk, rest.pk]
    browser.post(PAGE, {"draft": ticked})
    rest.refresh_from_db()
    if chosen == "trial":
        assert (rest.state, rest.recipe.skip_first) == ("draft", 0)
        assert rest.jobs.exists()
    else:
        assert states(trial, rest) == ["discarded", "discarded"]
        assert not FileJob.objects.exists()


def test_no_page_is_longer_than_people_read(
    browser: Browser,
    integration: Integration,
    olga: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(drafts, "SHOWN", 2)
    for _ in range(3):
        make_draft(integration, olga)
    page = Page(browser.get(PAGE))
    assert len(page.submits["draft"]) == 2
    assert "more-drafts" in page.ids
