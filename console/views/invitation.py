"""Choosing a password by a link that came by e-mail."""

from django.contrib import messages
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.models import User
from django.contrib.auth.views import (
    INTERNAL_RESET_SESSION_TOKEN,
    PasswordResetConfirmView,
)
from django.http import HttpResponse
from django.shortcuts import redirect

from console.actor import Actor
from console.users.forms import InvitedPasswordForm
from console.users.mailed_link import choose_password


class InvitationView(PasswordResetConfirmView):
    """Django's own, which takes the token out of the address before it shows a page."""

    form_class = InvitedPasswordForm
    template_name = "console/invitation.html"
    # What the audit trail calls it, and whether a password was forgotten.
    action = "user.password_changed"
    is_reset = False

    def get_user(self, uidb64: str) -> User | None:
        """Return whose link it is, unless the account is closed."""
        user = super().get_user(uidb64)
        return user if user is not None and user.is_active else None

    def form_valid(self, form: SetPasswordForm[User]) -> HttpResponse:
        """Set the password; its user signs in with it."""
        password = form.cleaned_data["new_password1"]
        actor = Actor.of(self.request)
        self.validlink = choose_password(form.user, password, self.action, actor)
        if not self.validlink:
            return self.render_to_response(self.get_context_data())
        del self.request.session[INTERNAL_RESET_SESSION_TOKEN]
        self.password_chosen(form.user)
        messages.success(self.request, "Your password is set. Sign in with it.")
        return redirect("login")

    def password_chosen(self, user: User) -> None:
        """Do what else follows on it."""

    def form_invalid(self, form: SetPasswordForm[User]) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)
