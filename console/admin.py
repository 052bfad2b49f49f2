"""Django's admin, cut down to one thing: people and their role in each environment.

Being admin in every environment opens it, and nothing else: nobody needs `is_staff` or
permission rows, so there is only one place that says who may do what.
"""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import UserChangeForm, UserCreationForm
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.urls import reverse
from django.utils.html import format_html

from console.access.roles import Person, is_admin_everywhere
from console.actor import Actor
from console.environments import Environment
from console.models import AuditEvent, Grant
from console.models.grant import give
from console.models.sign_in_attempt import folded_name

CHOICES = [
    ("", "None: no access"),
    ("viewer", "Viewer: reads only"),
    ("operator", "Operator: reads and writes"),
    ("admin", "Admin: reads, writes and manages connections"),
]
REFUSED = "This needs the admin role in every environment. Ask somebody who has it."


class UserSite(admin.AdminSite):
    """An admin site that knows nothing but what is registered in this file."""

    site_header = site_title = "Write Console"
    index_title = "Users"
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        return _may_manage(request.user)

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Send people to the console's own sign-in; those without the role get 403."""
        if request.user.is_authenticated:
            raise PermissionDenied(REFUSED)
        page = request.GET.get("next") or resolve_url("admin:index")
        return redirect_to_login(page)

    login.login_required = False  # type: ignore[attr-defined]

    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Send people to the console's own page."""
        return redirect("password")


def _may_manage(user: Person) -> bool:
    """Whether `user` may manage people."""
    return user.is_active and is_admin_everywhere(user)


def may_change(user: Person, person: User | None = None) -> bool:
    """Whether `user` may change `person`: only a superuser may touch a superuser.

    Else a new password would be a way up.
    """
    if person is not None and person.is_superuser and not _is_superuser(user):
        return False
    return _may_manage(user)


def _is_superuser(user: Person) -> bool:
    return bool(getattr(user, "is_superuser", False))


def _role_field(environment: str) -> forms.ChoiceField:
    label = f"Role in {Environment(environment).label}"
    return forms.ChoiceField(label=label, choices=CHOICES, required=False)


class RoleForm(forms.ModelForm):  # type: ignore[type-arg]
    """A person with roles instead of Django's groups, permissions and flags.

    Each field of a role is named as its environment.
    """

    # Who is doing the editing; the admin below sets it for each request.
    editor: User

    locals().update({word: _role_field(word) for word in Environment.values})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial.update(_roles_of(self.instance))

    @property
    def roles(self) -> dict[str, str]:
        """The roles that were chosen, by environment; "" is none."""
        return {word: self.cleaned_data.get(word, "") for word in Environment.values}

    def clean_username(self) -> str:
        """Refuse a name that only its spelling tells from somebody else's."""
        name: str = self.cleaned_data["username"]
        others = User.objects.exclude(pk=self.instance.pk)
        same = folded_name(name)
        if any(
            folded_name(n) == same for n in others.values_list("username", flat=True)
        ):
            raise ValidationError("This user name is already taken.", code="unique")
        return name

    def clean(self) -> dict[str, Any]:
        """Keep people from locking themselves out."""
        cleaned = super().clean() or self.cleaned_data
        if self.instance.pk != self.editor.pk:
            return cleaned
        keeps_role = set(self.roles.values()) == {Grant.Role.ADMIN}
        loses_role = not self.editor.is_superuser and not keeps_role
        if loses_role or not cleaned.get("is_active", True):
            raise ValidationError(
                "You cannot take your own access away. Ask another admin to do it.",
                code="own-access",
            )
        return cleaned


class AddUserForm(RoleForm, UserCreationForm):  # type: ignore[type-arg]
    """A new person."""


class ChangeUserForm(RoleForm, UserChangeForm):  # type: ignore[type-arg]
    """A known person."""


class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg]
    """People with their roles. Superusers are made on the command line only."""

    form = ChangeUserForm
    add_form = AddUserForm
    actions = None
    list_display = ("username", *Environment.values, "is_active", "last_login")
    list_filter = ("is_active", "grants__environment", "grants__role")
    search_fields = ("username", "first_name", "last_name", "email")
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined", "sessions", "tokens")
    fieldsets = (
        (None, {"fields": ("username", "password", "is_active")}),
        ("Roles", {"fields": tuple(Environment.values)}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
        ("Sign-in", {"fields": ("sessions", "tokens")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": ("username", "password1", "password2"),
            },
        ),
        ("Roles", {"fields": tuple(Environment.values)}),
    )

    @admin.display(description=Environment.SANDBOX.label)
    def sandbox(self, user: User) -> str:
        """The person's role there as a word."""
        return _word(user, Environment.SANDBOX)

    @admin.display(description=Environment.TEST.label)
    def test(self, user: User) -> str:
        """The person's role there as a word."""
        return _word(user, Environment.TEST)

    @admin.display(description=Environment.PRODUCTION.label)
    def production(self, user: User) -> str:
        """The person's role there as a word."""
        return _word(user, Environment.PRODUCTION)

    @admin.display(description="Sessions")
    def sessions(self, user: User) -> str:
        """A way to where the person is signed in."""
        address = reverse("person_sessions", args=[user.pk])
        return format_html('<a href="{}">Show sessions</a>', address)

    @admin.display(description="API tokens")
    def tokens(self, user: User) -> str:
        """A way to the person's tokens."""
        address = reverse("person_tokens", args=[user.pk])
        return format_html('<a href="{}">Show API tokens</a>', address)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("grants")

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.editor = request.user
        return form

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return super().changelist_view(request, {"title": "Users"})

    # --- Who may -----------------------------------------------------------------

    def has_module_permission(self, request: HttpRequest) -> bool:
        return _may_manage(request.user)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _may_manage(request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _may_manage(request.user)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_change(request.user, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj) and obj != request.user

    # --- What is done -------------------------------------------------------------

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Any, change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)
        # What `log_change` tells of, which is called next.
        form.instance.before = _access_of(form.instance) if change else None
        if change:
            form.instance.before["is_active"] = form.initial.get("is_active")
        give(form.instance, form.roles)

    def user_change_password(
        self,
        request: HttpRequest,
        id: str,  # noqa: A002 - Django's name for it
        form_url: str = "",
    ) -> HttpResponse:
        if self.get_object(request, unquote(id)) == request.user:
            # Whoever finds a browser open must not set it without the old one.
            return redirect("password")
        # Django's other views of a person have a transaction already.
        with transaction.atomic():
            return super().user_change_password(request, id, form_url)

    # Django calls these three after each change, inside its transaction.

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        _record(request, "user.created", obj)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        fields = message[0]["changed"]["fields"] if _is_of_fields(message) else []
        action = "user.password_set" if fields == ["password"] else "user.changed"
        _record(request, action, obj, changes=message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for user in queryset:
            _record(request, "user.deleted", user)
        return super().log_deletions(request, queryset)


def _roles_of(user: User) -> dict[str, str]:
    """Return the roles that were given to `user`, by environment."""
    return {grant.environment: grant.role for grant in user.grants.all()}


def _access_of(user: User) -> dict[str, Any]:
    """Return what a person may do, by environment, and whether the account is open."""
    return {**_roles_of(User.objects.get(pk=user.pk)), "is_active": user.is_active}


def _is_of_fields(message: Any) -> bool:
    return bool(message) and "fields" in message[0].get("changed", {})


def _word(user: User, environment: str) -> str:
    if user.is_superuser:
        return "superuser"
    return _roles_of(user).get(environment, "none")


def _record(
    request: HttpRequest, action: str, user: User, *, changes: Any = None
) -> None:
    """Record a change of a person with the roles and whether the account is open."""
    now = User.objects.get(pk=user.pk)
    detail = {"roles": _roles_of(now), "is_active": now.is_active}
    if changes:
        detail["changes"] = changes
    if before := getattr(user, "before", None):
        after = _access_of(now)
        names = [*Environment.values, "is_active"]
        both = {name: [before.get(name, ""), after.get(name, "")] for name in names}
        detail |= {name: pair for name, pair in both.items() if pair[0] != pair[1]}
    AuditEvent.record(
        action=action,
        subject=user.get_username(),
        actor=Actor.of(request),
        detail=detail,
    )


site = UserSite(name="admin")
site.register(User, UserAdmin)
