"""Django's admin, cut down to one thing: people and their roles.

The role alone opens it. Nobody needs `is_staff` or permission rows, so there is only
one place that says who may do what.
"""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import UserChangeForm, UserCreationForm
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group, User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url

from console.models import AuditEvent
from console.roles import Role, role_of

CHOICES = [
    ("", "None: may sign in, sees nothing"),
    ("viewer", "Viewer: sees everything, changes nothing"),
    ("operator", "Operator: also writes"),
    ("admin", "Admin: also manages connections and users"),
]


class UserSite(admin.AdminSite):
    """An admin site that knows nothing but what is registered in this file."""

    site_header = site_title = "Write Console"
    index_title = "Users"

    def has_permission(self, request: HttpRequest) -> bool:
        return is_admin(request.user)

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Send people to the console's own sign-in; those without the role get 403."""
        if request.user.is_authenticated:
            raise PermissionDenied("This needs the role admin. Ask an admin for it.")
        page = request.GET.get("next") or resolve_url("admin:index")
        return redirect_to_login(page)

    login.login_required = False  # type: ignore[attr-defined]


def is_admin(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether `user` may manage people."""
    return user.is_active and role_of(user) >= Role.ADMIN


class RoleForm(forms.ModelForm):  # type: ignore[type-arg]
    """A person with a role instead of Django's groups, permissions and flags."""

    # Who is doing the editing; the admin below sets it for each request.
    editor: User

    role = forms.ChoiceField(choices=CHOICES, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and (role := _granted(self.instance)):
            self.initial["role"] = role.group_name

    def clean(self) -> dict[str, Any]:
        """Keep people from locking themselves out."""
        cleaned = super().clean() or self.cleaned_data
        if self.instance.pk != self.editor.pk:
            return cleaned
        loses_role = not self.editor.is_superuser and cleaned.get("role") != "admin"
        if loses_role or not cleaned.get("is_active", True):
            raise ValidationError(
                "You cannot take your own access away. Ask another admin to do it."
            )
        return cleaned


class AddUserForm(RoleForm, UserCreationForm):  # type: ignore[type-arg]
    """A new person."""


class ChangeUserForm(RoleForm, UserChangeForm):  # type: ignore[type-arg]
    """A known person."""


class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg]
    """People, each with one role. Superusers are made on the command line only."""

    form = ChangeUserForm
    add_form = AddUserForm
    actions = None
    list_display = ("username", "role", "is_active", "last_login")
    list_filter = ("groups", "is_active")
    search_fields = ("username", "first_name", "last_name", "email")
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password", "role", "is_active")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": ("username", "password1", "password2", "role"),
            },
        ),
    )

    @admin.display(description="Role")
    def role(self, user: User) -> str:
        """The person's role as a word."""
        return "superuser" if user.is_superuser else _granted(user).name.lower()

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("groups")

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.editor = request.user
        return form

    # --- Who may -----------------------------------------------------------------

    def has_module_permission(self, request: HttpRequest) -> bool:
        return is_admin(request.user)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_admin(request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_admin(request.user)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only a superuser may touch one: a new password would be a way in."""
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return is_admin(request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj) and obj != request.user

    # --- What is done -------------------------------------------------------------

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Any, change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)
        chosen = form.cleaned_data["role"]
        others = form.instance.groups.filter(name__in=_GROUP_NAMES).exclude(name=chosen)
        form.instance.groups.remove(*others)
        if chosen:
            form.instance.groups.add(Group.objects.get(name=chosen))

    def user_change_password(
        self,
        request: HttpRequest,
        id: str,  # noqa: A002 - Django's name for it
        form_url: str = "",
    ) -> HttpResponse:
        # Django's other views of a person have a transaction already.
        with transaction.atomic():
            return super().user_change_password(request, id, form_url)

    # Django calls these three after each change, inside its transaction.

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        _record(request, "user.created", obj)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        _record(request, "user.changed", obj, changes=message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for user in queryset:
            _record(request, "user.deleted", user)
        return super().log_deletions(request, queryset)


_GROUP_NAMES = [role.group_name for role in Role if role]


def _granted(user: User) -> Role:
    """Return the role by groups, from a prefetch where there is one."""
    names = {group.name for group in user.groups.all()}
    return max((role for role in Role if role.group_name in names), default=Role.NONE)


def _record(
    request: HttpRequest, action: str, user: User, *, changes: Any = None
) -> None:
    """Record a change of a person with the role and whether the account is open."""
    now = User.objects.get(pk=user.pk)
    detail = {"role": _granted(now).group_name, "is_active": now.is_active}
    if changes:
        detail["changes"] = changes
    AuditEvent.record(
        action=action, subject=user.get_username(), request=request, detail=detail
    )


site = UserSite(name="admin")
site.register(User, UserAdmin)
