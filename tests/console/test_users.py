"""Django's admin: people and their roles, and no way up."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.urls import reverse

from console.access.roles import Role, role_in, role_of
from console.admin import site
from console.environments import Environment
from console.models import AuditEvent
from tests.answers import codes
from tests.conftest import make_user
from tests.texts import words

LIST = "/admin/auth/user/"
STRONG = "a-long-enough-Passw0rd"
NEW = {"username": "eve", "password1": STRONG, "password2": STRONG}
ADMIN = dict.fromkeys(Environment.values, "admin")


@pytest.fixture
def admin(sign_in: Callable[..., Browser]) -> Browser:
    """A browser of an admin in every environment who is not a superuser."""
    return sign_in(Role.ADMIN)


def change(user: User) -> str:
    """Return the address of the form that changes `user`."""
    return reverse("admin:auth_user_change", args=[user.pk])


def fresh(name: str) -> User:
    """Return the user as the database has it."""
    return User.objects.get(username=name)


def test_only_users_are_there() -> None:
    assert list(site._registry) == [User]


@pytest.mark.parametrize("role", [Role.NONE, Role.VIEWER, Role.OPERATOR])
def test_it_is_closed_to_everybody_else(
    role: Role, sign_in: Callable[..., Browser]
) -> None:
    browser = sign_in(role, "somebody")
    for address in ("/admin/", LIST, LIST + "add/", change(fresh("somebody"))):
        answer = browser.post(address, ADMIN, follow=True)
        assert answer.status_code == 403
        assert "admin" in words(answer.context["text"])
    assert role_of(fresh("somebody")) == role


def test_it_is_closed_to_who_is_an_admin_in_some_environments(
    sign_in: Callable[..., Browser],
) -> None:
    browser = sign_in(Role.ADMIN, production=Role.OPERATOR)
    assert browser.get(LIST, follow=True).status_code == 403
    assert LIST not in browser.get("/").text


def test_a_staff_flag_opens_nothing(sign_in: Callable[..., Browser]) -> None:
    browser = sign_in(Role.OPERATOR)
    User.objects.update(is_staff=True)
    assert browser.get(LIST, follow=True).status_code == 403


def test_anonymous_people_sign_in_at_the_one_door(client: Browser, db: None) -> None:
    answer = client.get(LIST, follow=True)
    assert answer.redirect_chain[-1][0].startswith("/login/?next=/admin/")
    assert answer.status_code == 200


def test_adding_a_person_with_roles(admin: Browser) -> None:
    roles = {"sandbox": "operator", "production": "viewer"}
    answer = admin.post(LIST + "add/", {**NEW, **roles})
    assert answer.status_code == 302
    eve = fresh("eve")
    assert role_in(eve, "sandbox") == Role.OPERATOR
    assert role_in(eve, "test") == Role.NONE
    assert role_in(eve, "production") == Role.VIEWER
    event = AuditEvent.objects.newest_first()[0]
    assert (event.action, event.subject) == ("user.created", "eve")
    assert event.detail == {"roles": roles, "is_active": True}


def test_roles_are_changed_one_by_one_and_recorded(admin: Browser) -> None:
    user = make_user("eve", Role.OPERATOR)
    roles = {"sandbox": "operator", "test": "viewer"}
    page = admin.get(change(user))
    assert page.context["adminform"].form.initial["production"] == "operator"
    values = {"username": "eve", "is_active": "on", "production": "", **roles}
    assert admin.post(change(user), values).status_code == 302
    eve = fresh("eve")
    assert role_in(eve, "sandbox") == Role.OPERATOR
    assert role_in(eve, "test") == Role.VIEWER
    assert role_in(eve, "production") == Role.NONE
    event = AuditEvent.objects.newest_first()[0]
    assert event.action == "user.changed"
    assert event.detail["roles"] == roles
    assert event.detail["test"] == ["operator", "viewer"]
    assert event.detail["production"] == ["operator", ""]
    assert event.detail["is_active"] is True


def test_the_list_tells_each_role(admin: Browser) -> None:
    make_user("eve", Role.OPERATOR, production=Role.NONE)
    User.objects.create_superuser("root")
    text = admin.get(LIST).text
    assert 'class="field-sandbox">operator' in text
    assert 'class="field-production">none' in text
    assert 'class="field-production">superuser' in text
    query = {"grants__environment": "production", "grants__role": "viewer"}
    assert admin.get(LIST, query).status_code == 200


def test_closing_an_account(admin: Browser) -> None:
    user = make_user("eve", Role.ADMIN)
    admin.post(change(user), {"username": "eve", **ADMIN})
    assert not fresh("eve").is_active
    assert not Browser().login(username="eve", password="eve")


def test_nobody_becomes_a_superuser_here(admin: Browser) -> None:
    flags = {"is_superuser": "on", "is_staff": "on", "user_permissions": "1"}
    admin.post(LIST + "add/", {**NEW, **flags, **ADMIN})
    values = {"username": "admin", **ADMIN, "is_active": "on", **flags}
    admin.post(change(fresh("admin")), values)
    for user in User.objects.all():
        assert not user.is_superuser
        assert not user.is_staff
        assert not user.user_permissions.exists()


def test_a_superuser_is_out_of_an_admins_reach(admin: Browser) -> None:
    root = User.objects.create_superuser("root", password="root")
    address = reverse("admin:auth_user_password_change", args=[root.pk])
    values = {"username": "root", "password1": STRONG, "password2": STRONG}
    assert admin.post(address, values).status_code == 403
    assert admin.post(change(root), values).status_code == 403
    delete = reverse("admin:auth_user_delete", args=[root.pk])
    assert admin.post(delete, {"post": "yes"}).status_code == 403
    assert fresh("root").check_password("root")


def test_nobody_locks_themselves_out(admin: Browser) -> None:
    me = fresh("admin")
    values = {"username": "admin", "is_active": "on", **ADMIN, "test": "operator"}
    answer = admin.post(change(me), values)
    assert codes(answer.context["adminform"].form) == {"__all__": ["own-access"]}
    delete = reverse("admin:auth_user_delete", args=[me.pk])
    assert admin.post(delete, {"post": "yes"}).status_code == 403
    assert role_of(fresh("admin")) == Role.ADMIN


def test_deleting_a_person_leaves_their_trail(admin: Browser) -> None:
    make_user("eve", Role.OPERATOR)
    Browser().post("/login/", {"username": "eve", "password": "eve"})
    delete = reverse("admin:auth_user_delete", args=[fresh("eve").pk])
    admin.post(delete, {"post": "yes"})
    assert AuditEvent.objects.newest_first()[0].action == "user.deleted"
    assert AuditEvent.objects.get(action="user.signed_in", subject="eve")
    assert AuditEvent.objects.first_broken() is None


def test_a_new_password_is_recorded_but_not_shown(admin: Browser) -> None:
    user = make_user("eve", Role.VIEWER)
    address = reverse("admin:auth_user_password_change", args=[user.pk])
    assert admin.get(address).status_code == 200
    values = {"password1": STRONG, "password2": STRONG, "usable_password": "true"}
    admin.post(address, values)
    assert fresh("eve").check_password(STRONG)
    event = AuditEvent.objects.newest_first()[0]
    assert event.action == "user.password_set"
    assert STRONG not in str(event.detail)
