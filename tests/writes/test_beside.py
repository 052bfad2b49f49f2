"""What belongs with a write and was not sent with it: no page calls that finished."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone

from console.access.roles import Role
from console.models import Integration
from operations.models import Operation
from sandbox.app import Sandbox
from tests.answers import Shown
from tests.conftest import actor, make_user
from tests.texts import numbers
from tests.writes.making import check_draft, confirm, make_draft, work_off
from writes.actions import derive
from writes.display.beside import beside
from writes.display.result import result_of
from writes.models import Write

pytestmark = pytest.mark.django_db

KEY = "external_id__c"
ROWS = [f"b-{number},Name {number}\n" for number in range(1, 8)]


@pytest.fixture
def rest(integration: Integration, olga: User) -> Write:
    """A draft of five of seven rows; the first two are on trial."""
    csv = f"{KEY},LastName\n{''.join(ROWS)}".encode()
    write = make_draft(integration, olga, csv=csv, primary_key=KEY)
    check_draft(derive.try_first(write, actor(olga), 2))
    check_draft(write)
    return write


@pytest.fixture
def trial(rest: Write) -> Write:
    return rest.children.get()


def sent(write: Write, user: User) -> Write:
    confirm(write, user)
    work_off()
    write.refresh_from_db()
    return write


def page_of(write: Write, browser: Browser) -> Shown:
    return Shown(browser.get(f"/writes/{write.pk}/", follow=True))


def trial_on(rest: Write, browser: Browser) -> list[str | None]:
    return Shown(browser.get(f"/writes/{rest.pk}/")).data["trial"]


def found(write: Write, user: User) -> list[tuple[str, int | None, bool]]:
    items = beside(Write.objects.get(pk=write.pk), user)
    return [(item.kind, item.rows, item.is_unsent) for item in items]


class TestTrial:
    """The trial of a file and its rest speak of each other."""

    def test_a_trial_that_went_well_shows_the_way_to_the_rest(
        self, sandbox: Sandbox, trial: Write, rest: Write, olga: User, browser: Browser
    ) -> None:
        sent(trial, olga)
        answer = browser.get(f"/writes/{trial.pk}/", follow=True)
        shown = Shown(answer)
        assert (shown.data["state"], shown.data["rows"]) == (["draft"], ["5"])
        assert 5 in numbers(shown.texts["rest"])
        assert shown.data["beside"] == ["rest"]
        page = answer.content.decode()
        link = re.search(r'id="go-to-rest" href="([^"]+)"', page)
        assert link
        assert link[1] == f"/writes/{rest.pk}/"
        assert "nothing left to do" not in page.casefold()

    def test_the_page_of_every_row_says_so_too(
        self, sandbox: Sandbox, trial: Write, olga: User, browser: Browser
    ) -> None:
        sent(trial, olga)
        answer = browser.get(f"/writes/{trial.pk}/rows/")
        assert Shown(answer).data["beside"] == ["rest"]
        assert "nothing left to do" not in answer.content.decode().casefold()

    def test_the_draft_of_the_rest_shows_what_became_of_the_trial(
        self, sandbox: Sandbox, trial: Write, rest: Write, olga: User, browser: Browser
    ) -> None:
        assert trial_on(rest, browser) == ["unsent"]
        sent(trial, olga)
        answer = browser.get(f"/writes/{rest.pk}/")
        result = answer.context["trial_result"]
        assert (result.succeeded, result.failed, result.state) == (2, 0, "good")
        assert numbers(Shown(answer).texts["trial-result"])[:2] == [2, 2]

    def test_a_trial_whose_rows_failed_leads_to_fixing_the_rest(
        self, sandbox: Sandbox, trial: Write, rest: Write, olga: User, browser: Browser
    ) -> None:
        operation = confirm(trial, olga)
        Operation.objects.filter(pk=operation.pk).update(
            state="partly_failed", due_at=None, rows_failed=1, rows_succeeded=1
        )
        assert trial_on(rest, browser) == ["failed"]
        shown = page_of(trial, browser)
        assert {"fix-rest", "go-to-rest"} <= set(shown.ids)

    @pytest.mark.parametrize(
        ("values", "state"),
        [
            ({"state": "waiting"}, "going"),
            ({"state": "rejected", "due_at": None}, "refused"),
            ({"state": "unknown", "sent_at": timezone.now()}, "unknown"),
            ({"state": "completed"}, "unknown"),
        ],
    )
    def test_no_trial_is_good_of_which_a_row_may_be_missing(
        self, trial: Write, olga: User, browser: Browser, values: dict, state: str
    ) -> None:
        operation = confirm(trial, olga)
        Operation.objects.filter(pk=operation.pk).update(**values)
        assert result_of(trial).state == state
        assert page_of(trial, browser).data["trial"] == [state]

    def test_its_page_learns_of_its_end_by_itself(
        self, sandbox: Sandbox, trial: Write, olga: User, browser: Browser
    ) -> None:
        confirm(trial, olga)
        assert page_of(trial, browser).data["trial"] == ["going"]
        work_off()
        news = Shown(browser.get(f"/writes/{trial.pk}/rows/panel/?seen=before"))
        assert news.data["trial"] == ["good"]

    def test_where_the_rest_went_is_told_when_it_was_sent(
        self, sandbox: Sandbox, trial: Write, rest: Write, olga: User, browser: Browser
    ) -> None:
        sent(trial, olga)
        assert found(trial, olga) == [("rest", 5, True)]
        sent(rest, olga)
        assert found(trial, olga) == [("rest", 5, False)]
        assert found(rest, olga) == [("trial", 2, False)]
        assert page_of(trial, browser).data["state"] == ["confirmed"]

    def test_a_rest_that_went_first_does_not_forget_the_trial(
        self, sandbox: Sandbox, trial: Write, rest: Write, olga: User, browser: Browser
    ) -> None:
        sent(rest, olga)
        assert found(rest, olga) == [("trial", 2, True)]
        assert "go-to-trial" in page_of(rest, browser).ids

    def test_a_rest_that_was_discarded_was_not_sent(
        self, sandbox: Sandbox, trial: Write, rest: Write, olga: User, browser: Browser
    ) -> None:
        sent(trial, olga)
        derive.discard(rest)
        assert found(trial, olga) == [("rest", 5, True)]
        assert page_of(trial, browser).data["state"] == ["discarded"]

    def test_who_cannot_open_the_rest_gets_no_link_to_it(
        self, sandbox: Sandbox, trial: Write, olga: User
    ) -> None:
        sent(trial, olga)
        viewer = make_user("vera", Role.VIEWER)
        browser = Browser()
        browser.force_login(viewer)
        shown = page_of(trial, browser)
        assert "rest" in shown.ids
        assert "go-to-rest" not in shown.ids


def test_rows_held_back_are_still_to_be_sent(
    sandbox: Sandbox, integration: Integration, olga: User, browser: Browser
) -> None:
    csv = f"{KEY},LastName\n{''.join(ROWS)}".encode()
    write = make_draft(integration, olga, csv=csv, primary_key=KEY)
    write.change(
        only_from="draft",
        edition=write.edition + 1,
        is_ready=False,
        recipe_json={"left_out": [[3, 4]]},
    )
    check_draft(write)
    sent(write, olga)
    assert found(write, olga) == [("held-back", 2, True)]
    answer = browser.get(f"/writes/{write.pk}/", follow=True)
    assert Shown(answer).data["beside"] == ["held-back"]
    assert "nothing left to do" not in answer.content.decode().casefold()


def test_a_trial_counts_the_rows_held_back_of_its_own_alone(
    integration: Integration, olga: User
) -> None:
    csv = f"{KEY},LastName\n{''.join(ROWS)}".encode()
    write = make_draft(integration, olga, csv=csv, primary_key=KEY)
    write.change(
        only_from="draft",
        edition=write.edition + 1,
        is_ready=False,
        recipe_json={"left_out": [[3, 3], [7, 8]]},
    )
    check_draft(write)
    trial = derive.try_first(write, actor(olga), 2)
    check_draft(trial)
    check_draft(write)
    assert found(trial, olga) == [("rest", 2, True), ("held-back", 1, True)]
    assert found(write, olga) == [("trial", 2, True), ("held-back", 2, True)]


def test_a_retry_does_not_hide_what_else_is_open(
    sandbox: Sandbox, integration: Integration, olga: User
) -> None:
    rows = "".join([*ROWS[:2], "b-9,\n"])
    write = make_draft(
        integration, olga, csv=f"{KEY},LastName\n{rows}".encode(), primary_key=KEY
    )
    sent(write, olga)
    retry = derive.retry_failed(write, actor(olga))
    check_draft(retry)
    assert found(retry, olga) == []
    report = {**write.rows_report, "succeeded": 0, "unknown": 1, "not_sent": 1}
    Write.objects.filter(pk=write.pk).update(rows_report=report)
    retry.refresh_from_db()
    assert found(retry, olga) == [("retried", 2, True)]


def test_a_write_with_nothing_beside_it_is_done(
    sandbox: Sandbox, integration: Integration, olga: User, browser: Browser
) -> None:
    csv = f"{KEY},LastName\n{''.join(ROWS)}".encode()
    write = sent(make_draft(integration, olga, csv=csv, primary_key=KEY), olga)
    answer = browser.get(f"/writes/{write.pk}/", follow=True)
    assert "beside" not in Shown(answer).data
    assert "nothing left to do" in answer.content.decode().casefold()
