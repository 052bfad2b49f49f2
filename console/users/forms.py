"""What is typed to find a user, to make one, and to change one."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AdminUserCreationForm, SetPasswordForm
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import password_validators_help_texts
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet

from console.environments import Environment
from console.models import Grant
from console.models.sign_in_attempt import folded_name
from console.ui.filter import Filter
from console.ui.forms import StyledMixin, StyledModelForm
from console.users.last_admin import NO_PASSWORD

ROLES = [
    ("", "None: no access"),
    ("viewer", "Viewer: reads only"),
    ("operator", "Operator: reads and writes"),
    ("admin", "Admin: reads, writes and manages connections"),
]
# How somebody signs in for the first time: whether with a password that is set.
WAYS = [
    ("true", "With a first password that I set"),
    ("false", "With a link that is sent to their e-mail address"),
]
DETAILS = ("username", "first_name", "last_name", "email")
LABELS = {"username": "User name", "email": "E-mail address"}
HINTS = {"username": "Up to 150 letters, digits and @ . + - _"}


class UserFilter(Filter):
    """Which users are listed."""

    q = forms.CharField(
        label="Search",
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search"}),
    )
    role = forms.ChoiceField(
        required=False, choices=[("", "Any"), *Grant.Role.choices, ("none", "None")]
    )
    environment = forms.ChoiceField(
        required=False,
        choices=[("", "Any"), *Environment.choices],
    )
    state = forms.ChoiceField(
        required=False,
        choices=[
            ("", "All"),
            ("active", "Active"),
            ("inactive", "Inactive"),
            ("never", "Never signed in"),
            ("no-password", "No password"),
        ],
    )

    CURSORS = ("page",)
    STATES = {
        "active": Q(is_active=True),
        "inactive": Q(is_active=False),
        "never": Q(last_login=None),
        "no-password": NO_PASSWORD,
    }

    def apply(self, users: QuerySet[User]) -> QuerySet[User]:
        """Return those of `users` that all filters let through."""
        given = self.cleaned_data
        if sought := given["q"]:
            found = Q()
            for name in DETAILS:
                found |= Q(**{f"{name}__icontains": sought})
            users = users.filter(found)
        if state := given["state"]:
            users = users.filter(self.STATES[state])
        return self._with_role(users)

    def _with_role(self, users: QuerySet[User]) -> QuerySet[User]:
        role, environment = self.cleaned_data["role"], self.cleaned_data["environment"]
        grants = Grant.objects.all()
        if environment:
            grants = grants.filter(environment=environment)
        if role == "none":
            holders = grants.values("user")
            return users.filter(is_superuser=False).exclude(pk__in=holders)
        if role:
            grants = grants.filter(role=role)
        if not (role or environment):
            return users
        # A superuser is admin everywhere, without a grant.
        is_super = Q(is_superuser=True) if role in ("", "admin") else Q()
        return users.filter(Q(pk__in=grants.values("user")) | is_super)


class RolesForm(forms.Form):
    """The role in each environment: a field each, named as that."""

    locals().update(
        {
            word: forms.ChoiceField(
                label=f"Role in {label}", choices=ROLES, required=False
            )
            for word, label in Environment.choices
        }
    )

    @property
    def roles(self) -> dict[str, str]:
        """The roles that were chosen, by environment; "" is none."""
        return {word: self.cleaned_data.get(word, "") for word in Environment.values}


class AccessForm(StyledMixin, RolesForm):
    """What a user may do. `was` is what it was when the form was shown."""

    is_superuser = forms.BooleanField(
        label="Superuser: admin everywhere, and the only one who may change superusers",
        required=False,
    )
    was = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, editor: User, user: User, **kwargs: Any) -> None:
        """Let only a superuser make or unmake one."""
        super().__init__(*args, **kwargs)
        self.user = user
        if not editor.is_superuser:
            del self.fields["is_superuser"]

    @property
    def makes_superuser(self) -> bool:
        """Whether the user is to be a superuser: as before where nobody may say."""
        return bool(self.cleaned_data.get("is_superuser", self.user.is_superuser))

    @property
    def roles_seen(self) -> dict[str, str]:
        """The roles that whoever chose had seen."""
        seen = self.cleaned_data["was"].split(",")
        return dict(zip(Environment.values, seen, strict=False))


class _NameMixin:
    """Refuses a user name that only its spelling tells from somebody else's."""

    instance: User
    cleaned_data: dict[str, Any]

    def clean_username(self) -> str:
        """Compare it with all others as the sign-in counts them."""
        name: str = self.cleaned_data["username"]
        others = User.objects.exclude(pk=self.instance.pk)
        same = folded_name(name)
        if any(
            folded_name(n) == same for n in others.values_list("username", flat=True)
        ):
            raise ValidationError("This user name is already taken.", code="unique")
        return name


class DetailsForm(_NameMixin, StyledModelForm):
    """How a user is called and reached."""

    class Meta:
        model = User
        fields = DETAILS
        labels = LABELS
        help_texts = HINTS


class NewPasswordMixin:
    """Says what is wrong with a new password where it is typed, not where repeated."""

    def validate_password_for_user(
        self,
        user: User,
        password_field_name: str = "password2",  # nosec B107 # noqa: S107 - a field
    ) -> None:
        """Validate the first of the two fields."""
        first = password_field_name.replace("2", "1")
        super().validate_password_for_user(user, password_field_name=first)  # type: ignore[misc]


class NewUserForm(  # type: ignore[misc]
    _NameMixin, NewPasswordMixin, StyledMixin, RolesForm, AdminUserCreationForm[User]
):
    """A new user: a first password, or a link by e-mail to choose one."""

    class Meta(AdminUserCreationForm.Meta):
        fields = DETAILS
        labels = LABELS
        help_texts = HINTS

    def __init__(self, *args: Any, can_invite: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        how = self.fields["usable_password"]
        how.label, how.help_text = "How they sign in first", ""
        how.choices = WAYS if can_invite else WAYS[:1]  # type: ignore[attr-defined]
        how.widget.attrs["class"] = "form-check-input"
        _name_passwords(self, "password1", "password2")

    def clean(self) -> dict[str, Any]:
        """Ask for an address where a link is to be sent to it."""
        cleaned = super().clean() or self.cleaned_data
        if self.is_invited and not cleaned.get("email") and "email" not in self.errors:
            self.add_error("email", "The link is sent to this address: give one.")
        return cleaned

    @property
    def is_invited(self) -> bool:
        """Whether the user chooses a password by a link."""
        return not self.cleaned_data.get("set_usable_password", True)


class FirstPasswordForm(NewPasswordMixin, StyledMixin, SetPasswordForm[User]):
    """A password that its user must change."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _name_passwords(self, "new_password1", "new_password2")


def _name_passwords(form: forms.BaseForm, first: str, second: str) -> None:
    form.fields[first].label = "First password"
    form.fields[first].help_text = " ".join(password_validators_help_texts())
    form.fields[second].label = "Repeat first password"
    form.fields[second].help_text = ""


class InvitedPasswordForm(NewPasswordMixin, StyledMixin, SetPasswordForm[User]):
    """The own password, chosen by a link."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["new_password1"].help_text = " ".join(
            password_validators_help_texts()
        )
        self.fields["new_password2"].label = "Repeat new password"
        self.fields["new_password2"].help_text = ""
