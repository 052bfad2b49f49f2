"""How the list looks: each value by an index, texts in the newest, nothing left out."""

from collections.abc import Callable

import pytest
from django.http import QueryDict
from django.test import Client as Browser
from django.utils import timezone

from console.access.roles import Role
from console.models import Project
from operations import looking
from operations.filters import OperationFilter
from operations.models import Operation, operation_queries
from tests.answers import Shown
from tests.conftest import make_project, make_user
from tests.operations.conftest import make_operation
from tests.operations.plans import by_rule, plan_of

URL = "/operations/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer(sign_in: Callable[..., Browser]) -> Browser:
    return sign_in(Role.VIEWER)


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch) -> int:
    """How many are looked at for a text: three."""
    monkeypatch.setattr(looking, "LOOK", 3)
    return 3


def pages(browser: Browser, query: str) -> list[list[int]]:
    """Follow the list to its end; return the numbers on each page."""
    found: list[list[int]] = []
    while True:
        context = browser.get(f"{URL}?{query}").context
        found.append([each.pk for each in context["operations"]])
        query = context["older"] or context["further"]
        if not query:
            return found


class TestSeveralValues:
    STATES = ("failed", "rejected", "cancelled", "partly_failed")

    @pytest.mark.parametrize("period", ["", "&period=7d"])
    def test_they_come_in_one_order_over_all_pages(
        self, viewer: Browser, project: Project, period: str
    ) -> None:
        for number in range(130):
            state = self.STATES[number * 7 % 4]
            make_operation(project, state=state, action="create")
        query = f"status=failed&status=rejected&status=partly_failed{period}"
        wanted = Operation.objects.exclude(state="cancelled").order_by("-pk")
        found = pages(viewer, query)
        assert [len(page) for page in found] == [50, 48]
        assert sum(found, []) == list(wanted.values_list("pk", flat=True))
        total = viewer.get(f"{URL}?{query}").context["total"]
        assert total == str(wanted.count())

    def test_of_two_environments_both_are_shown(
        self, sign_in: Callable[..., Browser]
    ) -> None:
        places = [make_project(word, environment=word) for word in ("sandbox", "test")]
        secret = make_project("secret", environment="production")
        numbers = []
        for place in (*places, secret) * 2:
            operation = make_operation(place)
            if place != secret:
                numbers.append(operation.pk)
        browser = sign_in(Role.NONE, sandbox=Role.VIEWER, test=Role.VIEWER)
        assert pages(browser, "") == [numbers[::-1]]
        assert browser.get(URL).context["total"] == "4"


class TestTexts:
    def test_older_ones_are_looked_at_next(
        self, viewer: Browser, project: Project, look: int
    ) -> None:
        reasons = ["Sought", "", "", "", "sought, too", "", ""]
        made = [make_operation(project, reason=reason) for reason in reasons]
        page = viewer.get(URL, {"text": "sought"})
        assert [each.pk for each in page.context["operations"]] == [made[4].pk]
        assert "further" in Shown(page).ids
        found = pages(viewer, "text=sought")
        assert found == [[made[4].pk], [], [made[0].pk]]

    def test_the_end_is_told_from_more(
        self, viewer: Browser, project: Project, look: int
    ) -> None:
        for _ in range(look):
            make_operation(project)
        page = viewer.get(URL, {"text": "nowhere"})
        assert "further" not in Shown(page).ids
        assert "clear-filters" in Shown(page).ids
        make_operation(project)
        page = viewer.get(URL, {"text": "nowhere"})
        assert "further" in Shown(page).ids

    @pytest.mark.parametrize(
        "text", ["003Old", "old-remote-id", "Old-Customer", "OLD-OBJECT"]
    )
    def test_ids_customers_and_objects_are_found_however_old(
        self, viewer: Browser, project: Project, look: int, text: str
    ) -> None:
        old = make_operation(
            project,
            record_id="003Old0000000001",
            remote_id="old-remote-id",
            group_ref="old-customer",
            object_name="old-object",
        )
        for _ in range(look + 1):
            make_operation(project)
        page = viewer.get(URL, {"text": text})
        assert [each.pk for each in page.context["operations"]] == [old.pk]
        # By its number, too.
        page = viewer.get(URL, {"text": f"#{old.pk}"})
        assert [each.pk for each in page.context["operations"]] == [old.pk]

    def test_the_other_filters_come_first(
        self, viewer: Browser, project: Project, look: int
    ) -> None:
        old = make_operation(project, state="failed", reason="Sought")
        for _ in range(look + 1):
            make_operation(project)
        assert pages(viewer, "text=sought&status=failed") == [[old.pk]]


@by_rule
@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("status=failed", "operation_by_state"),
        ("status=failed&status=rejected", "operation_by_state"),
        ("action=by_id", "operation_by_action"),
        ("environment=test", "operation_by_environment"),
        ("source=csv", "operation_by_source"),
        ("rows_min=5&rows_max=10", "operation_by_size"),
        ("object=contact", "operation_by_object"),
        ("group=acme", "operation_by_group"),
        ("user=olga", "operation_by_user"),
        ("failures=on", "operation_failures"),
        ("outcome=rows_failed", "operation_rows_failed"),
        ("outcome=rows_unknown", "operation_rows_unknown"),
        ("error=some", "failure_by_digest"),
        ("integration={integration}", "operation_by_integration"),
        ("project={project}", "operation_by_project"),
    ],
)
def test_an_index_has_each_in_the_order_of_the_list(
    project: Project, query: str, index: str
) -> None:
    for number in range(40):
        make_operation(project, state="failed" if number % 2 else "rejected")
    integration = project.integrations.get()
    query = query.format(project=project.pk, integration=integration.pk)
    user = make_user("ada", Role.ADMIN)
    chosen = OperationFilter(QueryDict(query), user=user)
    assert chosen.is_valid()
    visible = Operation.objects.visible_to(user).for_list()
    for part in looking.parts(chosen, visible, user):
        plan = plan_of(part[:50])
        assert index in plan
        # It does not see that errors have the order of their operations.
        if "error" not in query:
            assert "TEMP B-TREE" not in plan


@by_rule
@pytest.mark.parametrize(
    "query",
    [
        "group=acme&status=failed",
        "group=acme&action=upsert",
        "group=acme&status=failed&action=upsert&environment=sandbox",
        "object=contact&status=failed",
        "user=olga&status=failed",
        "source=csv&status=failed",
        "status=failed&rows_max=10",
    ],
)
def test_of_two_filters_no_row_is_read_for_what_one_leaves_out(
    project: Project, query: str
) -> None:
    chosen = OperationFilter(QueryDict(query), user=make_user("ada", Role.ADMIN))
    assert chosen.is_valid()
    numbers = chosen.page(Operation.objects.all()).values("pk")[:50]
    assert "USING COVERING INDEX operation_by_" in plan_of(numbers)


@by_rule
def test_a_range_that_few_are_in_walks_through_no_other(project: Project) -> None:
    for size in (5, 5, 30):
        make_operation(project, rows_sent=size)
    user = make_user("ada", Role.ADMIN)
    chosen = OperationFilter(QueryDict("rows_min=20"), user=user)
    assert chosen.is_valid()
    visible = Operation.objects.visible_to(user).for_list()
    [part] = looking.parts(chosen, visible, user)
    assert "PRIMARY KEY (rowid=?)" in plan_of(part[:50])


@by_rule
def test_outcomes_that_somebody_decided_are_not_read(project: Project) -> None:
    unknown = Operation.objects.unknown_since(timezone.now())
    plan = plan_of(unknown.newest_first()[:50])
    assert "operation_undecided" in plan
    assert "TEMP B-TREE" not in plan


@pytest.mark.parametrize("few", [0, 3, 100])
@pytest.mark.parametrize(
    ("query", "sizes"),
    [("rows_min=30", [30]), ("rows_max=25", [20]), ("rows_min=1", [20, 30])],
)
def test_few_and_many_are_found_alike(
    viewer: Browser,
    project: Project,
    few: int,
    query: str,
    sizes: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(operation_queries, "FEW", few)
    made = [make_operation(project, rows_sent=size).pk for size in (20, 30) * 6]
    wanted = [pk for pk, size in zip(made, (20, 30) * 6, strict=True) if size in sizes]
    assert pages(viewer, query) == [wanted[::-1]]


@by_rule
def test_who_sees_one_environment_walks_through_no_other(project: Project) -> None:
    user = make_user("sam", sandbox=Role.VIEWER)
    plan = plan_of(Operation.objects.visible_to(user).for_list().newest_first()[:50])
    assert "operation_by_environment" in plan
    assert "TEMP B-TREE" not in plan


@pytest.mark.parametrize("roles", [{}, {"sandbox": Role.VIEWER, "test": Role.VIEWER}])
@pytest.mark.parametrize("among", [1, 3, 100])
def test_the_newest_whose_turn_has_come_are_found_behind_those_that_wait(
    roles: dict[str, Role],
    among: int,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(looking, "AMONG", among)
    other = make_project("Other", environment="test")
    begun = [make_operation(each).pk for each in (project, other) * 2]
    for each in (project, other) * 3:
        make_operation(each, state="held", remote_id="")
    user = make_user("sam", **roles) if roles else make_user("ada", Role.ADMIN)
    visible = Operation.objects.visible_to(user)
    found = looking.newest_begun(visible, user, 3)
    assert [each.pk for each in found] == begun[:0:-1]
