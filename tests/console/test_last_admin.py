"""The last admin stays, whoever takes what from them."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client as Browser
from django.urls import reverse

from console.access.roles import Role, is_admin_everywhere
from console.environments import Environment
from console.models import AuditEvent, Grant
from console.models.grant import give
from console.sign_in.oidc import PROVIDER
from console.users.change import change_access, set_active
from console.users.last_admin import LastAdmin, active_admins
from tests.answers import codes, levels
from tests.conftest import actor, make_user

NOBODY = dict.fromkeys(Environment.values, "")
ADMIN = dict.fromkeys(Environment.values, "admin")


def close(user: User) -> None:
    user.is_active = False
    user.save()


def close_alone(user: User) -> None:
    user.is_active = False
    user.save(update_fields=["is_active"])


def take_password(user: User) -> None:
    user.set_unusable_password()
    user.save()


def lower_a_role(user: User) -> None:
    give(user, {"production": "operator"})


def take_a_role(user: User) -> None:
    give(user, {"test": ""})


def take_all_roles(user: User) -> None:
    Grant.objects.filter(user=user).delete()


def delete(user: User) -> None:
    user.delete()


WAYS = [
    close,
    close_alone,
    take_password,
    lower_a_role,
    take_a_role,
    take_all_roles,
    delete,
]


@pytest.fixture
def ada(db: None) -> User:
    """The only admin; others may do less, or cannot sign in."""
    make_user("operator", Role.OPERATOR)
    make_user("nearly", Role.ADMIN, production=Role.OPERATOR)
    closed = make_user("closed", Role.ADMIN)
    User.objects.filter(pk=closed.pk).update(is_active=False)
    User.objects.create_superuser("without-password")
    return make_user("ada", Role.ADMIN)


@pytest.fixture
def by_provider(ada: User, settings: Any) -> User:
    """An admin without a password whom the provider signs in."""
    settings.OIDC_ISSUER = "https://login.example.com"
    bea = make_user("bea", Role.ADMIN)
    bea.set_unusable_password()
    bea.save()
    SocialAccount.objects.create(user=bea, provider=PROVIDER, uid="1")
    return bea


def lose_the_provider(user: User) -> None:
    SocialAccount.objects.filter(user=user).delete()


def is_admin(user: User) -> bool:
    return active_admins().filter(pk=user.pk).exists()


class TestByModels:
    """As commands and the shell do it."""

    @pytest.mark.parametrize("way", WAYS)
    def test_the_last_one_stays(self, way: Callable[[User], Any], ada: User) -> None:
        with pytest.raises(LastAdmin), transaction.atomic():
            way(User.objects.get(pk=ada.pk))
        assert is_admin(ada)

    @pytest.mark.parametrize("way", WAYS)
    def test_of_two_one_may_go(self, way: Callable[[User], Any], ada: User) -> None:
        make_user("bea", Role.ADMIN)
        number = ada.pk
        way(User.objects.get(pk=number))
        assert set(active_admins().values_list("username", flat=True)) == {"bea"}
        assert number not in active_admins().values_list("pk", flat=True)

    @pytest.mark.parametrize(
        "way", [lose_the_provider, *(way for way in WAYS if way is not take_password)]
    )
    def test_one_of_the_provider_stays(
        self, way: Callable[[User], Any], ada: User, by_provider: User
    ) -> None:
        close(ada)
        with pytest.raises(LastAdmin), transaction.atomic():
            way(User.objects.get(pk=by_provider.pk))
        assert is_admin(by_provider)

    def test_who_has_a_password_may_lose_the_provider(
        self, ada: User, by_provider: User
    ) -> None:
        close(ada)
        by_provider.set_password("another-long-Passw0rd")
        by_provider.save()
        lose_the_provider(by_provider)
        assert is_admin(by_provider)
        with pytest.raises(LastAdmin):
            take_password(by_provider)

    def test_without_a_provider_only_passwords_count(
        self, ada: User, by_provider: User, settings: Any
    ) -> None:
        settings.OIDC_ISSUER = ""
        with pytest.raises(LastAdmin):
            close(ada)

    def test_groups_take_the_roles_of_the_last_one(
        self, ada: User, by_provider: User, settings: Any
    ) -> None:
        settings.OIDC_GROUPS = [("crm-admins", "admin", "")]
        close(ada)
        give(by_provider, NOBODY)
        assert not is_admin(by_provider)
        # Their group gives them back; nobody else may close the account of the last.
        give(by_provider, ADMIN)
        with pytest.raises(LastAdmin):
            close(by_provider)

    def test_groups_take_nothing_from_who_has_a_password(
        self, ada: User, settings: Any
    ) -> None:
        settings.OIDC_ISSUER = "https://login.example.com"
        settings.OIDC_GROUPS = [("crm-admins", "admin", "")]
        with pytest.raises(LastAdmin):
            give(ada, NOBODY)

    @pytest.mark.parametrize("way", WAYS)
    def test_where_there_is_none_nobody_is_kept(
        self, way: Callable[[User], Any], db: None
    ) -> None:
        """As in a new installation, and in one that only superusers manage."""
        way(make_user("eve", Role.ADMIN, test=Role.VIEWER))
        assert not active_admins().exists()

    def test_a_superuser_is_one_whatever_is_granted(self, db: None) -> None:
        root = User.objects.create_superuser("root", password="root")
        give(root, ADMIN)
        give(root, NOBODY)
        with pytest.raises(LastAdmin):
            close(root)
        root.refresh_from_db()
        root.is_superuser = False
        with pytest.raises(LastAdmin):
            root.save()
        # Who has the roles needs the flag no more.
        give(root, ADMIN)
        root.save()
        assert is_admin(root)

    def test_what_takes_nothing_away_is_not_asked_about(
        self, ada: User, django_assert_num_queries: Any
    ) -> None:
        ada.first_name = "Ada"
        with django_assert_num_queries(1):
            ada.save(update_fields=["first_name"])
        ada.set_password("a-long-enough-Passw0rd")
        ada.save()
        give(ada, ADMIN)
        assert is_admin(ada)


@pytest.mark.pages
class TestByPages:
    """Somebody is admin everywhere, but has no password: they do not count."""

    @pytest.fixture
    def root(self, ada: User) -> Browser:
        browser = Browser()
        browser.force_login(User.objects.get(username="without-password"))
        return browser

    def test_the_last_one_keeps_their_roles(self, root: Browser, ada: User) -> None:
        values = {**ADMIN, "test": "viewer", "was": "admin,admin,admin"}
        answer = root.post(reverse("users:access", args=[ada.pk]), values)
        assert answer.status_code == 422
        assert set(codes(answer.context["form"])) == {"__all__"}
        # What was chosen is still there.
        assert answer.context["form"]["test"].value() == "viewer"
        assert is_admin(ada)
        assert not AuditEvent.objects.filter(action="user.changed").exists()

    def test_the_last_one_stays_active(self, root: Browser, ada: User) -> None:
        address = reverse("users:deactivate", args=[ada.pk])
        assert levels(root.post(address, follow=True)) == ["error"]
        assert is_admin(ada)
        assert not AuditEvent.objects.filter(action="user.changed").exists()

    def test_with_another_one_both_are_done(self, root: Browser, ada: User) -> None:
        make_user("bea", Role.ADMIN)
        values = {**ADMIN, "test": "viewer", "was": "admin,admin,admin"}
        root.post(reverse("users:access", args=[ada.pk]), values)
        assert not is_admin_everywhere(User.objects.get(pk=ada.pk))


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
class TestAtTheSameMoment:
    """Two transactions, each of which finds that there is another admin."""

    @pytest.mark.parametrize("takes", ["roles", "account"])
    def test_the_second_waits_and_is_refused(self, takes: str) -> None:
        ada, bea = make_user("ada", Role.ADMIN), make_user("bea", Role.ADMIN)
        refused: list[Exception] = []

        def second() -> None:
            try:
                demote(ada, bea, takes)
            except LastAdmin as error:
                refused.append(error)
            finally:
                connection.close()

        thread = threading.Thread(target=second)
        with transaction.atomic():
            demote(bea, ada, takes)
            thread.start()
            wait_for_a_waiting_lock()
            assert refused == []
        thread.join(120)
        assert len(refused) == 1
        assert [user.username for user in active_admins()] == ["ada"]
        changed = AuditEvent.objects.filter(action="user.changed")
        assert [event.subject for event in changed] == ["bea"]

    def test_of_many_at_once_one_is_left(self) -> None:
        people = [make_user(f"admin-{n}", Role.ADMIN) for n in range(6)]
        start = threading.Barrier(len(people))
        refused: list[Exception] = []

        def demote_the_next(number: int) -> None:
            start.wait()
            other = people[(number + 1) % len(people)]
            try:
                demote(other, people[number], "roles")
            except LastAdmin as error:
                refused.append(error)
            finally:
                connection.close()

        threads = [
            threading.Thread(target=demote_the_next, args=[number])
            for number in range(len(people))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert len(refused) == 1
        assert active_admins().count() == 1


def demote(user: User, by: User, takes: str) -> None:
    """Take from `user` what makes them an admin, as a page does it."""
    user, by = User.objects.get(pk=user.pk), User.objects.get(pk=by.pk)
    if takes == "account":
        set_active(user, False, actor(by))
        return
    change_access(user, NOBODY, is_superuser=False, was=ADMIN, actor=actor(by))


def wait_for_a_waiting_lock() -> None:
    """Go on once another connection waits for a lock of ours."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks "
                "WHERE locktype = 'advisory' AND NOT granted"
            )
            if cursor.fetchone()[0]:
                return
        threading.Event().wait(0.02)
    pytest.fail("Nobody waited.")
