"""The page of environments, its switches, and the banner on every page."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import IntegrityError, transaction
from django.test import Client as Browser

from console import freeze as freezing
from console.access.roles import Role
from console.actor import Actor
from console.models import AuditEvent, EnvironmentControl, Project
from tests.answers import Shown
from tests.test_crawl import check_page

PAGE = "/connections/environments/"

pytestmark = pytest.mark.django_db


def control(environment: str = "production") -> EnvironmentControl:
    return EnvironmentControl.objects.of(environment)


def freeze(environment: str = "production", reason: str = "Wrong file") -> None:
    assert freezing.freeze(control(environment), Actor(name="ada"), reason=reason)


class TestPage:
    def test_it_shows_every_environment_and_how_it_stands(
        self, sign_in: Callable[..., Browser]
    ) -> None:
        freeze("test", "Salesforce <b>maintenance</b>")
        answer = sign_in(Role.ADMIN).get(PAGE)
        check_page(answer)
        content = answer.content.decode()
        for word in ("Sandbox", "Test", "Production", "ada"):
            assert word in content
        assert "&lt;b&gt;maintenance" in content
        freezing = {name for name in Shown(answer).ids if "freeze-" in name}
        assert freezing == {"freeze-sandbox", "unfreeze-test", "freeze-production"}

    def test_an_operator_freezes_and_everybody_reads_who_and_why(
        self, sign_in: Callable[..., Browser], project: Project
    ) -> None:
        olga = sign_in(Role.OPERATOR, "olga")
        answer = olga.post(f"{PAGE}production/freeze/", {"reason": " Wrong file "})
        assert answer["Location"] == PAGE
        now = control()
        assert now.is_frozen
        assert (now.frozen_by_name, now.freeze_reason) == ("olga", "Wrong file")
        event = AuditEvent.objects.get(action="environment.frozen")
        assert (event.actor_name, event.subject) == ("olga", "Production")
        assert event.environment == "production"
        assert event.detail == {"reason": "Wrong file"}
        viewer = sign_in(Role.VIEWER, "vera")
        for address in ("/", "/operations/", "/audit/", "/connections/", "/not/there/"):
            page = Shown(viewer.get(address))
            assert "frozen-production" in page.ids
            banner = page.texts["frozen"]
            assert "olga" in banner, address
            assert "Wrong file" in banner, address

    def test_one_banner_tells_of_all_that_are_frozen(
        self, sign_in: Callable[..., Browser]
    ) -> None:
        viewer = sign_in(Role.VIEWER, "vera", production=Role.NONE)
        for environment in ("sandbox", "test", "production"):
            freeze(environment, "The server is moved")
        answer = viewer.get("/")
        check_page(answer)
        page = Shown(answer)
        assert {"frozen", "frozen-sandbox", "frozen-test"} <= page.ids
        # What the reader may not look at is not named.
        assert "frozen-production" not in page.ids
        banner = " ".join(page.texts["frozen"].split())
        assert banner.startswith("Sandbox and Test are frozen")
        # A reason that they share is said once.
        assert banner.count("ada: The server is moved") == 1

    def test_it_takes_a_reason_and_loses_nothing_that_was_typed(
        self, sign_in: Callable[..., Browser]
    ) -> None:
        olga = sign_in(Role.OPERATOR, "olga")
        for reason in ("", "   ", "x" * 201):
            answer = olga.post(f"{PAGE}production/freeze/", {"reason": reason})
            assert answer.status_code == 422
            check_page(answer)
            content = answer.content.decode()
            assert 'id="id_production_reason_error"' in content
            assert reason in content
        assert not control().is_frozen
        assert not AuditEvent.objects.filter(action="environment.frozen").exists()

    def test_a_second_freeze_leaves_the_first_one(
        self, sign_in: Callable[..., Browser]
    ) -> None:
        freeze()
        olga = sign_in(Role.OPERATOR, "olga")
        olga.post(f"{PAGE}production/freeze/", {"reason": "Mine"})
        assert control().freeze_reason == "Wrong file"
        assert AuditEvent.objects.filter(action="environment.frozen").count() == 1

    def test_only_an_admin_lets_it_go_on(self, sign_in: Callable[..., Browser]) -> None:
        freeze()
        olga = sign_in(Role.OPERATOR, "olga")
        assert olga.post(f"{PAGE}production/unfreeze/").status_code == 403
        assert "unfreeze-production" not in Shown(olga.get(PAGE)).ids
        assert control().is_frozen
        sign_in(Role.ADMIN, "bea").post(f"{PAGE}production/unfreeze/")
        now = control()
        assert not now.is_frozen
        assert now.unfrozen_at is not None
        event = AuditEvent.objects.get(action="environment.unfrozen")
        assert event.actor_name == "bea"
        assert event.detail["frozen_by"] == "ada"
        assert event.detail["reason"] == "Wrong file"
        assert "frozen" not in Shown(olga.get("/")).ids

    def test_an_admin_says_whether_reasons_are_required(
        self, sign_in: Callable[..., Browser]
    ) -> None:
        admin = sign_in(Role.ADMIN, "bea")
        address = f"{PAGE}production/reasons/"
        for said, needed in (("yes", True), ("yes", True), ("no", False)):
            admin.post(address, {"needs_reason": said})
            assert control().needs_reason == needed
        events = AuditEvent.objects.filter(action="environment.changed")
        changes = [event.detail["needs_reason"] for event in events.order_by("pk")]
        assert changes == [[False, True], [True, False]]
        olga = sign_in(Role.OPERATOR, "olga")
        assert olga.post(address, {"needs_reason": "yes"}).status_code == 403

    @pytest.mark.parametrize("path", ["freeze/", "unfreeze/", "reasons/"])
    def test_what_is_no_environment_is_not_there(
        self, path: str, sign_in: Callable[..., Browser]
    ) -> None:
        admin = sign_in(Role.ADMIN)
        for word in ("staging", "PRODUCTION", "1", "%00"):
            answer = admin.post(f"{PAGE}{word}/{path}", {"reason": "x"})
            assert answer.status_code == 404
        assert not EnvironmentControl.objects.exists()


class TestRolesPerEnvironment:
    def test_where_somebody_has_no_role_there_is_nothing_to_see_or_do(
        self, sign_in: Callable[..., Browser]
    ) -> None:
        freeze("production", "Secret plans")
        tess = sign_in(Role.ADMIN, "tess", production=Role.NONE)
        for address in ("/", PAGE):
            content = tess.get(address).content.decode()
            assert "Secret plans" not in content
        assert "Production" not in tess.get(PAGE).content.decode()
        for path in ("freeze/", "unfreeze/", "reasons/"):
            assert tess.post(f"{PAGE}production/{path}").status_code == 404
        assert control().is_frozen

    def test_who_may_only_read_there_cannot_stop_it(
        self, sign_in: Callable[..., Browser]
    ) -> None:
        tess = sign_in(Role.ADMIN, "tess", production=Role.VIEWER)
        answer = tess.post(f"{PAGE}production/freeze/", {"reason": "x"})
        assert answer.status_code == 403
        assert not control().is_frozen
        ids = Shown(tess.get(PAGE)).ids
        assert {"freeze-sandbox", "freeze-test"} <= ids
        assert "freeze-production" not in ids


class TestBanner:
    def test_it_costs_a_page_one_query_and_a_fragment_none(
        self,
        sign_in: Callable[..., Browser],
        project: Project,
        django_assert_num_queries: Any,
        django_assert_max_num_queries: Any,
    ) -> None:
        viewer = sign_in(Role.VIEWER)
        for address, count in (("/audit/", 1), ("/operations/rows/", 0)):
            with django_assert_max_num_queries(50) as asked:
                viewer.get(address)
            said = [q for q in asked if "environmentcontrol" in q["sql"]]
            assert len(said) == count, address

    def test_strangers_are_told_nothing(self, client: Browser) -> None:
        freeze(reason="Secret plans")
        assert b"Secret plans" not in client.get("/login/").content


class TestCommand:
    def test_it_freezes_and_lets_go_on(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        said = []
        for given in (
            {"reason": "Wrong file", "by": "Ada"},
            {"reason": "Again"},
            {"off": True},
            {"off": True},
        ):
            call_command("freeze", "production", **given)
            said.append(capsys.readouterr().out)
            now = control()
            if "off" in given:
                assert not now.is_frozen
            else:
                assert (now.frozen_by_name, now.freeze_reason) == ("Ada", "Wrong file")
        # Each time it says something else, and where.
        assert len(set(said)) == 4
        assert all("Production" in words for words in said)
        events = AuditEvent.objects.filter(action__startswith="environment.")
        assert [(e.action, e.actor_name) for e in events.order_by("pk")] == [
            ("environment.frozen", "Ada"),
            ("environment.unfrozen", "the command line"),
        ]

    @pytest.mark.parametrize("reason", ["", "  ", "x" * 201])
    def test_it_takes_a_reason_that_fits(self, reason: str) -> None:
        with pytest.raises(CommandError):
            call_command("freeze", "production", reason=reason)
        assert not control().is_frozen

    def test_it_knows_no_other_environment(self) -> None:
        with pytest.raises(CommandError):
            call_command("freeze", "staging", reason="x")


def test_the_database_takes_no_freeze_without_who_and_why() -> None:
    freeze()
    for name in ("frozen_by_name", "freeze_reason"):
        with pytest.raises(IntegrityError), transaction.atomic():
            EnvironmentControl.objects.update(**{name: ""})


def test_nothing_is_frozen_when_it_cannot_be_audited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(**_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(AuditEvent, "record", broken)
    with pytest.raises(RuntimeError), transaction.atomic():
        freeze()
    assert not EnvironmentControl.objects.frozen().exists()
