"""Users: their list, their pages, and no way up."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from console.access.roles import Role, role_in, role_of
from console.environments import Environment
from console.models import AuditEvent, FirstPassword, Grant, Session
from tests.answers import Shown, codes, levels
from tests.conftest import make_token, make_user
from tests.console.mailed_links import choose
from tests.texts import words

pytestmark = [pytest.mark.django_db, pytest.mark.pages]

LIST, NEW = "/users/", "/users/new/"
STRONG = "a-long-enough-Passw0rd"
NOBODY = dict.fromkeys(Environment.values, "")
EVE = {
    "username": "eve",
    "usable_password": "true",
    "password1": STRONG,
    "password2": STRONG,
}


@pytest.fixture
def admin(sign_in: Callable[..., Browser]) -> Browser:
    """A browser of an admin in every environment who is not a superuser."""
    return sign_in(Role.ADMIN)


@pytest.fixture
def root(db: None) -> Browser:
    """A browser of a superuser."""
    browser = Browser()
    browser.force_login(User.objects.create_superuser("root", password="root"))
    FirstPassword.objects.all().delete()
    return browser


@pytest.fixture
def with_mail(settings: Any) -> None:
    settings.SENDS_MAIL = True
    settings.CONSOLE_URL = "https://console.example.com"


def of(user: User, name: str = "detail") -> str:
    """Return an address of `user`."""
    return reverse(f"users:{name}", args=[user.pk])


def fresh(name: str) -> User:
    """Return the user as the database has it."""
    return User.objects.get(username=name)


def give(browser: Browser, user: User, **roles: str) -> Any:
    """Choose these roles for `user`, none elsewhere, after a look at their page."""
    was = browser.get(of(user)).context["form"]["was"].value()
    values = {**NOBODY, **roles, "was": was}
    return browser.post(of(user, "access"), values)


def newest() -> AuditEvent:
    return AuditEvent.objects.newest_first()[0]


class TestWhoMay:
    @pytest.mark.parametrize("role", [Role.NONE, Role.VIEWER, Role.OPERATOR])
    def test_it_is_closed_to_everybody_else(
        self, role: Role, sign_in: Callable[..., Browser]
    ) -> None:
        browser = sign_in(role, "somebody")
        me = fresh("somebody")
        for address in (LIST, NEW, of(me), of(me, "edit"), of(me, "password")):
            answer = browser.get(address)
            assert answer.status_code == 403
            assert "admin" in words(answer.context["text"])
        answer = browser.post(of(me, "access"), dict.fromkeys(NOBODY, "admin"))
        assert answer.status_code == 403
        assert role_of(fresh("somebody")) == role

    def test_it_is_closed_to_who_is_an_admin_in_some_environments(
        self, sign_in: Callable[..., Browser]
    ) -> None:
        browser = sign_in(Role.ADMIN, production=Role.OPERATOR)
        assert browser.get(LIST).status_code == 403
        assert f'"{LIST}"' not in browser.get("/").text

    def test_a_staff_flag_opens_nothing(self, sign_in: Callable[..., Browser]) -> None:
        browser = sign_in(Role.OPERATOR)
        User.objects.update(is_staff=True)
        assert browser.get(LIST).status_code == 403

    def test_there_is_no_other_door(self, root: Browser) -> None:
        assert root.get("/admin/").status_code == 404

    def test_a_superuser_is_out_of_an_admins_reach(
        self, admin: Browser, root: Browser
    ) -> None:
        user = fresh("root")
        page = admin.get(of(user))
        assert page.status_code == 200
        assert of(user, "access") not in page.text
        values = {"new_password1": STRONG, "new_password2": STRONG}
        for name in (
            *("access", "edit", "deactivate", "password", "link"),
            *("end_sessions", "token_revoke"),
        ):
            assert admin.post(of(user, name), values).status_code == 403
        after = fresh("root")
        assert after.is_active
        assert after.is_superuser
        assert after.check_password("root")
        assert root.get("/").status_code == 200

    def test_only_a_superuser_makes_one(self, admin: Browser, root: Browser) -> None:
        eve = make_user("eve", Role.VIEWER)
        flags = {"is_superuser": "on", "is_staff": "on", "user_permissions": "1"}
        admin.post(NEW, {**EVE, "username": "tom", **flags})
        give(admin, eve, sandbox="viewer", **flags)
        for user in User.objects.filter(username__in=["eve", "tom"]):
            assert not user.is_superuser
            assert not user.is_staff
            assert not user.user_permissions.exists()
        assert give(root, eve, sandbox="viewer", is_superuser="on").status_code == 302
        assert fresh("eve").is_superuser
        assert newest().detail["is_superuser"] == [False, True]
        assert give(root, eve, sandbox="viewer").status_code == 302
        assert not fresh("eve").is_superuser


class TestTheList:
    def test_it_tells_each_role(self, admin: Browser) -> None:
        make_user("eve", Role.OPERATOR, production=Role.NONE)
        User.objects.create_superuser("root")
        answer = admin.get(LIST)
        lines = {line["user"].username: line for line in answer.context["lines"]}
        assert list(lines) == ["admin", "eve", "root"]
        assert [role for _, role in lines["eve"]["roles"]] == [
            "operator",
            "operator",
            "none",
        ]
        assert [role for _, role in lines["root"]["roles"]] == ["superuser"] * 3
        assert (lines["admin"]["sessions"], lines["eve"]["sessions"]) == (1, 0)
        assert Shown(answer).data["password"] == ["own", "own", "none"]

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("q=EVE", ["eve"]),
            ("q=example.com", ["tom"]),
            ("q=Okafor", ["eve"]),
            ("role=admin", ["admin", "root"]),
            ("role=viewer", ["eve"]),
            ("role=viewer&environment=production", []),
            ("role=operator&environment=production", ["eve"]),
            ("environment=production", ["admin", "eve", "root"]),
            ("role=none", ["tom"]),
            ("role=none&environment=test", ["eve", "tom"]),
            ("state=inactive", ["tom"]),
            ("state=active&role=admin", ["admin", "root"]),
            ("state=no-password", ["root"]),
            ("state=never&q=o", ["eve", "root", "tom"]),
            ("q=nobody-like-it", []),
        ],
    )
    def test_it_is_narrowed_by_the_address(
        self, query: str, names: list[str], admin: Browser
    ) -> None:
        eve = make_user("eve", sandbox=Role.VIEWER, production=Role.OPERATOR)
        User.objects.filter(pk=eve.pk).update(last_name="Okafor")
        tom = make_user("tom")
        User.objects.filter(pk=tom.pk).update(is_active=False, email="t@example.com")
        User.objects.create_superuser("root")
        answer = admin.get(f"{LIST}?{query}")
        assert answer.status_code == 200
        assert Shown(answer).data.get("user", []) == names
        assert bool(Shown(answer).data.get("empty")) == (not names)

    @pytest.mark.parametrize("query", ["role=king", "environment=moon", "state=odd"])
    def test_a_filter_that_makes_no_sense_is_refused(
        self, query: str, admin: Browser
    ) -> None:
        assert admin.get(f"{LIST}?{query}").status_code == 400

    def test_two_hundred_take_pages_and_no_more_queries(
        self, admin: Browser, django_assert_max_num_queries: Any
    ) -> None:
        User.objects.bulk_create(User(username=f"user-{n:03}") for n in range(200))
        with django_assert_max_num_queries(10):
            answer = admin.get(f"{LIST}?q=user-&page=2")
        assert Shown(answer).data["user"][0] == "user-050"
        assert "q=user-&amp;page=3" in answer.text
        assert Shown(admin.get(f"{LIST}?page=99")).data["user"][-1] == "user-199"


class TestANewUser:
    def test_with_roles_and_a_first_password(self, admin: Browser) -> None:
        roles = {"sandbox": "operator", "production": "viewer"}
        answer = admin.post(NEW, {**EVE, **roles, "email": "eve@example.com"})
        eve = fresh("eve")
        assert answer["Location"] == of(eve)
        assert role_in(eve, "sandbox") == Role.OPERATOR
        assert role_in(eve, "test") == Role.NONE
        assert role_in(eve, "production") == Role.VIEWER
        assert (newest().action, newest().subject) == ("user.created", "eve")
        assert newest().detail == {"roles": roles, "is_active": True}
        # Whoever gets it chooses another one first.
        browser = Browser()
        browser.post("/login/", {"username": "eve", "password": STRONG})
        assert browser.get("/")["Location"].startswith(reverse("password"))

    @pytest.mark.parametrize(
        ("changed", "errors"),
        [
            ({"username": ""}, {"username": ["required"]}),
            ({"username": "ADMIN"}, {"username": ["unique"]}),
            ({"email": "nowhere"}, {"email": ["invalid"]}),
            ({"password2": "other"}, {"password2": ["password_mismatch"]}),
            ({"password1": ""}, {"password1": ["required"]}),
            (
                {"password1": "Short-1", "password2": "Short-1"},
                {"password1": ["password_too_short"]},
            ),
            ({"test": "king"}, {"test": ["invalid_choice"]}),
        ],
    )
    def test_what_is_wrong_is_said_at_the_field(
        self, changed: dict[str, str], errors: dict[str, list[str]], admin: Browser
    ) -> None:
        answer = admin.post(NEW, {**EVE, "first_name": "Eve", **changed})
        assert answer.status_code == 422
        assert codes(answer.context["form"]) == errors
        # Nothing typed is lost but the passwords.
        assert 'value="Eve"' in answer.text
        assert STRONG not in answer.text
        assert User.objects.count() == 1

    def test_without_a_mail_server_nobody_is_invited(self, admin: Browser) -> None:
        assert 'name="usable_password"' not in admin.get(NEW).text
        answer = admin.post(NEW, {**EVE, "usable_password": "false"})
        assert codes(answer.context["form"]) == {"usable_password": ["invalid_choice"]}
        assert User.objects.count() == 1


@pytest.mark.usefixtures("with_mail")
class TestALink:
    INVITED = {
        **EVE,
        "usable_password": "false",
        "password1": "",
        "password2": "",
        "email": "eve@example.com",
    }

    def invite(self, admin: Browser) -> str:
        """Have eve invited, and return the path of her link."""
        answer = admin.post(NEW, {**self.INVITED, "sandbox": "viewer"}, follow=True)
        assert levels(answer) == ["success", "success"]
        return self.newest_link()

    def newest_link(self) -> str:
        letter = mail.outbox[-1]
        assert letter.to == ["eve@example.com"]
        (path,) = re.findall(
            r"https://console\.example\.com(/account/invitation/\S+)", letter.body
        )
        return path

    def test_an_invited_user_chooses_a_password_and_signs_in(
        self, admin: Browser
    ) -> None:
        path = self.invite(admin)
        eve = fresh("eve")
        assert not eve.has_usable_password()
        assert newest().action == "user.invited"
        assert choose(path, STRONG)["Location"] == "/login/"
        event = newest()
        assert (event.action, event.subject) == ("user.password_changed", "eve")
        assert (event.actor_name, event.detail) == ("system", {"by": "link"})
        browser = Browser()
        browser.post("/login/", {"username": "eve", "password": STRONG})
        # It is a password of her own: the console opens.
        assert browser.get("/").status_code == 200
        # Once.
        assert "link-over" in Shown(choose(path, STRONG)).ids

    def test_a_password_that_is_too_weak_is_said_at_the_field(
        self, admin: Browser
    ) -> None:
        path = self.invite(admin)
        answer = choose(path, "short")
        assert answer.status_code == 422
        assert set(answer.context["form"].errors) == {"new_password1"}
        assert not fresh("eve").has_usable_password()

    def test_it_needs_an_address(self, admin: Browser) -> None:
        answer = admin.post(NEW, {**self.INVITED, "email": ""})
        assert answer.status_code == 422
        assert set(answer.context["form"].errors) == {"email"}
        assert mail.outbox == []

    def test_a_closed_account_is_opened_by_none(self, admin: Browser) -> None:
        path = self.invite(admin)
        admin.post(of(fresh("eve"), "deactivate"))
        assert "link-over" in Shown(choose(path, STRONG)).ids
        assert not fresh("eve").has_usable_password()

    @pytest.mark.parametrize("path", ["MQ/x-y/", "x/set-password/", "9999/a-b/"])
    def test_what_is_no_link_opens_nothing(self, path: str) -> None:
        answer = Browser().get(f"/account/invitation/{path}")
        assert "link-over" in Shown(answer).ids

    def test_who_lost_their_password_gets_another_link(self, admin: Browser) -> None:
        eve = make_user("eve", Role.VIEWER)
        User.objects.filter(pk=eve.pk).update(email="eve@example.com")
        browser = Browser()
        browser.post("/login/", {"username": "eve", "password": "eve"})
        assert levels(admin.post(of(eve, "link"), follow=True)) == ["success"]
        # The old one counts until she chooses.
        assert browser.get("/").status_code == 200
        assert choose(self.newest_link(), STRONG)["Location"] == "/login/"
        assert browser.get("/").status_code == 302
        assert fresh("eve").check_password(STRONG)

    def test_a_server_that_takes_none_is_told(
        self, admin: Browser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(letter: Any) -> None:
            raise ConnectionRefusedError

        monkeypatch.setattr(mail.EmailMessage, "send", refuse)
        answer = admin.post(NEW, self.INVITED, follow=True)
        # The user is there; the page offers the link once more.
        assert levels(answer) == ["success", "error"]
        assert of(fresh("eve"), "link") in answer.text
        assert not AuditEvent.objects.filter(action="user.invited").exists()

    def test_nobody_without_an_address_gets_one(self, admin: Browser) -> None:
        tom = make_user("tom", Role.VIEWER)
        assert levels(admin.post(of(tom, "link"), follow=True)) == ["error"]
        assert mail.outbox == []


class TestRoles:
    def test_they_are_changed_and_recorded_before_and_after(
        self, admin: Browser
    ) -> None:
        eve = make_user("eve", Role.OPERATOR)
        page = admin.get(of(eve))
        assert Shown(page).data["now"] == ["operator"] * 3
        assert give(admin, eve, sandbox="operator", test="viewer").status_code == 302
        after = fresh("eve")
        assert role_in(after, "sandbox") == Role.OPERATOR
        assert role_in(after, "test") == Role.VIEWER
        assert role_in(after, "production") == Role.NONE
        assert (newest().action, newest().actor_name) == ("user.changed", "admin")
        assert newest().detail == {
            "test": ["operator", "viewer"],
            "production": ["operator", ""],
        }

    def test_they_count_from_the_next_request_on(self, admin: Browser) -> None:
        eve = make_user("eve", sandbox=Role.OPERATOR)
        browser = Browser()
        browser.post("/login/", {"username": "eve", "password": "eve"})
        assert browser.get("/writes/record/").status_code == 200
        give(admin, eve, sandbox="viewer")
        assert browser.get("/writes/record/").status_code == 403
        assert browser.get("/operations/").status_code == 200
        give(admin, eve)
        assert browser.get("/operations/").status_code == 403
        give(admin, eve, test="viewer")
        assert browser.get("/operations/").status_code == 200

    def test_the_same_again_changes_nothing(self, admin: Browser) -> None:
        eve = make_user("eve", sandbox=Role.VIEWER)
        count = AuditEvent.objects.count()
        assert give(admin, eve, sandbox="viewer").status_code == 302
        assert AuditEvent.objects.count() == count

    def test_what_somebody_else_changed_meanwhile_is_not_overwritten(
        self, admin: Browser
    ) -> None:
        eve = make_user("eve", sandbox=Role.VIEWER)
        seen = admin.get(of(eve)).context["form"]["was"].value()
        give(admin, eve, sandbox="operator")
        values = {**NOBODY, "production": "admin", "was": seen}
        answer = admin.post(of(eve, "access"), values)
        assert answer.status_code == 422
        assert codes(answer.context["form"]) == {"__all__": [None]}
        # What was chosen stays chosen, beside what holds now.
        assert Shown(answer).data["now"] == ["operator", "none", "none"]
        assert answer.context["form"]["production"].value() == "admin"
        assert role_in(fresh("eve"), "production") == Role.NONE
        # Sent once more it is what was seen.
        again = answer.context["form"]["was"].value()
        assert (
            admin.post(of(eve, "access"), {**values, "was": again}).status_code == 302
        )
        assert role_in(fresh("eve"), "production") == Role.ADMIN

    def test_nobody_changes_their_own(self, admin: Browser) -> None:
        me = fresh("admin")
        make_user("other", Role.ADMIN)
        page = admin.get(of(me))
        assert "access" not in Shown(page).ids
        values = {**NOBODY, "sandbox": "admin", "was": "admin,admin,admin"}
        assert admin.post(of(me, "access"), values).status_code == 422
        assert levels(admin.post(of(me, "deactivate"), follow=True)) == ["error"]
        me = fresh("admin")
        assert me.is_active
        assert role_in(me, "test") == Role.ADMIN


class TestAnAccount:
    def test_it_is_closed_and_opened(self, admin: Browser) -> None:
        eve = make_user("eve", Role.VIEWER)
        browser = Browser()
        browser.post("/login/", {"username": "eve", "password": "eve"})
        assert levels(admin.post(of(eve, "deactivate"), follow=True)) == ["success"]
        assert not Session.objects.filter(user=eve).exists()
        assert newest().detail == {"is_active": [True, False]}
        assert browser.get("/").status_code == 302
        assert not Browser().login(username="eve", password="eve")
        # Once more it is so already.
        assert levels(admin.post(of(eve, "deactivate"), follow=True)) == ["info"]
        assert levels(admin.post(of(eve, "activate"), follow=True)) == ["success"]
        assert newest().detail == {"is_active": [False, True]}
        assert Browser().login(username="eve", password="eve")

    def test_names_and_address_are_edited(self, admin: Browser) -> None:
        eve = make_user("eve", Role.VIEWER)
        values = {"username": "eva", "first_name": "Eva", "email": "eva@example.com"}
        assert admin.post(of(eve, "edit"), values)["Location"] == of(eve)
        after = fresh("eva")
        assert (after.first_name, after.email) == ("Eva", "eva@example.com")
        assert after.check_password("eve")
        assert newest().detail == {
            "username": ["eve", "eva"],
            "first_name": ["", "Eva"],
            "email": ["", "eva@example.com"],
        }
        answer = admin.post(of(eve, "edit"), {"username": "Admin", "last_name": "Tal"})
        assert answer.status_code == 422
        assert codes(answer.context["form"]) == {"username": ["unique"]}
        assert 'value="Tal"' in answer.text

    def test_a_first_password_is_recorded_but_not_shown(self, admin: Browser) -> None:
        eve = make_user("eve", Role.VIEWER)
        browser = Browser()
        browser.post("/login/", {"username": "eve", "password": "eve"})
        values = {"new_password1": STRONG, "new_password2": STRONG}
        assert admin.post(of(eve, "password"), values)["Location"] == of(eve)
        assert fresh("eve").check_password(STRONG)
        assert FirstPassword.objects.filter(user=eve).exists()
        assert browser.get("/").status_code == 302
        assert newest().action == "user.password_set"
        assert STRONG not in str(newest().detail)
        answer = admin.post(of(eve, "password"), {**values, "new_password2": "x"})
        assert answer.status_code == 422

    def test_nobody_sets_their_own_without_the_old_one(self, admin: Browser) -> None:
        me = fresh("admin")
        values = {"new_password1": STRONG, "new_password2": STRONG}
        for answer in (
            admin.get(of(me, "password")),
            admin.post(of(me, "password"), values),
        ):
            assert answer["Location"] == reverse("password")
        assert fresh("admin").check_password("admin")

    def test_a_token_is_revoked(self, admin: Browser) -> None:
        eve = make_user("eve", Role.VIEWER)
        make_token(eve)
        mine = eve.api_tokens.get()
        page = admin.get(of(eve))
        assert Shown(page).data["token"] == [str(mine.pk)]
        answer = admin.post(of(eve, "token_revoke"), {"token": mine.pk}, follow=True)
        assert levels(answer) == ["success"]
        assert not eve.api_tokens.exists()
        assert newest().action == "token.revoked"

    def test_nobody_is_deleted_by_a_page(self, admin: Browser) -> None:
        """History names them: `deactivate` is the way."""
        eve = make_user("eve", Role.VIEWER)
        for address in (of(eve), f"{of(eve)}delete/"):
            assert admin.post(address).status_code in (404, 405)
        assert User.objects.filter(pk=eve.pk).exists()

    def test_its_page_leads_to_its_events(self, admin: Browser) -> None:
        eve = make_user("eve", Role.VIEWER)
        give(admin, eve, sandbox="operator")
        page = admin.get(of(eve))
        (about,) = re.findall(r'id="audit-of" href="([^"]+)"', page.text)
        found = admin.get(about.replace("&amp;", "&"))
        assert [e.action for e in found.context["events"]] == ["user.changed"]


class TestASuperuserWithoutGrants:
    def test_grants_are_shown_as_they_are(self, root: Browser) -> None:
        other = User.objects.create_superuser("other", last_login=timezone.now())
        page = root.get(of(other))
        assert Shown(page).data["now"] == ["none"] * 3
        assert "is-superuser" in Shown(page).ids
        assert not Grant.objects.filter(user=other).exists()
